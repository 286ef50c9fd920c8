import { batchesOf } from '../functions/close-queue.ts';
import type { Surroundings } from '../scripts/command/run.ts';

/** @returns a function that waits until as many may go as it is told, at `rate` a second */
export function createPace(
  rate: number,
  { now, sleep }: Pick<Surroundings, 'now' | 'sleep'>,
): (count: number) => Promise<void> {
  let freeAt = Number.NEGATIVE_INFINITY;
  return async (count) => {
    const at = now();
    const waitMs = freeAt - at;
    freeAt = Math.max(freeAt, at) + (count * 1000) / rate;
    if (waitMs > 0) await sleep(waitMs);
  };
}

/** Many batches side by side, a few at a time. */
export async function forEachBatch<T>(
  items: readonly T[],
  act: (batch: T[]) => Promise<void>,
  parallel = 8,
): Promise<void> {
  const batches = batchesOf(items).values();
  const worker = async () => {
    for (const batch of batches) await act(batch);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
