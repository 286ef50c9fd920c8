import { batchesOf } from '../functions/close-batches.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * @param rate items a second
 * @returns a function that waits until the given number of items may go
 */
export function createPace(
  rate: number,
  { now, sleep }: Pick<Surroundings, 'now' | 'sleep'>,
): (count: number) => Promise<void> {
  let freeAt = Number.NEGATIVE_INFINITY;
  return async (count) => {
    const startedAt = now();
    const waitMs = freeAt - startedAt;
    freeAt = Math.max(freeAt, startedAt) + (count * 1000) / rate;
    if (waitMs > 0) await sleep(waitMs);
  };
}

/** Runs `act` on every batch of ten, a few batches at the same time. */
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
