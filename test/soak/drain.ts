import { createBacklog, START } from './backlog.ts';
import { heapMb } from './heap.ts';
import { SECOND } from './schedule.ts';

// A backlog, as after days without a worker: all of it is visible at once, and PolyAI answers.

const STEPS = 10;

export type DrainStep = {
  /** Closes that are done. */
  closed: number;
  /** Virtual seconds since the start. */
  seconds: number;
  /** CPU seconds of this process since the step before. */
  cpuSeconds: number;
  /** The heap after a collection, with the rest of the backlog in it. */
  heapMb: number;
};

export type DrainResult = {
  closes: number;
  closed: number;
  calls: number;
  sqsRequests: number;
  invocations: number;
  mostInFlight: number;
  deadLetters: number;
  left: number;
  steps: DrainStep[];
  /** The heap before the backlog was queued and after it was worked off, in megabytes. */
  emptyMb: [before: number, after: number];
  virtualHours: number;
};

/** @param onStep called ten times */
export async function soakDrain(
  { closes, seed, maxConcurrency = 5 }: { closes: number; seed: number; maxConcurrency?: number },
  onStep: (step: DrainStep) => void = () => {},
): Promise<DrainResult> {
  const { clock, queue, source, done, counts, ask } = createBacklog({
    seed,
    maxConcurrency,
    projects: ['only'],
    weather: (_project, _now, random) => ({ latencyMs: random.between(100, 300) }),
  });
  const before = heapMb();
  source.setEnabled(false);
  for (let id = 0; id < closes; id += 1) ask('only', id);
  source.setEnabled(true);

  const steps: DrainStep[] = [];
  let cpu = process.cpuUsage();
  let mostInFlight = 0;
  const watch = () => {
    mostInFlight = Math.max(mostInFlight, queue.counts().inFlight);
    const closed = done.only?.closed ?? 0;
    if (closed >= ((steps.length + 1) * closes) / STEPS) {
      const { user, system } = process.cpuUsage(cpu);
      const cpuSeconds = (user + system) / 1e6;
      const step = { closed, seconds: (clock.now() - START) / SECOND, cpuSeconds, heapMb: heapMb() };
      steps.push(step);
      onStep(step);
      cpu = process.cpuUsage();
    }
    if (closed < closes) clock.at(clock.now() + SECOND, watch);
  };
  watch();
  await clock.run();

  const { visible, inFlight, delayed, expired } = queue.counts();
  return {
    closes,
    closed: done.only?.closed ?? 0,
    calls: counts.calls,
    sqsRequests: counts.requests,
    invocations: source.invocations(),
    mostInFlight,
    deadLetters: counts.deadLetters,
    left: visible + inFlight + delayed + expired,
    steps,
    emptyMb: [before, heapMb()],
    virtualHours: ((done.only?.lastAt ?? START) - START) / (3600 * SECOND),
  };
}

/** What a drain must not have, in words. */
export function drainFailures({
  closes,
  closed,
  deadLetters,
  left,
  calls,
  sqsRequests,
}: DrainResult): string[] {
  const failures: string[] = [];
  if (closed !== closes) failures.push(`closed ${closed} of ${closes}`);
  if (deadLetters + left > 0) failures.push(`${deadLetters} dead letters, ${left} left`);
  if (calls !== closes || sqsRequests > 0)
    failures.push(`${calls} calls to PolyAI and ${sqsRequests} to SQS for ${closes} closes`);
  return failures;
}
