import type { CloseRequest } from '../close-request.ts';
import type { PolyAIAnswer } from '../polyai.ts';
import { type Judgement, judgeRefusal, nextTryInSeconds } from './outcome.ts';

const MINUTE_MS = 60_000;
/** Later the shared id could name a newer chat of a reopened ticket, and closing that would be wrong. */
const RESOLVED_WITHIN_MS = 15 * MINUTE_MS;
/** The agent may store the shared id a little late. */
const AWAITED_FOR_MS = 2 * MINUTE_MS;
/** The last look-up is made this long before it is too late. */
const LAST_TRY_BEFORE_MS = 15_000;

type SharedIdRequest = Pick<CloseRequest, 'receivedAt' | 'lookUpFrom'>;

/** Milliseconds since the CRM's delivery, which a redrive makes younger only where an operator says so. */
function waitedMs({ receivedAt, lookUpFrom = receivedAt }: SharedIdRequest, now: number): number {
  return now - Date.parse(lookUpFrom);
}

/** Whether a shared id may no longer be resolved. */
export function isTooLate(request: SharedIdRequest, now: number): boolean {
  return waitedMs(request, now) >= RESOLVED_WITHIN_MS;
}

/** Whether a conversation that is not there yet is still waited for. */
export function isAwaited(request: SharedIdRequest, now: number): boolean {
  return waitedMs(request, now) < AWAITED_FOR_MS;
}

/** As for a close, but so that the last try comes before it is too late. @returns whole seconds */
export function nextLookUpInSeconds(
  request: SharedIdRequest,
  now: number,
  triedForMs: number,
  retryAfterMs: number,
  random: number,
): number {
  const left = RESOLVED_WITHIN_MS - LAST_TRY_BEFORE_MS - waitedMs(request, now);
  const seconds = nextTryInSeconds(triedForMs, retryAfterMs, random);
  return left > 0 ? Math.min(seconds, Math.max(1, Math.floor(left / 1000))) : seconds;
}

/**
 * What PolyAI's answer to a look-up means.
 *
 * @see https://docs.poly.ai/api-reference/handoff/introduction
 */
export function judgeLookUp(answer: PolyAIAnswer): Judgement {
  if ('failure' in answer) return { outcome: 'unavailable', reason: answer.failure };
  const { status, errorCode = '', conversationId } = answer;
  const reason = `PolyAI answered the look-up ${status}${errorCode && ` ${errorCode}`}`;
  if (status === 200 && conversationId !== undefined) return { outcome: 'resolved' };
  if (status === 200 && answer.isEmpty)
    return { outcome: 'no_conversation', reason: `${reason} without an id` };
  if (status >= 200 && status < 300) return { outcome: 'unconfirmed', reason: `${reason} without an id` };
  const outcome = judgeRefusal(status, errorCode);
  const isUnknown = ['not_found', 'already_ended'].includes(outcome) && status === 404;
  return {
    outcome: isUnknown ? 'no_conversation' : outcome === 'already_ended' ? 'rejected' : outcome,
    reason,
  };
}
