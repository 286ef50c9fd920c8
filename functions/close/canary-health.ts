import type { PolyAIAnswer } from '../polyai.ts';
import type { Outcome } from './outcome.ts';

/** PolyAI took the keys and knew the project: 404, 410, a 400 that says that the chat has ended, or a 200. */
const HEALTHY: Outcome[] = ['already_ended', 'not_found', 'closed'];

/**
 * Whether the canary's close shows that the whole chain works. Its conversation cannot exist, so PolyAI should answer
 * that there is none. A 400 with a code of PolyAI's counts too, because PolyAI itself has read the request. A 401, a
 * 403, an unknown project and silence do not count.
 *
 * @param answer PolyAI's answer; absent if PolyAI was not called
 */
export function isHealthy(outcome: Outcome, answer: PolyAIAnswer | undefined): boolean {
  if (HEALTHY.includes(outcome)) return true;
  return answer !== undefined && 'status' in answer && answer.status === 400 && Boolean(answer.errorCode);
}
