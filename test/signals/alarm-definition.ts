import * as z from 'zod';
import { type References, resolve } from './template.ts';

const Dimensions = z.array(z.strictObject({ Name: z.string(), Value: z.string() })).default([]);
const Period = z.number().multipleOf(60).positive();
const Statistic = z.enum(['Sum', 'Average', 'Minimum', 'Maximum', 'SampleCount']);
const Percentile = z.string().startsWith('p');

const MetricStat = z.strictObject({
  Metric: z.strictObject({ Namespace: z.string(), MetricName: z.string(), Dimensions }),
  Period,
  Stat: z.union([Statistic, Percentile]),
  Unit: z.string().optional(),
});

const Query = z.strictObject({
  Id: z.string().regex(/^[a-z][A-Za-z0-9_]*$/),
  Label: z.string().optional(),
  ReturnData: z.boolean().default(true),
  Expression: z.string().optional(),
  MetricStat: MetricStat.optional(),
});

/** High-resolution periods, anomaly bands, wall clock windows and AWS's own low-sample rule are not supported. */
const Alarm = z.strictObject({
  AlarmName: z.string().optional(),
  ActionsEnabled: z.boolean().optional(),
  EvaluationPeriods: z.int().positive(),
  DatapointsToAlarm: z.int().positive().optional(),
  Threshold: z.number(),
  ComparisonOperator: z.enum([
    'GreaterThanOrEqualToThreshold',
    'GreaterThanThreshold',
    'LessThanThreshold',
    'LessThanOrEqualToThreshold',
  ]),
  TreatMissingData: z.enum(['missing', 'ignore', 'breaching', 'notBreaching']).default('missing'),
  EvaluateLowSampleCountPercentile: z.literal('evaluate').optional(),
  EvaluationWindow: z.strictObject({ SlidingWindow: z.strictObject({}) }).optional(),
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Dimensions,
  Statistic: Statistic.optional(),
  ExtendedStatistic: Percentile.optional(),
  Period: Period.optional(),
  Unit: z.string().optional(),
  Metrics: z.array(Query).min(1).max(10).optional(),
});

export type MetricStat = z.infer<typeof MetricStat>;
export type AlarmDefinition = z.infer<typeof Alarm> & {
  queries: z.infer<typeof Query>[];
  datapointsToAlarm: number;
  periodSeconds: number;
};

/** Properties that do not decide a state. They may refer to anything. */
const SILENT = ['AlarmActions', 'OKActions', 'InsufficientDataActions', 'AlarmDescription', 'Tags'];

/** A resource's properties without those that do not decide a state, references replaced. */
export function resolveAlarm(properties: Record<string, unknown>, references: References): unknown {
  const deciding = Object.entries(properties).filter(([name]) => !SILENT.includes(name));
  return resolve(Object.fromEntries(deciding), references);
}

/**
 * Reads the properties of an `AWS::CloudWatch::Alarm`.
 *
 * @throws for properties and values that it does not know, and for limits that CloudWatch enforces.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
 */
export function readAlarm(
  id: string,
  properties: Record<string, unknown>,
  references: References,
): AlarmDefinition {
  const parsed = Alarm.safeParse(resolveAlarm(properties, references));
  if (!parsed.success) throw new Error(`Alarm ${id}: ${z.prettifyError(parsed.error)}`);
  const alarm = parsed.data;
  const queries = alarm.Metrics ?? [singleMetric(id, alarm)];
  const periods = new Set(queries.flatMap(({ MetricStat }) => MetricStat?.Period ?? []));
  const [periodSeconds = 0] = periods;
  const datapointsToAlarm = alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods;
  const check = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`Alarm ${id}: ${what}`);
  };
  check(!alarm.Metrics || !alarm.MetricName, 'has Metrics and a MetricName.');
  check(periods.size === 1, 'its metrics must have one period.');
  check(
    queries.filter(({ ReturnData }) => ReturnData).length === 1,
    'exactly one of Metrics must return data.',
  );
  check(
    queries.every(({ Expression, MetricStat }) => (Expression === undefined) !== (MetricStat === undefined)),
    'each of Metrics needs either Expression or MetricStat.',
  );
  check(datapointsToAlarm <= alarm.EvaluationPeriods, 'DatapointsToAlarm exceeds EvaluationPeriods.');
  const days = (alarm.EvaluationPeriods * periodSeconds) / 86_400;
  check(
    days <= (periodSeconds >= 3600 ? 7 : 1),
    'its periods exceed a day, or seven for periods from an hour.',
  );
  return { ...alarm, queries, datapointsToAlarm, periodSeconds };
}

function singleMetric(id: string, alarm: z.infer<typeof Alarm>): z.infer<typeof Query> {
  const { Namespace, MetricName, Dimensions, Statistic, ExtendedStatistic, Period, Unit } = alarm;
  const Stat = Statistic ?? ExtendedStatistic;
  if (!Namespace || !MetricName || !Period || !Stat || (Statistic && ExtendedStatistic)) {
    throw new Error(
      `Alarm ${id}: needs Namespace, MetricName, Period, and one of Statistic and ExtendedStatistic.`,
    );
  }
  const Metric = { Namespace, MetricName, Dimensions };
  return { Id: 'm', ReturnData: true, MetricStat: { Metric, Period, Stat, ...(Unit ? { Unit } : {}) } };
}
