import { OUTCOMES, type Outcome } from '../functions/close/outcome.ts';
import { CLOSE_RESULTS, DELIVERY_RESULTS } from '../functions/line.ts';
import { isOnBus } from './config/bus.ts';
import type { Configuration } from './config/load.ts';
import { type LogName, METRICS, type MetricName } from './metrics.ts';

/** One metric that AWS bills: a name with one value for each dimension besides `service`. */
export type Series = { name: MetricName; dimensions: Record<string, string> };

/** Outcomes that only a look-up can have. */
const OF_LOOK_UPS: readonly Outcome[] = ['resolved', 'no_conversation', 'look_up_expired'];

/**
 * Every metric that a configuration can make. AWS bills one only for the hours in which it has data, so this is the
 * most that a month can cost.
 *
 * @see https://aws.amazon.com/cloudwatch/pricing/
 */
export function seriesOf(configuration: Configuration): Series[] {
  const found = Object.entries(METRICS).flatMap(([name, { measures }]) =>
    measures.flatMap(({ logs, by }) =>
      logs
        .filter((log) => hasLog(configuration, log))
        .flatMap((log) => combinations(configuration, log, name as MetricName, by))
        .map((dimensions) => ({ name: name as MetricName, dimensions })),
    ),
  );
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

function hasLog({ projects, connections }: Configuration, log: LogName): boolean {
  const crms = Object.values(connections).map(({ crm }) => crm);
  if (log === 'receive' || log === 'access') return crms.some((crm) => !isOnBus(crm));
  if (log === 'event') return crms.some(isOnBus);
  return log === 'close' || Object.values(projects).some(({ cleanup }) => cleanup);
}

/** Every combination of the dimensions' values among the lines of one log. */
function combinations(
  configuration: Configuration,
  log: LogName,
  name: MetricName,
  by: readonly string[],
): Record<string, string>[] {
  const [first, second] = by;
  if (first === undefined) return [{}];
  return firstValues(configuration, log, name, first).flatMap((value) =>
    second === undefined
      ? [{ [first]: value }]
      : secondValues(configuration, log, value, second).map((other) => ({ [first]: value, [second]: other })),
  );
}

function firstValues(
  { projects, connections }: Configuration,
  log: LogName,
  name: MetricName,
  dimension: string,
): string[] {
  if (dimension === 'outcome') return outcomesOf(Object.values(connections));
  if (dimension === 'connection') {
    return Object.keys(connections).filter((each) => {
      const isBus = isOnBus(connections[each]?.crm ?? '');
      return log === 'close' || (log === 'event') === isBus;
    });
  }
  const needsCleanup = log === 'cleanup' || name === 'MissedByWebhook';
  return Object.keys(projects).filter((each) => !needsCleanup || projects[each]?.cleanup);
}

function secondValues(
  { connections }: Configuration,
  log: LogName,
  first: string,
  dimension: string,
): readonly string[] {
  if (dimension === 'result') return log === 'close' ? CLOSE_RESULTS : DELIVERY_RESULTS;
  return outcomesOf(Object.values(connections).filter(({ polyai }) => polyai === first));
}

function outcomesOf(connections: { lookUp?: string }[]): Outcome[] {
  const looksUp = connections.some(({ lookUp }) => lookUp);
  return (Object.keys(OUTCOMES) as Outcome[]).filter((each) => looksUp || !OF_LOOK_UPS.includes(each));
}
