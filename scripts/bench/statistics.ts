/** The middle of the values; of an even number, the mean of the two in the middle. @throws {Error} without a value */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error('there is no value');
  return (low + high) / 2;
}

/** A value as a multiple of another one, or `undefined` where that one is nothing. */
export function ratio(value: number, base: number | undefined): number | undefined {
  return base ? value / base : undefined;
}

/**
 * Runs each task once in a round, and the rounds one after the other, so that a load that comes and goes meets all of
 * them alike.
 *
 * @returns the results of each task, in the order of the rounds
 */
export async function interleave<T>(
  rounds: number,
  tasks: readonly (() => T | Promise<T>)[],
): Promise<T[][]> {
  const results: T[][] = tasks.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, task] of tasks.entries()) results[index]?.push(await task());
  }
  return results;
}
