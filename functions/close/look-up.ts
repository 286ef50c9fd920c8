import type { CloseRequest } from '../close-request.ts';
import type { PolyAIAnswer } from '../polyai.ts';
import { MINUTE_MS, SECOND_MS } from '../time.ts';
import { type Judgement, judgeRefusal, MIN_WAIT_MS, nextTryInSeconds } from './outcome.ts';

/** After this time the shared id could name a newer chat of a reopened ticket, which must not be closed. */
export const RESOLVED_WITHIN_MS = 15 * MINUTE_MS;
/** The agent may store the shared id a little after the CRM's event. */
const AWAITED_FOR_MS = 2 * MINUTE_MS;
/** The last look-up happens this long before `RESOLVED_WITHIN_MS` ends. */
const LAST_TRY_BEFORE_MS = 15 * SECOND_MS;

type SharedIdRequest = Pick<CloseRequest, 'receivedAt' | 'lookUpFrom'>;

/** Milliseconds since the CRM's delivery, or since the time that an operator's redrive sets in its place. */
function waitedMs({ receivedAt, lookUpFrom = receivedAt }: SharedIdRequest, now: number): number {
  return now - Date.parse(lookUpFrom);
}

/** Whether it is too late to resolve a shared id. `now` is in Unix milliseconds. */
export function isTooLate(request: SharedIdRequest, now: number): boolean {
  return waitedMs(request, now) >= RESOLVED_WITHIN_MS;
}

/** Whether a conversation that does not exist yet may still appear. `now` is in Unix milliseconds. */
export function isAwaited(request: SharedIdRequest, now: number): boolean {
  return waitedMs(request, now) < AWAITED_FOR_MS;
}

/** Whether no other look-up would come in time. `now` is in Unix milliseconds. */
export function isLastLookUp(request: SharedIdRequest, now: number): boolean {
  return leftMs(request, now) < MIN_WAIT_MS;
}

/** Milliseconds until the last look-up. */
function leftMs(request: SharedIdRequest, now: number): number {
  return RESOLVED_WITHIN_MS - LAST_TRY_BEFORE_MS - waitedMs(request, now);
}

/**
 * The wait before the next look-up: as for a close, but short enough that the last try is not too late. After the last
 * one it is the time until the shared id expires.
 *
 * @param triedForMs time since the request was first taken off the queue
 * @param retryAfterMs the wait that PolyAI asked for
 * @param random 0 to 1
 * @returns whole seconds
 */
export function nextLookUpInSeconds(
  request: SharedIdRequest,
  now: number,
  triedForMs: number,
  retryAfterMs: number,
  random: number,
): number {
  const left = leftMs(request, now);
  const seconds = nextTryInSeconds(triedForMs, retryAfterMs, random);
  if (left > 0) return Math.min(seconds, Math.max(1, Math.floor(left / SECOND_MS)));
  return Math.max(1, Math.ceil((left + LAST_TRY_BEFORE_MS) / SECOND_MS));
}

/**
 * Judges PolyAI's answer to a look-up.
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
