import { createBacklog, START, type Weather } from './backlog.ts';
import { heapMb } from './heap.ts';
import type { Random } from './random.ts';
import { HOUR, MINUTE, SECOND } from './schedule.ts';

// A large project's PolyAI is down for 23 hours, in turns answering 503 and not at all, while a small project works.

const OUTAGE_FROM = START + HOUR;
const OUTAGE_TO = OUTAGE_FROM + 23 * HOUR;
const TURN_MS = 2 * HOUR;
const SMALL_EVERY_MS = 20 * SECOND;
/** The promise for the closes of the project that is down, after the end of its outage. */
export const CLOSED_WITHIN_MS = 2 * HOUR;
/** The promise for the other project, at any time. */
export const SMALL_WITHIN_MS = 30 * SECOND;

export type OutageResult = {
  closes: { large: number; small: number };
  closed: { large: number; small: number };
  /** Milliseconds from receipt. */
  smallSlowestMs: number;
  /** Milliseconds from the end of the outage to the last close of the project that was down. */
  largeLastMs: number;
  mostInFlight: number;
  mostWaiting: number;
  calls: number;
  lines: number;
  /** Calls to SQS by the worker. */
  sqsRequests: number;
  invocations: number;
  deadLetters: number;
  wrong: number;
  faults: number;
  left: number;
  /** What the containers still hold when the queue is empty, in megabytes. */
  keptMb: number;
  realSeconds: number;
  /** Every hour: the closes that wait, and those of the project that was down that are closed. */
  hours: { hour: number; waiting: number; closed: number }[];
};

type OutageOptions = {
  closes: number;
  seed: number;
  inFlightLimit?: number;
  refusesSends?: boolean;
};

/** @param onProgress called every virtual hour */
export async function soakOutage(
  { closes, ...settings }: OutageOptions,
  onProgress: (hour: number, text: string) => void = () => {},
): Promise<OutageResult> {
  const startedAt = performance.now();
  const world = createBacklog({
    ...settings,
    maxConcurrency: 5,
    projects: ['large', 'small'],
    weather,
  });
  const { clock, queue, source, done, counts, ask } = world;
  const asked = { large: 0, small: 0 };
  const most = { inFlight: 0, waiting: 0 };
  const hours: OutageResult['hours'] = [];
  const heapBefore = heapMb();

  const every = (ms: number, from: number, to: number, run: () => void) => {
    const next = (at: number) => {
      if (at >= to) return;
      clock.at(at, () => {
        run();
        next(at + ms);
      });
    };
    next(from);
  };
  every((23 * HOUR) / closes, OUTAGE_FROM, OUTAGE_TO, () => ask('large', asked.large++, 'large'));
  every(SMALL_EVERY_MS, START, OUTAGE_TO + CLOSED_WITHIN_MS, () => ask('small', asked.small++, 'small'));
  every(MINUTE, START, OUTAGE_TO + CLOSED_WITHIN_MS, () => {
    const { inFlight, delayed, visible } = queue.counts();
    most.inFlight = Math.max(most.inFlight, inFlight);
    most.waiting = Math.max(most.waiting, inFlight + delayed + visible);
  });
  every(HOUR, START, OUTAGE_TO + CLOSED_WITHIN_MS, () => {
    const { visible, inFlight, delayed } = queue.counts();
    const hour = (clock.now() - START) / HOUR;
    hours.push({ hour, waiting: visible + inFlight + delayed, closed: done.large?.closed ?? 0 });
    onProgress(
      hour,
      `${visible} visible, ${inFlight} in flight, ${delayed} delayed, ${counts.calls} calls, ${source.invocations()} invocations`,
    );
  });
  await clock.run();

  const { visible, inFlight, delayed, expired } = queue.counts();
  return {
    closes: asked,
    closed: { large: done.large?.closed ?? 0, small: done.small?.closed ?? 0 },
    smallSlowestMs: done.small?.slowestMs ?? 0,
    largeLastMs: (done.large?.lastAt ?? 0) - OUTAGE_TO,
    mostInFlight: most.inFlight,
    mostWaiting: most.waiting,
    calls: counts.calls,
    lines: counts.lines,
    sqsRequests: counts.requests,
    invocations: source.invocations(),
    deadLetters: counts.deadLetters,
    wrong: counts.wrong,
    faults: counts.faults,
    left: visible + inFlight + delayed + expired,
    keptMb: heapMb() - heapBefore,
    realSeconds: (performance.now() - startedAt) / 1000,
    hours,
  };
}

function weather(project: string, now: number, random: Random): Weather {
  const latencyMs = random.between(100, 400);
  const isDown = project === 'large' && now >= OUTAGE_FROM && now < OUTAGE_TO;
  if (!isDown) return { latencyMs };
  const isHanging = Math.floor((now - OUTAGE_FROM) / TURN_MS) % 2 === 1;
  return isHanging ? { latencyMs: 10 * SECOND } : { latencyMs, status: 503 };
}

/** What an outage run must not have, in words. */
export function outageFailures(result: OutageResult): string[] {
  const { closes, closed, smallSlowestMs, largeLastMs, deadLetters, wrong, faults, left } = result;
  const failures: string[] = [];
  if (closed.large !== closes.large || closed.small !== closes.small)
    failures.push(`closed ${closed.large} of ${closes.large} and ${closed.small} of ${closes.small}`);
  if (smallSlowestMs > SMALL_WITHIN_MS)
    failures.push(`a close of the other project took ${(smallSlowestMs / SECOND).toFixed(1)} s`);
  if (largeLastMs > CLOSED_WITHIN_MS)
    failures.push(`the last close came ${(largeLastMs / MINUTE).toFixed(0)} min after the outage`);
  if (deadLetters + wrong + faults + left > 0)
    failures.push(`${deadLetters} dead letters, ${wrong} wrong calls, ${faults} faults, ${left} left`);
  return failures;
}
