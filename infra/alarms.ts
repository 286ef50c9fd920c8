import { Duration } from 'aws-cdk-lib';
import {
  ComparisonOperator,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { OUTCOMES, Outcome } from '../functions/close/outcome.ts';
import type { Cleanup } from './cleanup.ts';
import type { CleanupConfiguration } from './cleanup-schedules.ts';
import { toMinutes } from './config/duration.ts';
import type { FunctionName } from './function.ts';
import { metricOf } from './metrics.ts';

/** What the alarms watch. What a stack does not have is left out, and so are its alarms. */
export type Watched = {
  closes: IQueue;
  deadLetters: IQueue;
  eventsDeadLetters?: IQueue;
  accessLog?: ILogGroup;
  functions: Partial<Record<FunctionName, IFunction & { logGroup: ILogGroup }>>;
  cleanup?: Pick<Cleanup, 'projects' | 'schedules'>;
};

/** The outcomes that are tried again and recover only when somebody acts. Others that need action are dead letters. */
type NeedingAction = {
  [O in Outcome]: (typeof OUTCOMES)[O] extends { next: 'retry'; needsAction: true } ? O : never;
}[Outcome];

/** The sections of docs/operations.md that alarms link to. */
type Section =
  | NeedingAction
  | 'cleanup-not-started'
  | 'dead-letters'
  | 'events-dead-letters'
  | 'faults'
  | 'gateway'
  | 'in-flight'
  | 'no-complete-cleanup'
  | 'oldest-open-chat';

/** An alarm: when it sounds, and what its message says. */
export type AlarmRule = {
  /** The construct's id, and the beginning of the alarm's logical id. */
  id: string;
  section: Section;
  /** A sentence: what is wrong when the alarm sounds. */
  what: string;
  metric: IMetric;
  /** 1 when left out. */
  threshold?: number;
  /** At or above the threshold when left out. */
  comparison?: ComparisonOperator;
  /** 1 when left out. */
  evaluationPeriods?: number;
  /** Missing data is fine when left out. */
  missing?: TreatMissingData;
};

const PERIOD = Duration.minutes(5);
/** All that was counted in one period. */
const EACH = { statistic: Stats.SUM, period: PERIOD };
/** SQS stops delivering at about 120,000 messages in flight. Closes in back-off are in flight. */
const IN_FLIGHT_LIMIT = 80_000;

const NEED_ACTION: Record<NeedingAction, { id: string; what: string }> = {
  unauthorized: { id: 'UnauthorizedAlarm', what: "PolyAI refuses a project's credentials." },
  misdirected: {
    id: 'MisdirectedAlarm',
    what: 'PolyAI does not know a project, or redirects: region, account or project is wrong.',
  },
  unknown_target: {
    id: 'UnknownTargetAlarm',
    what: 'Closes name a project or message version that is not deployed.',
  },
};

/**
 * Returns all alarms of a stack. A new alarm is one more object here and a section of docs/operations.md.
 *
 * @param scope a construct of the stack, whose name is a dimension of the metrics
 */
export function alarmsOf(scope: Construct, watched: Watched): AlarmRule[] {
  return [
    ...queueAlarms(watched),
    ...(watched.accessLog ? [gatewayAlarm(scope)] : []),
    ...outcomeAlarms(scope),
    ...functionAlarms(scope, watched.functions),
    ...(watched.cleanup ? cleanupAlarms(scope, watched.cleanup) : []),
  ];
}

function queueAlarms({ closes, deadLetters, eventsDeadLetters }: Watched): AlarmRule[] {
  const deepest = { period: PERIOD, statistic: Stats.MAXIMUM };
  return [
    {
      id: 'DeadLettersAlarm',
      section: 'dead-letters',
      what: 'Closes were given up or refused and wait in the dead-letter queue.',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible(deepest),
    },
    ...(eventsDeadLetters
      ? [
          {
            id: 'EventsDeadLettersAlarm',
            section: 'events-dead-letters' as const,
            what: 'Events of a bus could not be delivered or read and wait in their dead-letter queue.',
            metric: eventsDeadLetters.metricApproximateNumberOfMessagesVisible(deepest),
          },
        ]
      : []),
    {
      id: 'InFlightAlarm',
      section: 'in-flight',
      what: 'The close queue nears the number of messages in flight at which SQS stops delivering.',
      metric: closes.metricApproximateNumberOfMessagesNotVisible(deepest),
      threshold: IN_FLIGHT_LIMIT,
    },
  ];
}

/** The alarm for answers that the gateway gave without the receiver. */
function gatewayAlarm(scope: Construct): AlarmRule {
  return {
    id: 'GatewayAlarm',
    section: 'gateway',
    what: 'The gateway itself answered 429 or 5xx: webhooks did not reach the receiver.',
    metric: metricOf(scope, 'GatewayFailures', {}, EACH),
  };
}

function outcomeAlarms(scope: Construct): AlarmRule[] {
  const outcomes = Object.keys(NEED_ACTION) as NeedingAction[];
  return outcomes.map((outcome) => ({
    ...NEED_ACTION[outcome],
    section: outcome,
    metric: metricOf(scope, 'CloseAttempts', { outcome }, EACH),
  }));
}

/** One alarm for the faults that functions log, and one for each function that fails without a line. */
function functionAlarms(scope: Construct, functions: Watched['functions']): AlarmRule[] {
  const faults: AlarmRule = {
    id: 'FaultsAlarm',
    section: 'faults',
    what: 'A function met something unexpected.',
    metric: metricOf(scope, 'Faults', {}, EACH),
  };
  const errors = Object.entries(functions).map(([key, each]): AlarmRule => {
    const name = capitalize(key);
    return {
      id: `${name}ErrorsAlarm`,
      section: 'faults',
      what: `The function ${name} failed or ran out of time.`,
      metric: each.metricErrors(EACH),
    };
  });
  return [faults, ...errors];
}

function cleanupAlarms(
  scope: Construct,
  { projects, schedules }: NonNullable<Watched['cleanup']>,
): AlarmRule[] {
  const notStarted = new Metric({
    namespace: 'AWS/Scheduler',
    metricName: 'InvocationDroppedCount',
    dimensionsMap: { ScheduleGroup: schedules.groupName },
    statistic: Stats.SUM,
    period: PERIOD,
  });
  return [
    {
      id: 'CleanupNotStartedAlarm',
      section: 'cleanup-not-started',
      what: 'A scheduled cleanup could not be started.',
      metric: notStarted,
    },
    ...projects.flatMap(([project, cleanup]) => projectAlarms(scope, project, cleanup)),
  ];
}

function projectAlarms(
  scope: Construct,
  project: string,
  { alarmAfter, oldestOpenAlarm }: CleanupConfiguration,
): AlarmRule[] {
  const { period, evaluationPeriods } = spanOf(toMinutes(alarmAfter));
  const overdue: AlarmRule = {
    id: `Overdue ${project}`,
    section: 'no-complete-cleanup',
    what: `No cleanup of the project ${project} has seen all of its chats for ${alarmAfter}.`,
    metric: metricOf(scope, 'CleanupComplete', { project }, { statistic: Stats.MAXIMUM, period }),
    evaluationPeriods,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    missing: TreatMissingData.BREACHING,
  };
  if (!oldestOpenAlarm) return [overdue];
  const oldest: AlarmRule = {
    id: `Oldest open of ${project}`,
    section: 'oldest-open-chat',
    what: `A chat of the project ${project} has been open for more than ${oldestOpenAlarm}.`,
    metric: metricOf(scope, 'CleanupOldestOpen', { project }, { statistic: Stats.MAXIMUM, period: PERIOD }),
    threshold: toMinutes(oldestOpenAlarm) * 60,
    comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
    // The state stays between two runs.
    missing: TreatMissingData.IGNORE,
  };
  return [overdue, oldest];
}

/**
 * Returns a span that an alarm can look back on, at least as long as asked for. Periods below an hour may add up to
 * a day, longer ones to seven days.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
export function spanOf(minutes: number): { period: Duration; evaluationPeriods: number } {
  const period = minutes <= 60 ? 1 : minutes <= 24 * 60 ? 5 : 60;
  return { period: Duration.minutes(period), evaluationPeriods: Math.ceil(minutes / period) };
}

function capitalize(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
