import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';

/** Numbers that only look random: the same seed repeats the same run. */
export type Random = {
  /** 0 to 1, without 1. */
  next(): number;
  between(low: number, high: number): number;
  /** 0 to `count - 1`. */
  index(count: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** An exponential distribution with this mean: the gaps between independent arrivals. */
  gap(mean: number): number;
  /** Another sequence, seeded by this one, so that two users do not affect each other. */
  fork(): Random;
};

/** @param seed a whole number, of which the lowest 32 bits count */
export function createRandom(seed: number): Random {
  const generator = mersenne(seed);
  const next = () => uniformFloat64(generator);
  const index = (count: number) => Math.floor(next() * count);
  return {
    next,
    index,
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    pick: <T>(values: readonly T[]) => values[index(values.length)] as T,
    gap: (mean) => -Math.log(1 - next()) * mean,
    fork: () => createRandom(index(2 ** 32)),
  };
}
