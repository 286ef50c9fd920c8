import * as z from 'zod';
import type { LogLine } from './emf.ts';
import { compilePattern } from './filter-pattern.ts';
import { parseJson, selectField } from './json-field.ts';
import type { MetricStore } from './metrics.ts';
import { type References, resolve, resourcesOf, type Template } from './template.ts';

const MINUTE_MS = 60_000;

const Transformation = z.strictObject({
  MetricNamespace: z.string(),
  MetricName: z.string(),
  MetricValue: z.string().regex(/^(\$.+|-?\d+(\.\d+)?)$/),
  // For other values AWS does not say whether they count once a minute or once a line.
  DefaultValue: z.literal(0).optional(),
  Unit: z.string().optional(),
  Dimensions: z
    .array(z.strictObject({ Key: z.string(), Value: z.string().startsWith('$') }))
    .min(1)
    .max(3)
    .optional(),
});

const Filter = z.strictObject({
  FilterName: z.string().optional(),
  LogGroupName: z.string(),
  FilterPattern: z.string(),
  MetricTransformations: z.tuple([Transformation]),
});

type Filter = z.infer<typeof Filter>;

/**
 * Adds what the template's metric filters make of the lines. A matching line without the number or a field of
 * a dimension gives no datapoint. A minute with lines but without a match gives the default value, if any.
 *
 * @throws for properties, patterns and values that it does not know.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringPolicyExamples.html
 */
export function addFilterMetrics(
  store: MetricStore,
  template: Template,
  references: References,
  lines: LogLine[],
): void {
  for (const [id, properties] of resourcesOf(template, 'AWS::Logs::MetricFilter')) {
    const parsed = Filter.safeParse(resolve(properties, references));
    if (!parsed.success) throw new Error(`Metric filter ${id}: ${z.prettifyError(parsed.error)}`);
    const { Dimensions, DefaultValue } = parsed.data.MetricTransformations[0];
    if (Dimensions && DefaultValue !== undefined) {
      throw new Error(`Metric filter ${id}: dimensions and a default value exclude each other.`);
    }
    apply(store, parsed.data, lines);
  }
}

function apply(store: MetricStore, filter: Filter, lines: LogLine[]): void {
  const matches = compilePattern(filter.FilterPattern);
  const { MetricNamespace, MetricName, DefaultValue, Unit } = filter.MetricTransformations[0];
  const metric = { namespace: MetricNamespace, name: MetricName };
  const matchedMinutes = new Map<number, boolean>();
  for (const { at, logGroup, text } of lines) {
    if (logGroup !== filter.LogGroupName) continue;
    const minute = at - (at % MINUTE_MS);
    const found = matches(text) ? measure(filter, text) : undefined;
    if (found) store.add({ ...metric, dimensions: found.dimensions }, at, found.value, Unit);
    matchedMinutes.set(minute, matchedMinutes.get(minute) || found !== undefined);
  }
  if (DefaultValue === undefined) return;
  for (const [minute, matched] of matchedMinutes) {
    if (!matched) store.add({ ...metric, dimensions: {} }, minute, DefaultValue, Unit);
  }
}

function measure(filter: Filter, text: string) {
  const { MetricValue, Dimensions = [] } = filter.MetricTransformations[0];
  const event = parseJson(text);
  const value = MetricValue.startsWith('$') ? selectField(event, MetricValue) : Number(MetricValue);
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw new Error(`${MetricValue} is not a number, in: ${text}`);
  const dimensions: Record<string, string> = {};
  for (const { Key, Value } of Dimensions) {
    const field = selectField(event, Value);
    if (field === undefined) return undefined;
    dimensions[Key] = String(field);
  }
  return { value, dimensions };
}
