import { describe, expect, it } from 'vitest';
import { interleave, median, ratio } from '../../../scripts/bench/statistics.ts';

describe('median', () => {
  it.each([
    [[5], 5],
    [[9, 1, 5], 5],
    [[10, 2, 4, 8], 6],
    [[1, 1, 1, 1000], 1],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('leaves the values in their order', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('refuses to be nothing', () => {
    expect(() => median([])).toThrow('there is no value');
  });
});

describe('ratio', () => {
  it('is a multiple of the base, and absent without one', () => {
    expect(ratio(3, 2)).toBe(1.5);
    expect(ratio(3, 0)).toBeUndefined();
    expect(ratio(3, undefined)).toBeUndefined();
  });
});

describe('interleave', () => {
  it('runs each task once in a round, and keeps the results of each together', async () => {
    const order: string[] = [];
    const task = (name: string) => async () => order.push(name);
    expect(await interleave(2, [task('a'), task('b')])).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(order).toEqual(['a', 'b', 'a', 'b']);
  });
});
