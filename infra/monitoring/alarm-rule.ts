import { Duration } from 'aws-cdk-lib';
import { type ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { OUTCOMES, Outcome } from '../../functions/close/outcome.ts';

/** The outcomes that are tried again and recover only when somebody acts. Others that need action are dead letters. */
export type NeedingAction = {
  [O in Outcome]: (typeof OUTCOMES)[O] extends { next: 'retry'; needsAction: true } ? O : never;
}[Outcome];

/** The sections of docs/operations.md that alarms link to. */
export type Section =
  | NeedingAction
  | 'aging-dead-letters'
  | 'canary'
  | 'cleanup-not-started'
  | 'connection-refused'
  | 'dead-letters'
  | 'events-dead-letters'
  | 'faults'
  | 'flood'
  | 'gateway'
  | 'in-flight'
  | 'late-closes'
  | 'miss-rate'
  | 'no-complete-cleanup'
  | 'not-found'
  | 'oldest-open-chat'
  | 'silent-connection'
  | 'worker-stopped';

/** An alarm: when it goes off, and what its message says. */
export type AlarmRule = {
  /** The construct's id, and the beginning of the alarm's logical id. */
  id: string;
  section: Section;
  /** A sentence: what is affected. */
  affected: string;
  /** A sentence: what recovers automatically and until when. */
  heals: string;
  /** The command that shows the cause. */
  run: string;
  metric: IMetric;
  /** 1 when left out. */
  threshold?: number;
  /** At or above the threshold when left out. */
  comparison?: ComparisonOperator;
  /** 1 when left out. */
  evaluationPeriods?: number;
  /** How many of the periods must breach: all of them when left out. */
  datapointsToAlarm?: number;
  /** One of `MISSING`. */
  missing: TreatMissingData;
};

/** What a period without data says, named by the reason. */
export const MISSING = {
  /** Nothing happened, so nothing is wrong. */
  fine: TreatMissingData.NOT_BREACHING,
  /** Something must happen in every period, so nothing is wrong only if it did. */
  wrong: TreatMissingData.BREACHING,
  /** The next datapoint decides. Until then the state stays, so that an alarm on hourly tries does not flap. */
  undecided: TreatMissingData.IGNORE,
};

export const PERIOD = Duration.minutes(5);

/** The maximum that CloudWatch accepts in a description. */
const MAX_DESCRIPTION = 1024;

/**
 * The text of an alarm's message: what is affected, what recovers automatically, the command to run, and the runbook.
 *
 * @param runbook the address of docs/operations.md; the path in the repository without one
 * @throws {Error} when it is longer than CloudWatch accepts
 */
export function describe(
  { id, affected, heals, run, section }: AlarmRule,
  runbook = 'docs/operations.md',
): string {
  const text = `${affected} ${heals}\nRun: ${run}\nRunbook: ${runbook}#${section}`;
  if (text.length > MAX_DESCRIPTION) throw new Error(`The description of ${id} is too long: ${text.length}`);
  return text;
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
