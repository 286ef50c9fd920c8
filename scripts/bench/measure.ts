import { statSync } from 'node:fs';
import { join } from 'node:path';
import { startLambda } from './lambda.ts';
import { interleave, median } from './statistics.ts';
import type { Subjects } from './subjects.ts';

/** One figure of the bench. Times are medians, for one start, delivery or verification. */
export type Figure = {
  name: string;
  cpuMs: number;
  wallMs?: number;
  /** The largest resident memory, in bytes. */
  memory?: number;
  /** Bytes of the bundle. */
  bundle?: number;
};

const WARM_UP = 300;
const PER_ROUND = 50;
/** A large delivery needs as many to be compiled, but each takes long. */
const WARM_UP_SHARE = WARM_UP / PER_ROUND;

/** Starts each function again and again, and measures until its first answer. */
export async function measureCold(
  program: string,
  subjects: Subjects['cold'],
  runs: number,
): Promise<Figure[]> {
  const results = await interleave(
    runs,
    subjects.map((subject) => async () => {
      const lambda = await startLambda(program, subject);
      try {
        return { ...(await lambda.first()), memory: lambda.memory() };
      } finally {
        await lambda.stop();
      }
    }),
  );
  return subjects.map(({ name, folder }, index) => {
    const starts = results[index] ?? [];
    return {
      name,
      cpuMs: median(starts.map(({ cpuNs }) => cpuNs)) / 1e6,
      wallMs: median(starts.map(({ wallMs }) => wallMs)),
      memory: median(starts.map(({ memory }) => memory)),
      bundle: statSync(join(folder, 'index.mjs')).size,
    };
  });
}

/** Starts every function once, warms it up, and measures batches of invocations. */
export async function measureWarm(
  program: string,
  subjects: Subjects['warm'],
  runs: number,
): Promise<Figure[]> {
  const running = await Promise.all(
    subjects.map(async (subject) => ({
      lambda: await startLambda(program, subject),
      perRound: subject.perRound ?? PER_ROUND,
    })),
  );
  try {
    for (const { lambda, perRound } of running) await lambda.invoke(perRound * WARM_UP_SHARE);
    const results = await interleave(
      runs,
      running.map(
        ({ lambda, perRound }) =>
          () =>
            lambda.invoke(perRound),
      ),
    );
    return subjects.map(({ name, perRound = PER_ROUND }, index) => {
      const rounds = results[index] ?? [];
      return {
        name,
        cpuMs: median(rounds.map(({ cpuNs }) => cpuNs)) / 1e6 / perRound,
        wallMs: median(rounds.map(({ wallMs }) => wallMs)) / perRound,
        memory: running[index]?.lambda.memory() ?? 0,
      };
    });
  } finally {
    await Promise.all(running.map(({ lambda }) => lambda.stop()));
  }
}
