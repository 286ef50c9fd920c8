import * as z from 'zod';
import { parseJson } from './json-field.ts';
import type { MetricStore } from './metrics.ts';

/** A line of a log group. `at` is in epoch milliseconds. */
export type LogLine = { at: number; logGroup: string; text: string };

const PAST_MS = 14 * 24 * 3_600_000;
const FUTURE_MS = 2 * 3_600_000;

const Metadata = z.strictObject({
  Timestamp: z.int().positive(),
  CloudWatchMetrics: z.array(
    z.strictObject({
      Namespace: z.string().min(1).max(1024),
      Dimensions: z.array(z.array(z.string().min(1)).max(30)).min(1),
      Metrics: z.array(
        z.strictObject({
          Name: z.string().min(1),
          Unit: z.string().optional(),
          StorageResolution: z.literal(60).optional(),
        }),
      ),
    }),
  ),
});

const Values = z.union([z.number().transform((value) => [value]), z.array(z.number()).min(1).max(100)]);

/**
 * Adds what a line says in embedded metric format, if anything. CloudWatch drops what is malformed without a
 * word; here it throws: a value or a dimension that is named but not in the line, a time that is far from the
 * line's own (CloudWatch takes two weeks in the past and two hours in the future).
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function addEmbeddedMetrics(store: MetricStore, line: LogLine): void {
  const event = parseJson(line.text);
  if (event?._aws === undefined) return;
  const { Timestamp: at, CloudWatchMetrics } = Metadata.parse(event._aws);
  if (at < line.at - PAST_MS || at > line.at + FUTURE_MS) {
    throw new Error(`The metrics' time ${at} is too far from the line's, ${line.at}: ${line.text}`);
  }
  for (const { Namespace: namespace, Dimensions, Metrics } of CloudWatchMetrics) {
    for (const names of Dimensions) {
      const dimensions = dimensionsOf(event, names);
      for (const { Name: name, Unit } of Metrics) {
        const values = Values.safeParse(event[name]);
        if (!values.success) throw new Error(`The line has no number ${name}: ${line.text}`);
        for (const value of values.data) store.add({ namespace, name, dimensions }, at, value, Unit);
      }
    }
  }
}

function dimensionsOf(event: Record<string, unknown>, names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const value = event[name];
      if (typeof value === 'string' && value !== '') return [name, value];
      throw new Error(`The line has no text for the dimension ${name}: ${JSON.stringify(event)}`);
    }),
  );
}
