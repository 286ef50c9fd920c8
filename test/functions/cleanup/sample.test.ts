import { describe, expect, it } from 'vitest';
import { createSample } from '../../../functions/cleanup/sample.ts';

/** A seeded generator, so that a failure can be repeated. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a sample', () => {
  it('holds everything while there is room', () => {
    const sample = createSample<number>(3, () => 0);
    for (const each of [1, 2, 3]) sample.add(each);
    expect(sample.items).toEqual([1, 2, 3]);
  });

  it('never grows, and gives each item about the same chance', () => {
    const random = createRandom(7);
    const chosen = new Array<number>(20).fill(0);
    for (let round = 0; round < 4000; round += 1) {
      const sample = createSample<number>(5, random);
      for (let item = 0; item < 20; item += 1) sample.add(item);
      expect(new Set(sample.items).size).toBe(5);
      for (const item of sample.items) chosen[item] = (chosen[item] ?? 0) + 1;
    }
    for (const count of chosen) {
      expect(count).toBeGreaterThan(850);
      expect(count).toBeLessThan(1150);
    }
  });
});
