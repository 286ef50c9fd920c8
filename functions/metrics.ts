import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Outcome } from './close/outcome.ts';
import type { Line } from './log.ts';

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

/** Of one run of cleanup, by stack and project. The names are those of the alarms and of docs/operations.md. */
export const CLEANUP_COMPLETE = 'CleanupComplete';
export const CLEANUP_OLDEST_OPEN = 'CleanupOldestOpen';

/** Makes the line of a run count: whole numbers, and the age of the oldest open chat in seconds where it is known. */
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
