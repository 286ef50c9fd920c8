import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Line } from './log.ts';

export const NAMESPACE = 'PolyAIChatCloser';
/** The metric of attempts. Its dimensions are stack (`service`) and outcome, and stack and project. */
export const CLOSE_ATTEMPTS = 'CloseAttempts';

/**
 * Adds metrics to the log line of an attempt, in CloudWatch's embedded metric format.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function withMetrics(line: Line, outcome: string, project: string | undefined): Line {
  const metrics = new Metrics({ namespace: NAMESPACE });
  metrics.addDimension('outcome', outcome);
  if (project) metrics.addDimensions({ project });
  metrics.addMetric(CLOSE_ATTEMPTS, MetricUnit.Count, 1);
  return { ...line, ...metrics.serializeMetrics() };
}

/** Metrics of a cleanup run, whose dimensions are stack and project. The alarms and docs/operations.md use these names. */
export const CLEANUP_COMPLETE = 'CleanupComplete';
export const CLEANUP_OLDEST_OPEN = 'CleanupOldestOpen';

/**
 * Adds metrics to the log line of a cleanup run.
 *
 * @param counts whole numbers by metric name
 * @param oldestOpenSeconds age of the oldest open chat; `undefined` if it is not known
 */
export function withRunMetrics(
  line: Line,
  project: string,
  counts: Record<string, number>,
  oldestOpenSeconds: number | undefined,
): Line {
  const metrics = new Metrics({ namespace: NAMESPACE });
  metrics.addDimensions({ project });
  for (const [name, count] of Object.entries(counts)) metrics.addMetric(name, MetricUnit.Count, count);
  if (oldestOpenSeconds !== undefined) {
    metrics.addMetric(CLEANUP_OLDEST_OPEN, MetricUnit.Seconds, oldestOpenSeconds);
  }
  return { ...line, ...metrics.serializeMetrics() };
}
