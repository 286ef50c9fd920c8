import { expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, toUnixMs } from '../../functions/time.ts';

it('the units of time are in milliseconds', () => {
  expect([SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS]).toEqual([1000, 60_000, 3_600_000, 86_400_000]);
});

it.each([
  ['seconds', 1_782_993_600, 1_782_993_600_000],
  ['milliseconds', 1_782_993_600_000, 1_782_993_600_000],
  ['the largest number of seconds', 99_999_999_999, 99_999_999_999_000],
  ['the smallest number of milliseconds', 100_000_000_000, 100_000_000_000],
])('toUnixMs reads %s', (_unit, time, expected) => {
  expect(toUnixMs(time)).toBe(expected);
});
