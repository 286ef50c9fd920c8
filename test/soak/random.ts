/** Numbers that only look random: the same seed gives the same run. */
export type Random = {
  /** 0 to 1, without 1. */
  next(): number;
  between(low: number, high: number): number;
  /** 0 to `count - 1`. */
  index(count: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** With a mean; for the gaps between independent arrivals. */
  gap(mean: number): number;
  /** Another sequence that this one decides, so that two users do not disturb one another. */
  fork(): Random;
};

/**
 * Mulberry32: 32 bits of state are plenty for a schedule of faults.
 *
 * @see https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const index = (count: number) => Math.floor(next() * count);
  return {
    next,
    index,
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    pick: <T>(values: readonly T[]) => values[index(values.length)] as T,
    gap: (mean) => -Math.log(1 - next()) * mean,
    fork: () => createRandom(Math.floor(next() * 2 ** 32)),
  };
}
