import { Stack } from 'aws-cdk-lib';
import { Metric, type MetricProps, Unit } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type IFilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { type FieldOf, type LineType, WRONG_PROOFS } from '../functions/line.ts';

/** The namespace of every metric of ours. */
export const NAMESPACE = 'PolyAIChatCloser';

/** The log groups whose lines are counted. `access` is the gateway's. */
export type LogName = 'receive' | 'event' | 'close' | 'cleanup' | 'canary' | 'access';

/** A field that can be a dimension: it has few values, and none that a stranger chooses. */
type Dimension = 'connection' | 'result' | 'project' | 'outcome';

/** One way of counting lines: which ones, what each adds, and by what it is told apart. */
type Measure = {
  logs: readonly LogName[];
  /** The lines that count. A line without one of the dimensions does not count. */
  lines: IFilterPattern;
  /** The number that a line adds. A line without the field adds nothing. */
  value: '1' | `$.${string}`;
  /** Dimensions after `service`. */
  by: readonly Dimension[];
  /** The stack must have this log, too. */
  needs?: LogName;
};

export type Definition = {
  /** What it measures, for docs/operations.md. */
  meaning: string;
  unit: Unit;
  measures: readonly Measure[];
};

const { all, any, exists, notExists, stringValue, booleanValue } = FilterPattern;

/** Lines of a type that have these dimensions, without the canary's, which count only in its own metrics. */
function lines<Type extends LineType>(
  type: Type,
  fields: readonly FieldOf<Type>[],
  ...more: ReturnType<typeof exists>[]
): IFilterPattern {
  return all(
    stringValue('$.type', '=', type),
    ...fields.map((field) => exists(`$.${field}`)),
    ...more,
    notExists('$.canary'),
  );
}

function is<Type extends LineType>(_type: Type, field: FieldOf<Type>, ...values: readonly string[]) {
  return any(...values.map((value) => stringValue(`$.${field}`, '=', value)));
}

/** A metric of a project's cleanup runs. */
function ofRun(meaning: string, field: FieldOf<'cleanup'>, unit = Unit.COUNT) {
  const measure = {
    logs: ['cleanup'],
    lines: lines('cleanup', ['project']),
    by: ['project'],
  } as const;
  return { meaning, unit, measures: [{ ...measure, value: `$.${field}` }] } as const satisfies Definition;
}

/** A metric of the canary's `close` lines. A stranger who calls the canary's address makes no such line. */
function ofCanary(meaning: string, field: FieldOf<'close'>, unit: Unit) {
  const measure = {
    logs: ['close'],
    lines: all(stringValue('$.type', '=', 'close'), exists('$.healthy')),
    by: [],
    needs: 'canary',
  } as const;
  return { meaning, unit, measures: [{ ...measure, value: `$.${field}` }] } as const satisfies Definition;
}

/**
 * Every metric. All are made by metric filters over the log lines, so that no number can disagree with a line. A
 * filter with dimensions cannot have a default value: without lines there is no data.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
 */
