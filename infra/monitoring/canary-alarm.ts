import { ComparisonOperator, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type AlarmRule, MISSING, spanOf } from './alarm-rule.ts';
import { lineMetric } from './metric.ts';
import { tail, type Watched } from './watched.ts';

/** One run may be late or fail without an alarm. */
const RUNS = 2;
/** The time that a close needs to reach its line. */
const MARGIN_MINUTES = 5;

/** The alarm for a canary that failed or did not run; none without a canary. */
export function canaryAlarm(scope: Construct, { canary, functions }: Watched): AlarmRule[] {
  if (!canary) return [];
  const { period, evaluationPeriods } = spanOf(RUNS * canary.everyMinutes + MARGIN_MINUTES);
  return [
    {
      id: 'CanaryAlarm',
      section: 'canary',
      affected:
        'The canary has not gone through from the gateway to PolyAI, so chats may not be closed either.',
      heals: 'It ends with the next healthy run; the canary itself closes nothing.',
      run: tail(functions.close.logGroup, '{ $.canary IS TRUE }'),
      metric: lineMetric(scope, 'CanaryHealthy', {}, { period, statistic: Stats.MAXIMUM }),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods,
      missing: MISSING.wrong,
    },
  ];
}
