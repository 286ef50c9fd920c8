import { OUTCOMES } from '../../functions/close/outcome.ts';
import { CLOSE_RESULTS, DELIVERY_RESULTS } from '../../functions/line.ts';
import { isOnBus } from '../../infra/config/bus.ts';
import type { Configuration } from '../../infra/config/load.ts';
import { collectMetrics } from '../../test/signals/collect-metrics.ts';
import type { MetricId } from '../../test/signals/metrics.ts';
import { resourcesOf, type Template } from '../../test/signals/template.ts';
import { functionName } from './inventory.ts';
import type { LineKind, SampleLines } from './lines.ts';
import type { Synthesized } from './synthesize.ts';

/** How many custom metrics a stack has in a month. */
export type MetricCount = {
  /** Those of a month in which nothing special happens. */
  usual: number;
  /** All that the filters can make. */
  most: number;
};

/** A metric filter as the template has it. */
type Filter = {
  LogGroupName: { Ref: string };
  MetricTransformations: [{ MetricName: string; Dimensions?: { Key: string; Value: string }[] }];
};

/** The lines of a month in which nothing special happens, by the function that writes them. */
const USUAL: Record<string, readonly LineKind[]> = {
  receive: ['accepted', 'ignored'],
  event: ['acceptedEvent', 'ignoredEvent'],
  close: ['closed', 'alreadyEnded', 'waiting'],
  cleanup: ['run'],
};

/**
 * Counts the custom metrics. A metric is a name with the values of its dimensions. It is charged for each hour in
 * which a line adds to it.
 */
export function countMetrics({ configuration, template }: Synthesized, samples: SampleLines): MetricCount {
  const logs = logGroups(template);
  const lines = Object.entries(USUAL).flatMap(([name, kinds]) =>
    kinds.flatMap((kind) =>
      variantsOf(configuration, name, samples[kind]).map((text) => ({
        at: 0,
        logGroup: logs.get(name) ?? '',
        text,
      })),
    ),
  );
  lines.push(...canaryLines(logs, samples));
  const seen = collectMetrics({ lines, template, references: references(template) }).ids();
  const possible = filtersOf(template).flatMap((filter) => metricsOf(filter, logs, configuration));
  // No sample exists of the lines of other functions: they count with all that they can make.
  const others = filtersOf(template)
    .filter(({ LogGroupName: { Ref } }) => !Object.keys(USUAL).some((name) => logs.get(name) === Ref))
    .filter(({ LogGroupName: { Ref } }) => logs.get('access') !== Ref)
    .flatMap((filter) => metricsOf(filter, logs, configuration));
  return { usual: distinct([...seen.map(keyOf), ...others]), most: distinct(possible) };
}

function distinct(keys: readonly string[]): number {
  return new Set(keys).size;
}

function keyOf({ name, dimensions }: Pick<MetricId, 'name' | 'dimensions'>): string {
  return JSON.stringify([name, Object.entries(dimensions).sort()]);
}

/** The kinds of lines that follow from a run of the canary, by the function that writes them. */
const OF_CANARY: Record<string, readonly LineKind[]> = { receive: ['accepted'], close: ['canaryClose'] };

/** The canary's deliveries and closes, if the stack has one. Its connection is not in the configuration. */
function canaryLines(logs: Map<string, string>, samples: SampleLines) {
  if (!logs.has('canary')) return [];
  return Object.entries(OF_CANARY).flatMap(([name, kinds]) =>
    kinds.map((kind) => ({
      at: 0,
      logGroup: logs.get(name) ?? '',
      text: JSON.stringify({ ...JSON.parse(samples[kind]), canary: true }),
    })),
  );
}

/** A sample line once for each connection or project that can write it. */
function variantsOf(configuration: Configuration, name: string, text: string): string[] {
  const line = JSON.parse(text);
  if (name === 'cleanup') {
    return projectsOf(configuration, name).map((project) => JSON.stringify({ ...line, project }));
  }
  return connectionsOf(configuration, name).map((connection) =>
    JSON.stringify({ ...line, connection, project: configuration.connections[connection]?.polyai }),
  );
}

function connectionsOf({ connections }: Configuration, name: string): string[] {
  return Object.entries(connections)
    .filter(([, { crm }]) => name === 'close' || isOnBus(crm) === (name === 'event'))
    .map(([connection]) => connection);
}

function projectsOf({ projects }: Configuration, name: string): string[] {
  return Object.entries(projects)
    .filter(([, { cleanup }]) => name !== 'cleanup' || cleanup)
    .map(([project]) => project);
}

/** All metrics that a filter can make. */
function metricsOf(filter: Filter, logs: Map<string, string>, configuration: Configuration): string[] {
  const [{ MetricName: name, Dimensions = [] }] = filter.MetricTransformations;
  const log = [...logs].find(([, id]) => id === filter.LogGroupName.Ref)?.[0] ?? '';
  const combined = Dimensions.reduce<Record<string, string>[]>(
    (sets, { Key, Value }) =>
      sets.flatMap((set) => valuesOf(Value, log, configuration).map((value) => ({ ...set, [Key]: value }))),
    [{}],
  );
  return combined.map((dimensions) => keyOf({ name, dimensions }));
}

/** The values that a field of the lines can have in this stack. */
function valuesOf(field: string, log: string, configuration: Configuration): readonly string[] {
  switch (field) {
    case '$.service':
      return ['polyai-chat-closer'];
    case '$.connection':
      return connectionsOf(configuration, log);
    case '$.project':
      return projectsOf(configuration, log);
    case '$.outcome':
      return Object.keys(OUTCOMES);
    case '$.result':
      return log === 'close' ? CLOSE_RESULTS : DELIVERY_RESULTS;
    default:
      throw new Error(`The cost does not know the values of ${field}. Add them to scripts/cost/metrics.ts.`);
  }
}

function filtersOf(template: Template): Filter[] {
  return resourcesOf(template, 'AWS::Logs::MetricFilter').map(([, filter]) => filter as unknown as Filter);
}

/** The logical id of each log group, by the function that writes it. The gateway's is `access`. */
function logGroups(template: Template): Map<string, string> {
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
