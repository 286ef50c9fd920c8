import type { Duration } from 'aws-cdk-lib';
import { Stack } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { NAMESPACE } from '../../functions/metrics.ts';

/** The metrics that are made from the lines, each with its sets of dimensions besides `service`. */
export const DIMENSIONS = {
  AnswerTime: [['connection']],
  CanaryHealthy: [[]],
  CleanupComplete: [['project']],
  CleanupOldestOpen: [['project']],
  CleanupOpen: [['project']],
  CleanupQueued: [['project']],
  CleanupStale: [['project']],
  CloseAge: [['project']],
  CloseAttempts: [['outcome']],
  CloseLate: [['project']],
  Closes: [
    ['connection', 'result'],
    ['project', 'outcome'],
  ],
  Deliveries: [['connection', 'result']],
  Faults: [[]],
  GatewayFailures: [[]],
  MissedByWebhook: [['project']],
  WrongProofs: [['connection']],
} as const satisfies Record<string, readonly (readonly string[])[]>;

export type MetricName = keyof typeof DIMENSIONS;

type Aggregation = { period: Duration; statistic?: string };

/**
 * A metric of this stack that is made from its lines.
 *
 * @param dimensions its dimensions besides `service`, exactly as the filter has them
 * @param aggregation the sum of each period unless it names another statistic
 */
export function lineMetric(
  scope: Construct,
  metricName: MetricName,
  dimensions: Record<string, string>,
  { period, statistic = Stats.SUM }: Aggregation,
): Metric {
  const dimensionsMap = { service: Stack.of(scope).stackName, ...dimensions };
  return new Metric({ namespace: NAMESPACE, metricName, dimensionsMap, statistic, period });
}

/**
 * The verified deliveries of a connection in each period: 0 in a period without one. A filter's metric with dimensions
 * has no datapoint there, so gaps are filled.
 */
export const VERIFIED = 'FILL(accepted, 0) + FILL(ignored, 0)';

export function verifiedOf(scope: Construct, connection: string, period: Duration): Record<string, Metric> {
  const deliveries = (result: string) => lineMetric(scope, 'Deliveries', { connection, result }, { period });
  return { accepted: deliveries('accepted'), ignored: deliveries('ignored') };
}

/** A metric of other metrics, whose ids the expression names. */
export function expression(
  text: string,
  usingMetrics: Record<string, Metric>,
  label: string,
  period: Duration,
): MathExpression {
  return new MathExpression({ expression: text, usingMetrics, label, period });
}
