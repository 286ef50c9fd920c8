import type { AlarmDefinition } from './alarm-definition.ts';
import type { Numbers } from './metric-math-values.ts';

export type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

type Rule = Pick<
  AlarmDefinition,
  'EvaluationPeriods' | 'datapointsToAlarm' | 'Threshold' | 'ComparisonOperator' | 'TreatMissingData'
>;

/**
 * The state that an alarm takes for the datapoints of its evaluation range, which is longer than its
 * evaluation periods: a real datapoint that is older counts before a missing one does.
 *
 * @param range one value or a gap for each period of the range, oldest first
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function nextState(rule: Rule, range: Numbers, current: State): State {
  const { EvaluationPeriods: periods, datapointsToAlarm: needed, TreatMissingData: missing } = rule;
  const present = range.filter((value) => value !== undefined).slice(-periods);
  const breaching = present.filter((value) => breaches(rule, value)).length;
  if (breaching >= needed) return 'ALARM';
  if (present.length === periods || missing === 'notBreaching') return 'OK';
  if (missing === 'breaching') return breaching + periods - present.length >= needed ? 'ALARM' : 'OK';
  if (present.length > breaching) return 'OK';
  if (missing === 'ignore') return current;
  return oldestAge(range) >= needed ? 'ALARM' : 'INSUFFICIENT_DATA';
}

/** The age in periods of the oldest datapoint, 1 for the newest period, 0 without any. */
function oldestAge(range: Numbers): number {
  const index = range.findIndex((value) => value !== undefined);
  return index === -1 ? 0 : range.length - index;
}

function breaches({ ComparisonOperator, Threshold }: Rule, value: number): boolean {
  switch (ComparisonOperator) {
    case 'GreaterThanOrEqualToThreshold':
      return value >= Threshold;
    case 'GreaterThanThreshold':
      return value > Threshold;
    case 'LessThanThreshold':
      return value < Threshold;
    case 'LessThanOrEqualToThreshold':
      return value <= Threshold;
  }
}
