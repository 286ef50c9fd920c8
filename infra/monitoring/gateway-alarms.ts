import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { metricOf } from '../metrics.ts';
import { type AlarmRule, MISSING, PERIOD } from './alarm-rule.ts';
import { tail, type Watched } from './watched.ts';

/** The alarms on what reaches the API; none without an API. */
export function gatewayAlarms(scope: Construct, { configuration, gateway }: Watched): AlarmRule[] {
  if (!gateway) return [];
  const { thresholds } = configuration.stack.alarms;
  return [
    {
      id: 'GatewayAlarm',
      section: 'gateway',
      affected: 'The gateway itself answered 429 or 5xx: webhooks did not reach the receiver.',
      heals: 'Most CRMs send such a delivery again, for minutes or hours; Zendesk does not.',
      run: tail(gateway.accessLog, '{ $.status = "429" || $.status = "5*" }'),
      metric: metricOf(scope, 'GatewayFailures', {}, { statistic: Stats.SUM, period: PERIOD }),
      threshold: thresholds.GatewayAlarm,
      missing: MISSING.fine,
    },
    {
      id: 'FloodAlarm',
      section: 'flood',
      affected: `The API got ${thresholds.FloodAlarm.toLocaleString('en')} requests or more in five minutes, which cost money and may crowd out webhooks.`,
      heals: 'It ends with the flood, and no forged delivery closes a chat.',
      run: tail(gateway.accessLog, '{ $.type = "access" }'),
      metric: gateway.api.metricCount({ period: PERIOD, statistic: Stats.SUM }),
      threshold: thresholds.FloodAlarm,
      missing: MISSING.fine,
    },
  ];
}
