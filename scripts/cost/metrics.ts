import { isOnBus } from '../../infra/config/bus.ts';
import { type Configuration, DEFAULT_STACK } from '../../infra/config/load.ts';
import { collectMetrics } from '../../test/signals/collect-metrics.ts';
import type { LogLine } from '../../test/signals/emf.ts';
import { resourcesOf, type Template } from '../../test/signals/template.ts';
import { functionName } from './inventory.ts';
import type { LineKind, SampleLines } from './lines.ts';
import type { Synthesized } from './synthesize.ts';

/** How many custom metrics a stack has in a month. */
export type MetricCount = {
  /** Those of a month in which nothing special happens. */
  usual: number;
  /** All that the configuration can make. */
  most: number;
};

/** The logical id of each log group, by the function that writes it. The gateway's is `access`. */
type Logs = Map<string, string>;

/** The lines of a month in which nothing special happens, by the function that writes them. */
const USUAL: Record<string, readonly LineKind[]> = {
  receive: ['accepted', 'ignored'],
  event: ['acceptedEvent', 'ignoredEvent'],
  close: ['closed', 'alreadyEnded', 'waiting'],
  cleanup: ['run'],
};
/** The lines that follow from a run of the canary. */
const OF_CANARY: Record<string, readonly LineKind[]> = { receive: ['accepted'], close: ['canaryClose'] };

/**
 * Counts the custom metrics. A metric is a name with the values of its dimensions. It is charged for each hour in
 * which a line adds to it.
 */
export function countMetrics(
  { configuration, template, series }: Synthesized,
  samples: SampleLines,
): MetricCount {
  const logs = logGroups(template);
  const lines = [...usualLines(configuration, logs, samples), ...canaryLines(logs, samples)];
  const seen = collectMetrics({ lines, template, references: references(template) })
    .ids()
    .map(({ name, dimensions }) => JSON.stringify([name, Object.entries(dimensions).sort()]));
  return {
    usual: new Set([...seen, ...withoutSamples(template, logs)]).size,
    most: series,
  };
}

function usualLines(configuration: Configuration, logs: Logs, samples: SampleLines): LogLine[] {
  return Object.entries(USUAL).flatMap(([name, kinds]) =>
    kinds.flatMap((kind) => {
      const line = JSON.parse(samples[kind]);
      return variantsOf(configuration, name).map((fields) => lineIn(logs, name, { ...line, ...fields }));
    }),
  );
}

/** The canary's deliveries and closes, if the stack has one. */
function canaryLines(logs: Logs, samples: SampleLines): LogLine[] {
  if (!logs.has('canary')) return [];
  return Object.entries(OF_CANARY).flatMap(([name, kinds]) =>
    kinds.map((kind) => lineIn(logs, name, { ...JSON.parse(samples[kind]), canary: true })),
  );
}

function lineIn(logs: Logs, name: string, line: object): LogLine {
  return { at: 0, logGroup: logs.get(name) ?? '', text: JSON.stringify(line) };
}

/** In which fields the lines of a function differ: one set for each connection or project that they can be about. */
function variantsOf({ projects, connections }: Configuration, name: string): object[] {
  const cleaned = Object.keys(projects).filter((project) => projects[project]?.cleanup);
  if (name === 'cleanup') return cleaned.map((project) => ({ project }));
  const asked = Object.entries(connections)
    .filter(([, { crm }]) => name === 'close' || isOnBus(crm) === (name === 'event'))
    .map(([connection, { polyai }]) => ({ connection, project: polyai }));
  if (name !== 'close') return asked;
  return [...asked, ...cleaned.map((project) => ({ connection: undefined, project, source: 'cleanup' }))];
}

/**
 * The metrics from logs of which there is no sample, as the canary's own. Such a filter makes one metric.
 *
 * @throws {Error} for a filter that has more dimensions, which would make more metrics
 */
function withoutSamples(template: Template, logs: Logs): string[] {
  const sampled = [...Object.keys(USUAL), 'access'].map((name) => logs.get(name));
  return resourcesOf(template, 'AWS::Logs::MetricFilter').flatMap(([id, filter]) => {
    const { LogGroupName, MetricTransformations } = filter as Filter;
    if (sampled.includes(LogGroupName.Ref)) return [];
    const [{ MetricName, Dimensions = [] }] = MetricTransformations;
    if (Dimensions.some(({ Key }) => Key !== 'service')) {
      throw new Error(`${id}: the cost has no sample of these lines. Add one to scripts/cost/lines.ts.`);
    }
    return [JSON.stringify([MetricName, Dimensions.map(({ Key }) => [Key, DEFAULT_STACK])])];
  });
}

/** A metric filter as the template has it. */
type Filter = {
  LogGroupName: { Ref: string };
  MetricTransformations: [{ MetricName: string; Dimensions?: { Key: string; Value: string }[] }];
};

function logGroups(template: Template): Logs {
  const functions = resourcesOf(template, 'AWS::Lambda::Function').map(
    ([id, { LoggingConfig }]): [string, string] => [
      functionName(id),
      (LoggingConfig as { LogGroup: { Ref: string } }).LogGroup.Ref,
    ],
  );
  const access = resourcesOf(template, 'AWS::ApiGatewayV2::Stage').map(
    ([, { AccessLogSettings }]): [string, string] => [
      'access',
      (AccessLogSettings as { DestinationArn: { 'Fn::GetAtt': [string] } }).DestinationArn['Fn::GetAtt'][0],
    ],
  );
  return new Map([...functions, ...access]);
}

/** Names for what the template refers to: its logical ids. */
function references({ Resources }: Template): Record<string, string> {
  return Object.fromEntries(Object.keys(Resources).map((id) => [id, id]));
}
