import type { Duration } from 'aws-cdk-lib';
import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { metricOf } from '../metrics.ts';

/**
 * The verified deliveries of a connection in each period: 0 in a period without one. A filter's metric with dimensions
 * has no datapoint there, so gaps are filled.
 */
export const VERIFIED = 'FILL(accepted, 0) + FILL(ignored, 0)';

/** The metrics that `VERIFIED` names. */
export function verifiedOf(scope: Construct, connection: string, period: Duration): Record<string, Metric> {
  const deliveries = (result: string) =>
    metricOf(scope, 'Deliveries', { connection, result }, { statistic: Stats.SUM, period });
  return { accepted: deliveries('accepted'), ignored: deliveries('ignored') };
}
