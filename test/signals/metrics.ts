/** One measured value. `at` is in epoch milliseconds. */
export type Datapoint = { at: number; value: number; unit: string };

export type MetricId = { namespace: string; name: string; dimensions: Record<string, string> };

/** A window in epoch milliseconds: `from` belongs to it, `to` does not. */
export type Window = { from: number; to: number };

type Series = { id: MetricId; points: Datapoint[]; sorted: boolean };

/**
 * Datapoints by metric. A metric is its namespace, its name and exactly its dimensions: CloudWatch does not
 * aggregate over dimensions.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
 */
export class MetricStore {
  readonly #series = new Map<string, Series>();

  add(id: MetricId, at: number, value: number, unit = 'None'): void {
    if (!Number.isFinite(value)) throw new Error(`${keyOf(id)}: ${value} is not a value of a metric.`);
    const series = this.#series.get(keyOf(id)) ?? { id, points: [], sorted: true };
    series.points.push({ at, value, unit });
    series.sorted = false;
    this.#series.set(keyOf(id), series);
  }

  /** Every metric that has at least one datapoint. */
  ids(): MetricId[] {
    return [...this.#series.values()].map(({ id }) => id);
  }

  /** The datapoints of a window in order of time, of all units or of one. */
  points(id: MetricId, { from, to }: Window, unit?: string): Datapoint[] {
    const series = this.#series.get(keyOf(id));
    if (!series) return [];
    if (!series.sorted) series.points.sort((a, b) => a.at - b.at);
    series.sorted = true;
    const found = series.points.slice(firstFrom(series.points, from), firstFrom(series.points, to));
    return unit === undefined ? found : found.filter((point) => point.unit === unit);
  }
}

/** The index of the first datapoint at or after a time, by binary search. */
function firstFrom(points: Datapoint[], time: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.at ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function keyOf({ namespace, name, dimensions }: MetricId): string {
  return JSON.stringify([namespace, name, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/**
 * One statistic of some datapoints, or undefined without any. A percentile is the smallest value that at least
 * so much of the values do not exceed (AWS does not say how it interpolates).
 *
 * @throws for a statistic other than Sum, Average, Minimum, Maximum, SampleCount and `p0` to `p100`.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 */
export function statistic(points: Datapoint[], name: string): number | undefined {
  const compute = STATISTICS[name] ?? percentile(name);
  return points.length === 0 ? undefined : compute(points.map(({ value }) => value));
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

const STATISTICS: Record<string, (values: number[]) => number> = {
  Sum: sum,
  Average: (values) => sum(values) / values.length,
  Minimum: (values) => values.reduce((least, value) => Math.min(least, value)),
  Maximum: (values) => values.reduce((most, value) => Math.max(most, value)),
  SampleCount: (values) => values.length,
};

function percentile(name: string): (values: number[]) => number {
  const share = /^p(100|\d{1,2}(\.\d{1,10})?)$/.exec(name)?.[1];
  if (share === undefined) throw new Error(`The statistic ${name} is not supported.`);
  return (values) => percentileOf(values, Number(share));
}

/** The smallest of the values that at least `share` percent of them do not exceed. Needs one value or more. */
export function percentileOf(values: number[], share: number): number {
  const rank = Math.max(1, Math.ceil((share * values.length) / 100 - 1e-9));
  return values.toSorted((a, b) => a - b)[rank - 1] as number;
}
