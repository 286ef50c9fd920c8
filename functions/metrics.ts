import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Line } from './log.ts';
import type { Outcome } from './outcome.ts';

export const NAMESPACE = 'PolyAIChatCloser';
/** Counted by stack (`service`) and outcome, and by stack and project. */
export const CLOSE_ATTEMPTS = 'CloseAttempts';

/**
 * Makes a log line count as a metric too, by CloudWatch's embedded metric format: one line, both records.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function withMetrics(line: Line, outcome: Outcome, project: string | undefined): Line {
  const metrics = new Metrics({ namespace: NAMESPACE });
  metrics.addDimension('outcome', outcome);
  if (project) metrics.addDimensions({ project });
  metrics.addMetric(CLOSE_ATTEMPTS, MetricUnit.Count, 1);
  return { ...line, ...metrics.serializeMetrics() };
}
