export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Counted in seconds this is the year 5138, in milliseconds 1973. */
const SMALLEST_IN_MS = 1e11;

/**
 * A time since 1970 whose unit is not known, in milliseconds.
 *
 * @param time seconds or milliseconds: a number below 100,000,000,000 counts as seconds
 */
export function toUnixMs(time: number): number {
  return time < SMALLEST_IN_MS ? time * SECOND_MS : time;
}
