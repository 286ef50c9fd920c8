import type { PolyAIAnswer } from '../polyai.ts';
import { HOUR_MS, SECOND_MS } from '../time.ts';

type Rule = {
  /** Finished at once, dead-lettered at once, or retried. */
  next: 'done' | 'dead_letter' | 'retry';
  /** Whether it continues until somebody acts. */
  needsAction: boolean;
};

/** Every outcome that an attempt can have. docs/operations.md says what each one means. */
export const OUTCOMES = {
  closed: { next: 'done', needsAction: false },
  already_ended: { next: 'done', needsAction: false },
  not_found: { next: 'done', needsAction: false },
  misdirected: { next: 'retry', needsAction: true },
  unconfirmed: { next: 'retry', needsAction: false },
  rejected: { next: 'dead_letter', needsAction: true },
  unauthorized: { next: 'retry', needsAction: true },
  throttled: { next: 'retry', needsAction: false },
  unavailable: { next: 'retry', needsAction: false },
  unknown_target: { next: 'retry', needsAction: true },
  resolved: { next: 'done', needsAction: false },
  no_conversation: { next: 'done', needsAction: false },
  look_up_expired: { next: 'dead_letter', needsAction: true },
} as const satisfies Record<string, Rule>;

export type Outcome = keyof typeof OUTCOMES;

export type Judgement = { outcome: Outcome; reason?: string };

/**
 * Judges PolyAI's answer to a close. Only a 200 with `success: true` counts as a closed chat.
 *
 * @see https://docs.poly.ai/api-reference/error-codes
 */
export function judge(answer: PolyAIAnswer): Judgement {
  if ('failure' in answer) return { outcome: 'unavailable', reason: answer.failure };
  const { status, errorCode = '' } = answer;
  const reason = `PolyAI answered ${status}${errorCode && ` ${errorCode}`}`;
  if (status >= 200 && status < 300) {
    if (status === 200 && answer.success) return { outcome: 'closed' };
    return { outcome: 'unconfirmed', reason: `${reason} without success: true` };
  }
  return { outcome: judgeRefusal(status, errorCode), reason };
}

/**
 * Whether PolyAI may have closed the chat although its answer does not say so: a 2xx without `success: true`, a
 * gateway that got no usable answer from the server behind it, or no answer to a request that may have arrived.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-502-bad-gateway
 */
export function mayHaveClosed(answer: PolyAIAnswer): boolean {
  if ('failure' in answer) return answer.neverSent !== true;
  return judge(answer).outcome === 'unconfirmed' || answer.status === 502 || answer.status === 504;
}

/** Judges a status other than 2xx by the status and PolyAI's error code, which is empty if there is none. */
export function judgeRefusal(status: number, errorCode: string): Outcome {
  if (status < 400) return 'misdirected';
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 404) {
    if (errorCode === 'CONVERSATIONS_NOT_FOUND') return 'already_ended';
    return ['PROJECT_NOT_FOUND', 'ACCOUNT_NOT_FOUND'].includes(errorCode) ? 'misdirected' : 'not_found';
  }
  if (status === 410) return 'already_ended';
  if (status === 400 && /^CHAT_TIMEOUT$|CONVERSATION_ENDED$/.test(errorCode)) return 'already_ended';
  if (status === 429) return 'throttled';
  return status === 408 || (status >= 500 && status !== 501) ? 'unavailable' : 'rejected';
}

/** The shortest wait between two attempts. */
export const MIN_WAIT_MS = 10 * SECOND_MS;
const MAX_WAIT_MS = HOUR_MS;
const JITTER = 0.2;
/** A `Retry-After` of more than a day is a mistake more often than a plan. */
const MAX_DELAY_MS = 24 * HOUR_MS;
/** A close must survive a weekend, from Friday evening to Monday morning. */
export const GIVE_UP_AFTER_MS = 74 * HOUR_MS;
/** A close that may have succeeded is retried this much longer, until a call settles it. */
const IN_DOUBT_FOR_MS = 24 * HOUR_MS;

/**
 * The wait before the next attempt. It is as long as the close has been tried: 10 s, 10 s, 20 s, 40 s, … doubling,
 * then hourly. Up to 20 % jitter is added, so that closes that failed together do not come back together.
 *
 * @param triedForMs time since the request was first taken off the queue
 * @param retryAfterMs the wait that PolyAI asked for; it lengthens the wait, up to a day
 * @param random 0 to 1
 * @returns whole seconds
 */
export function nextTryInSeconds(triedForMs: number, retryAfterMs: number, random: number): number {
  const wait = Math.max(MIN_WAIT_MS, Math.min(triedForMs, MAX_WAIT_MS)) * (1 + JITTER * random);
  return Math.ceil(Math.min(Math.max(wait, retryAfterMs), MAX_DELAY_MS) / SECOND_MS);
}

/**
 * Whether a failed attempt was the last one.
 *
 * @param triedForMs time since the request was first taken off the queue
 * @param isInDoubt whether the attempt may have closed the chat, and no later call has shown whether it did
 */
export function isGivenUp(triedForMs: number, isInDoubt = false): boolean {
  return triedForMs >= GIVE_UP_AFTER_MS + (isInDoubt ? IN_DOUBT_FOR_MS : 0);
}
