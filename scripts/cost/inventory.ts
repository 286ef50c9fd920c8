import { rateInMinutes } from '../../infra/config/duration.ts';
import { resourcesOf, type Template } from '../../test/signals/template.ts';
import { HOURS } from './assumed.ts';

/** What a template has that costs money, whatever the traffic. */
export type Inventory = {
  secrets: number;
  /** The metrics that all alarms watch. */
  alarmMetrics: number;
  compositeAlarms: number;
  dashboards: number;
  keys: number;
  /** Queues that feed a function. Lambda polls them while they are empty. */
  fedQueues: number;
  /** Memory of each function in MB, by the name in lower case: `receive`, `close`, … */
  memory: Record<string, number>;
  /** Runs a month that a schedule starts, by function. */
  scheduledRuns: Record<string, number>;
  /** The most workers at once. */
  workers: number;
  retentionDays: number;
};

type Properties = Record<string, unknown>;

/** Counts what costs money in a synthesised template. */
export function takeInventory(template: Template): Inventory {
  const count = (type: string) => resourcesOf(template, type).length;
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(([, alarm]) => alarm);
  const functions = resourcesOf(template, 'AWS::Lambda::Function');
  const retentions = resourcesOf(template, 'AWS::Logs::LogGroup').map(([, group]) =>
    Number(group.RetentionInDays),
  );
  return {
    secrets: count('AWS::SecretsManager::Secret'),
    alarmMetrics: alarms.reduce((sum, alarm) => sum + metricsOf(alarm), 0),
    compositeAlarms: count('AWS::CloudWatch::CompositeAlarm'),
    dashboards: count('AWS::CloudWatch::Dashboard'),
    keys: count('AWS::KMS::Key'),
    fedQueues: count('AWS::Lambda::EventSourceMapping'),
    memory: Object.fromEntries(
      functions.map(([id, { MemorySize }]) => [functionName(id), Number(MemorySize)]),
    ),
    scheduledRuns: scheduledRuns(template),
    workers: workersOf(template),
    retentionDays: Math.max(...retentions),
  };
}

/** An alarm over an expression costs as much as the metrics that it reads. */
function metricsOf({ Metrics }: Properties): number {
  return Array.isArray(Metrics) ? Metrics.filter((each) => 'MetricStat' in each).length : 1;
}

/** `ReceiveFunction1A2B3C4D` is `receive`. */
export function functionName(logicalId: string): string {
  return logicalId.replace(/Function.*$/, '').toLowerCase();
}

function scheduledRuns(template: Template): Record<string, number> {
  const runs: Record<string, number> = {};
  for (const [expression, arn] of schedulesOf(template)) {
    const name = functionName(idOf(arn));
    runs[name] = (runs[name] ?? 0) + runsAMonth(expression);
  }
  return runs;
}

/** The expression of every schedule, and the ARN of its function. */
function schedulesOf(template: Template): [expression: unknown, arn: unknown][] {
  const schedules = resourcesOf(template, 'AWS::Scheduler::Schedule').map(
    ([, { ScheduleExpression, Target }]): [unknown, unknown] => [
      ScheduleExpression,
      (Target as Properties).Arn,
    ],
  );
  const rules = resourcesOf(template, 'AWS::Events::Rule').flatMap(
    ([, { ScheduleExpression, Targets }]): [unknown, unknown][] =>
      ScheduleExpression ? (Targets as Properties[]).map(({ Arn }) => [ScheduleExpression, Arn]) : [],
  );
  return [...schedules, ...rules];
}

/** The runs of a `rate(…)`. A `cron(…)` counts as hourly. */
function runsAMonth(expression: unknown): number {
  const minutes = rateInMinutes(expression);
  return (HOURS * 60) / (Number.isNaN(minutes) ? 60 : minutes);
}

/** The logical id in `{ "Fn::GetAtt": [id, "Arn"] }`. */
function idOf(arn: unknown): string {
  const parts = (arn as { 'Fn::GetAtt'?: string[] } | undefined)?.['Fn::GetAtt'];
  if (!parts?.[0]) throw new Error(`The cost does not know which function ${JSON.stringify(arn)} is.`);
  return parts[0];
}

function workersOf(template: Template): number {
  const found = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').find(([id]) =>
    id.startsWith('Close'),
  );
  const { MaximumConcurrency } = (found?.[1].ScalingConfig ?? {}) as { MaximumConcurrency?: number };
  if (!MaximumConcurrency) throw new Error('The template has no worker with a maximum concurrency.');
  return MaximumConcurrency;
}
