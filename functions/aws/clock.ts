import { MINUTE_MS } from '../time.ts';

/** AWS refuses a signature that is five minutes off; the SDK corrects from four. */
const SKEWED_MS = 4 * MINUTE_MS;
/** An answer that took longer was held up while the function was frozen, so its time says nothing. */
const HELD_UP_MS = 15 * MINUTE_MS;

export type Clock = {
  /** The time that the service has, as far as its last answer told. */
  date(): Date;
  /**
   * Learns the service's time from the headers of an answer.
   *
   * @param sent the date that the request was signed with
   * @returns whether the clock was so wrong that the request is worth a second attempt
   */
  learn(headers: Record<string, string | undefined>, sent: Date): boolean;
};

/**
 * Corrects our clock as the SDK does, so that a wrong one does not stop every delivery.
 *
 * @param now Unix milliseconds
 */
export function createClock(now: () => number): Clock {
  let offsetMs = 0;
  const isKnown = (time: number, sentAt: number) =>
    Number.isFinite(time) && now() + offsetMs - sentAt <= HELD_UP_MS;

  return {
    date: () => new Date(now() + offsetMs),
    learn({ date, age }, sent) {
      const time = Date.parse(date ?? '');
      // A cache's answer has the age, and the time at which the cache got it.
      if (age !== undefined || !isKnown(time, sent.getTime())) return false;
      const before = offsetMs;
      offsetMs = time - now();
      return Math.abs(offsetMs) >= SKEWED_MS && offsetMs !== before;
    },
  };
}
