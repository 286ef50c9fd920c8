import { isGivenUp, nextTryInSeconds } from '../../functions/close/outcome.ts';
import type { PlannedTry } from './view.ts';

/**
 * The attempts of a close that meets an outage, by the worker's own back-off and without its jitter: time is computed,
 * not waited for.
 *
 * @param hours how long PolyAI is down
 * @returns every attempt; the last one is the first after the outage, or the one at which the close is given up
 */
export function planOutage(hours: number): PlannedTry[] {
  const plan: PlannedTry[] = [];
  let at = 0;
  while (at < hours * 3600 && !isGivenUp(at * 1000)) {
    const wait = nextTryInSeconds(at * 1000, 0, 0);
    plan.push({ at, wait });
    at += wait;
  }
  return [...plan, { at, wait: 0 }];
}
