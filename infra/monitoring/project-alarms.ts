import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { CleanupConfiguration } from '../cleanup-schedules.ts';
import { toMinutes } from '../config/duration.ts';
import { metricOf } from '../metrics.ts';
import { type AlarmRule, MISSING, PERIOD, spanOf } from './alarm-rule.ts';
import { command, tail, type Watched } from './watched.ts';

const DAY = Duration.days(1);
/** An hour and a quarter: more than the longest wait between two attempts, which is 72 minutes. */
const LONGEST_WAIT_PERIODS = 15;

/** The alarms of each project: that its closes are late, and those of its cleanup. */
export function projectAlarms(scope: Construct, watched: Watched): AlarmRule[] {
  return [
    ...Object.keys(watched.configuration.projects).map((project) => lateAlarm(scope, watched, project)),
    ...(watched.cleanup ? [notStartedAlarm(watched.cleanup)] : []),
    ...(watched.cleanup?.projects ?? []).flatMap(([project, cleanup]) => [
      overdueAlarm(scope, watched, project, cleanup),
      ...oldestOpenAlarm(scope, watched, project, cleanup),
      ...missRateAlarm(scope, watched, project),
    ]),
  ];
}

/**
 * The worker's lines say 1 for an unfinished attempt 15 minutes or more after the first, else 0. New closes say 0 even
 * while older ones wait, so one late attempt counts until the next one is due. A period without lines is 0: without
 * FILL, CloudWatch looks further back and the alarm flaps.
 */
function lateAlarm(scope: Construct, watched: Watched, project: string): AlarmRule {
  const late = metricOf(scope, 'CloseLate', { project }, { period: PERIOD, statistic: Stats.MAXIMUM });
  return {
    id: `LateClosesAlarm ${project}`,
    section: 'late-closes',
    affected: `Closes of the project ${project} have failed for 15 minutes or more: its chats are closed late.`,
    heals:
      'Each is tried again for 74 hours after its first attempt, and succeeds within an hour of the recovery.',
    run: command(watched, 'status'),
    metric: new MathExpression({
      expression: 'FILL(late, 0)',
      usingMetrics: { late },
      label: 'Late attempts',
      period: PERIOD,
    }),
    evaluationPeriods: LONGEST_WAIT_PERIODS,
    datapointsToAlarm: 1,
    missing: MISSING.undecided,
  };
}

function notStartedAlarm({ schedules }: NonNullable<Watched['cleanup']>): AlarmRule {
  return {
    id: 'CleanupNotStartedAlarm',
    section: 'cleanup-not-started',
    affected: 'A scheduled cleanup could not be started.',
    heals: 'The next run looks for the same chats.',
    run: `aws scheduler list-schedules --group-name ${schedules.groupName}`,
    metric: new Metric({
      namespace: 'AWS/Scheduler',
      metricName: 'InvocationDroppedCount',
      dimensionsMap: { ScheduleGroup: schedules.groupName },
      statistic: Stats.SUM,
      period: PERIOD,
    }),
    missing: MISSING.fine,
  };
}

function overdueAlarm(
  scope: Construct,
  watched: Watched,
  project: string,
  { alarmAfter }: CleanupConfiguration,
): AlarmRule {
  const { period, evaluationPeriods } = spanOf(toMinutes(alarmAfter));
  return {
    id: `Overdue ${project}`,
    section: 'no-complete-cleanup',
    affected: `No cleanup of the project ${project} has seen all of its chats for ${alarmAfter}.`,
    heals: 'It ends with the next complete run, which looks for the same chats.',
    run: command(watched, `cleanup ${project} --dry-run`),
    metric: metricOf(scope, 'CleanupComplete', { project }, { period, statistic: Stats.MAXIMUM }),
    evaluationPeriods,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    missing: MISSING.wrong,
  };
}

function oldestOpenAlarm(
  scope: Construct,
  watched: Watched,
  project: string,
  { oldestOpenAlarm: limit }: CleanupConfiguration,
): AlarmRule[] {
  if (!limit) return [];
  return [
    {
      id: `Oldest open of ${project}`,
      section: 'oldest-open-chat',
      affected: `A chat of the project ${project} has been open for more than ${limit}.`,
      heals: 'It ends when a run finds no chat that is older.',
      run: command(watched, `open ${project}`),
      metric: metricOf(scope, 'CleanupOldestOpen', { project }, { period: PERIOD, statistic: Stats.MAXIMUM }),
      threshold: toMinutes(limit) * 60,
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      missing: MISSING.undecided,
    },
  ];
}

/** The percentage of a day's closed chats that only the cleanup closed. A day without closes is fine. */
function missRateAlarm(
  scope: Construct,
  { configuration, functions }: Watched,
  project: string,
): AlarmRule[] {
  const { MissRateAlarm: limit } = configuration.stack.alarms.thresholds;
  if (limit === undefined) return [];
  const daily = { statistic: Stats.SUM, period: DAY };
  const usingMetrics = {
    missed: metricOf(scope, 'MissedByWebhook', { project }, daily),
    closed: metricOf(scope, 'Closes', { project, outcome: 'closed' }, daily),
  };
  return [
    {
      id: `MissRateAlarm ${project}`,
      section: 'miss-rate',
      affected: `The cleanup closed ${limit} % or more of a day's chats of the project ${project}: no delivery did.`,
      heals: 'The cleanup closes these chats, hours later, until the connection is repaired.',
      run: tail(functions.close.logGroup, `{ $.project = "${project}" && $.source = "cleanup" }`),
      metric: new MathExpression({
        expression: '100 * FILL(missed, 0) / closed',
        usingMetrics,
        label: 'Miss rate in percent',
        period: DAY,
      }),
      threshold: limit,
      missing: MISSING.fine,
    },
  ];
}