export const METRICS = {
  Deliveries: {
    meaning: 'webhooks and events. Handshakes and unknown addresses do not count',
    unit: Unit.COUNT,
    measures: [
      {
        logs: ['receive', 'event'],
        lines: lines('delivery', ['connection', 'result']),
        value: '1',
        by: ['connection', 'result'],
      },
    ],
  },
  WrongProofs: {
    meaning: 'refused webhooks whose proof was complete but wrong',
    unit: Unit.COUNT,
    measures: [
      {
        logs: ['receive'],
        lines: lines('delivery', ['connection'], is('delivery', 'refused', ...WRONG_PROOFS)),
        value: '1',
        by: ['connection'],
      },
    ],
  },
  AnswerTime: {
    meaning: "time from a webhook's arrival at the gateway to the answer",
    unit: Unit.MILLISECONDS,
    measures: [
      {
        logs: ['receive'],
        lines: lines('delivery', ['connection']),
        value: '$.answer_ms',
        by: ['connection'],
      },
    ],
  },
  Closes: {
    meaning: 'attempts. An unfinished one has the result `waiting`',
    unit: Unit.COUNT,
    measures: [
      {
        logs: ['close'],
        lines: lines('close', ['connection', 'result']),
        value: '1',
        by: ['connection', 'result'],
      },
      {
        logs: ['close'],
        lines: lines('close', ['project', 'outcome']),
        value: '1',
        by: ['project', 'outcome'],
      },
    ],
  },
  CloseAttempts: {
    meaning: 'attempts of all projects',
    unit: Unit.COUNT,
    measures: [{ logs: ['close'], lines: lines('close', ['outcome']), value: '1', by: ['outcome'] }],
  },
  CloseAge: {
    meaning: 'time from receipt to the final outcome',
    unit: Unit.MILLISECONDS,
    measures: [
      {
        logs: ['close'],
        lines: lines(
          'close',
          ['project'],
          booleanValue('$.final', true),
          stringValue('$.outcome', '!=', 'resolved'),
        ),
        value: '$.age_ms',
        by: ['project'],
      },
    ],
  },
  CloseLate: {
    meaning: '1 for an attempt that leaves a close unfinished 15 minutes or more after its first, else 0',
    unit: Unit.COUNT,
    measures: [{ logs: ['close'], lines: lines('close', ['project']), value: '$.late', by: ['project'] }],
  },
  MissedByWebhook: {
    meaning: 'chats that only a cleanup closed',
    unit: Unit.COUNT,
    measures: [
      {
        logs: ['close'],
        lines: lines(
          'close',
          ['project'],
          is('close', 'outcome', 'closed'),
          is('close', 'source', 'cleanup'),
        ),
        value: '1',
        by: ['project'],
      },
    ],
  },
  CleanupComplete: {
    meaning: 'complete runs',
    unit: Unit.COUNT,
    measures: [
      {
        logs: ['cleanup'],
        lines: lines('cleanup', ['project'], booleanValue('$.complete', true)),
        value: '1',
        by: ['project'],
      },
    ],
  },
  CleanupOpen: ofRun('as `open` in the `cleanup` line', 'open'),
  CleanupStale: ofRun('as `stale` in the `cleanup` line', 'stale'),
  CleanupQueued: ofRun('as `queued` in the `cleanup` line', 'queued'),
  CleanupOldestOpen: ofRun(
    'age of the oldest open chat that may be closed; 0 if a complete run found none',
    'oldest_open_s',
    Unit.SECONDS,
  ),
  CanaryHealthy: ofCanary(
    'the canary’s closes: 1 where the whole chain works, else 0. A run that stops on its way has no value',
    'healthy',
    Unit.COUNT,
  ),
  CanaryHopAnswer: {
    meaning: 'time from the canary’s delivery to the answer, as a CRM sees it',
    unit: Unit.MILLISECONDS,
    measures: [
      {
        logs: ['canary'],
        lines: all(stringValue('$.type', '=', 'canary'), exists('$.answer_ms')),
        value: '$.answer_ms',
        by: [],
      },
    ],
  },
  CanaryHopQueue: ofCanary(
    'time that the canary’s close waited in the queue',
    'queued_ms',
    Unit.MILLISECONDS,
  ),
  CanaryHopPolyAI: ofCanary('duration of the canary’s attempt at PolyAI', 'took_ms', Unit.MILLISECONDS),
  Faults: {
    meaning: '`fault` lines of all functions',
    unit: Unit.COUNT,
    measures: [
      {
        logs: ['receive', 'event', 'close', 'cleanup'],
        lines: stringValue('$.type', '=', 'fault'),
        value: '1',
        by: [],
      },
    ],
  },
  GatewayFailures: {
    meaning: '429 and 5xx answers from the gateway itself',
    unit: Unit.COUNT,
    measures: [
      {
        logs: ['access'],
        lines: any(
          stringValue('$.status', '=', '429'),
          all(stringValue('$.status', '=', '5*'), stringValue('$.integrationStatus', '!=', '5*')),
        ),
        value: '1',
        by: [],
      },
    ],
  },
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof METRICS;

type MeasureOf<Name extends MetricName> = (typeof METRICS)[Name]['measures'][number];
/** The dimensions of a metric besides `service`: one set for each way of counting. */
export type DimensionsOf<Name extends MetricName> =
  MeasureOf<Name> extends infer Each
    ? Each extends { by: readonly (infer By extends string)[] }
      ? Record<By, string>
      : never
    : never;

/** A metric of this stack, for an alarm or a graph. */
export function metricOf<Name extends MetricName>(
  scope: Construct,
  name: Name,
  dimensions: DimensionsOf<Name>,
  options: Pick<MetricProps, 'statistic' | 'period' | 'label' | 'color'> = {},
): Metric {
  return new Metric({
    namespace: NAMESPACE,
    metricName: name,
    dimensionsMap: { service: Stack.of(scope).stackName, ...(dimensions as Record<string, string>) },
    ...options,
  });
}

/**
 * Creates the filters that make the metrics, for the log groups that the stack has. The filters of one metric feed
 * the same metric.
 */
export function createMetricFilters(scope: Construct, logs: Partial<Record<LogName, ILogGroup>>): void {
  for (const [name, { unit, measures }] of Object.entries<Definition>(METRICS)) {
    for (const { logs: from, lines: filterPattern, value, by, needs } of measures) {
      if (needs && !logs[needs]) continue;
      for (const log of from) {
        const logGroup = logs[log];
        if (!logGroup) continue;
        new MetricFilter(scope, [name, ...by, log].map(capitalize).join(''), {
          logGroup,
          filterPattern,
          metricNamespace: NAMESPACE,
          metricName: name,
          metricValue: value,
          unit,
          dimensions: Object.fromEntries(['service', ...by].map((field) => [field, `$.${field}`])),
        });
      }
    }
  }
}

function capitalize(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
