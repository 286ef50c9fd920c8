import { rehearse, type Transition } from '../signals/alarm.ts';
import { collectMetrics } from '../signals/collect-metrics.ts';
import type { LogLine } from '../signals/emf.ts';
import type { MetricId, MetricStore } from '../signals/metrics.ts';
import type { Synthesised } from './synthesised.ts';
import { createWorld, HOUR, MINUTE, SECOND, START, type World } from './world.ts';

/** A trouble of a stack in use. All times are milliseconds after the trouble begins. */
export type Story = {
  /** Brings the trouble about. */
  begin: (world: World) => void;
  /** Ends it, as the person would who was called. */
  end: (world: World) => void;
  /** How long the trouble lasts. */
  lasts: number;
  /** How long the stack is watched after that. */
  after?: number;
  /** How often each CRM finishes a chat. */
  every?: number;
};

/** A stack is in use for this long before its trouble begins. */
export const QUIET = HOUR;
const AFTER = 80 * MINUTE;
/** The alarms are not looked at before the first deliveries and the first runs of the schedules. */
const SETTLED = 30 * MINUTE;
/** What began before a trouble is over by then. */
const UNDER_WAY = 10 * SECOND;

export type Played = {
  metrics: MetricStore;
  lines: LogLine[];
  linesBefore: LogLine[];
  linesDuring: LogLine[];
  /** Changes of state by the alarm's id without its hash, with minutes after the trouble began. */
  alarms: Record<string, { to: string; minutes: number }[]>;
  /** The values of a metric before the trouble, and during it. */
  values(id: MetricId): { before: number[]; during: number[] };
};

/** Plays a story with the handlers, and evaluates the metric filters and the alarms of the template. */
export async function play(content: object, synthesised: Synthesised, story: Story): Promise<Played> {
  const { begin, end, lasts, after = AFTER, every = 4 * MINUTE } = story;
  const span = QUIET + lasts + after;
  const world = createWorld(content, synthesised, span);
  world.at(QUIET, () => begin(world));
  world.at(QUIET + lasts, () => end(world));
  await world.run(every);
  const { lines, series } = world.account;
  const metrics = collectMetrics({ lines, series, ...synthesised });
  const history = rehearse({ ...synthesised, metrics, from: START + SETTLED, to: START + span });
  const [began, ended] = [START + QUIET, START + QUIET + lasts];
  const isDuring = ({ at }: LogLine) => at >= began + UNDER_WAY && at < ended;
  return {
    metrics,
    lines,
    linesBefore: lines.filter(({ at }) => at < began),
    linesDuring: lines.filter(isDuring),
    alarms: Object.fromEntries(
      Object.entries(history).map(([id, transitions]) => [plainId(id), transitions.map(describe)]),
    ),
    values(id) {
      const between = (from: number, to: number) =>
        metrics.points(id, { from, to }).map(({ value }) => value);
      return { before: between(START, began), during: between(began + UNDER_WAY, ended) };
    },
  };
}

/** A metric of the stack `closer`. */
export function ourMetric(name: string, dimensions: Record<string, string>): MetricId {
  return { namespace: 'PolyAIChatCloser', name, dimensions: { service: 'closer', ...dimensions } };
}

/** An alarm's logical id without the hash that CloudFormation needs. */
export function plainId(id: string): string {
  return id.replace(/[0-9A-F]{8}$/, '');
}

function describe({ at, to }: Transition) {
  return { to, minutes: (at - START - QUIET) / MINUTE };
}
