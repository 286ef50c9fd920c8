import type { AlarmDefinition, MetricStat } from './alarm-definition.ts';
import { compileMath } from './metric-math.ts';
import type { Numbers } from './metric-math-values.ts';
import { type MetricStore, statistic } from './metrics.ts';

/** Gives the values of an alarm's range that ends at a time: one or a gap for each period, oldest first. */
export type Range = (endsAt: number) => Numbers;

/**
 * Prepares an alarm's metrics and expressions. Expressions see the whole range, as in CloudWatch, so that FILL
 * fills every period of it. They may use those before them in the list.
 *
 * @param length of the range in periods
 */
export function rangeOf(alarm: AlarmDefinition, store: MetricStore, length: number): Range {
  const { queries, periodSeconds } = alarm;
  const metrics = queries.filter(({ MetricStat }) => MetricStat).map(({ Id }) => Id);
  const steps = queries.map(({ Id, ReturnData, MetricStat, Expression = '' }) => {
    const window = MetricStat && values(MetricStat, store, length);
    return { Id, ReturnData, window, math: window ? undefined : compileMath(Expression) };
  });
  // Metrics first: an expression may come before the metrics that it uses.
  steps.sort((a, b) => Number(!a.window) - Number(!b.window));
  return (endsAt) => {
    const series: Record<string, Numbers> = {};
    let returned: Numbers = [];
    for (const { Id, ReturnData, window, math } of steps) {
      const result = window?.(endsAt) ?? math?.({ series, metrics, periodSeconds, length }) ?? [];
      series[Id] = result;
      if (ReturnData) returned = result;
    }
    return returned;
  };
}

function values({ Metric, Period, Stat, Unit }: MetricStat, store: MetricStore, length: number): Range {
  const id = {
    namespace: Metric.Namespace,
    name: Metric.MetricName,
    dimensions: Object.fromEntries(Metric.Dimensions.map(({ Name, Value }) => [Name, Value])),
  };
  const cache = new Map<number, number | undefined>();
  const value = (from: number) => {
    if (!cache.has(from)) {
      cache.set(from, statistic(store.points(id, { from, to: from + Period * 1000 }, Unit), Stat));
    }
    return cache.get(from);
  };
  return (endsAt) => Array.from({ length }, (_, index) => value(endsAt - (length - index) * Period * 1000));
}
