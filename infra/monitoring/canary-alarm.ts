import { Stack } from 'aws-cdk-lib';
import { ComparisonOperator, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { NAMESPACE } from '../metrics.ts';
import { type AlarmRule, MISSING, spanOf } from './alarm-rule.ts';
import { tail, type Watched } from './watched.ts';

/** Two runs in a row may be late or fail without an alarm. */
const RUNS = 3;

/** The alarm for a canary that failed or did not run; none without a canary. */
export function canaryAlarm(scope: Construct, { canary, functions }: Watched): AlarmRule[] {
  if (!canary) return [];
  const { period, evaluationPeriods } = spanOf(RUNS * canary.everyMinutes);
  return [
    {
      id: 'CanaryAlarm',
      section: 'canary',
      affected:
        'The canary has not gone through from the gateway to PolyAI, so chats may not be closed either.',
      heals: 'It ends with the next healthy run; the canary itself closes nothing.',
      run: tail(functions.close.logGroup, '{ $.canary IS TRUE }'),
      metric: new Metric({
        namespace: NAMESPACE,
        metricName: 'CanaryHealthy',
        dimensionsMap: { service: Stack.of(scope).stackName },
        statistic: Stats.MAXIMUM,
        period,
      }),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods,
      missing: MISSING.wrong,
    },
  ];
}
