import { addEmbeddedMetrics, type LogLine } from './emf.ts';
import { addFilterMetrics } from './metric-filter.ts';
import { type MetricId, MetricStore } from './metrics.ts';
import type { References, Template } from './template.ts';

/** Figures that AWS itself would measure, given by a test: `[epoch milliseconds, value]`. */
export type GivenSeries = MetricId & { unit?: string; points: [at: number, value: number][] };

/** Every datapoint that the lines, the template's metric filters and the given figures make. */
export function collectMetrics(sources: {
  lines: LogLine[];
  template: Template;
  references: References;
  series?: GivenSeries[];
}): MetricStore {
  const store = new MetricStore();
  for (const line of sources.lines) addEmbeddedMetrics(store, line);
  addFilterMetrics(store, sources.template, sources.references, sources.lines);
  for (const { unit, points, ...id } of sources.series ?? []) {
    for (const [at, value] of points) store.add(id, at, value, unit);
  }
  return store;
}
