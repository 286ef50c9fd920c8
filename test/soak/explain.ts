import { type Ask, type Chat, cameAgain, type DeadLetter, endHeardAt, SKEW_MS } from './asks.ts';
import { AWS_TROUBLES, HOUR, MINUTE, type Schedule } from './schedule.ts';

// Decides whether the simulated faults explain a dead letter, by the soak's own clock.

const GIVEN_UP_AFTER_MS = 74 * HOUR;
/** The minimum time with a fault before a close may be given up. */
const TROUBLED_MS = 60 * HOUR;
const RESOLVED_WITHIN_MS = 15 * MINUTE;
/** Troubles that can prevent a look-up, or the queueing of its close. */
const KEEPS_FROM_CALLING = [...AWS_TROUBLES, 'empty_secret'] as const;

export function describe({ requestId, chat, heard, letters, ...ask }: Ask): string {
  const time = (at: number | undefined) => (at === undefined ? 'never' : new Date(at).toISOString());
  const answers = heard.map(({ answer, at }) => `${answer} at ${time(at)}`);
  const dead = letters.map(({ outcome, reason, at }) => `${outcome} at ${time(at)} (${reason})`);
  return `${describeChat(chat)}, request ${requestId}, sent ${time(ask.sentAt)}, received first ${time(ask.firstReceivedAt)} and last ${time(ask.receipts.at(-1))}, ${ask.failures} failures, answers ${answers}, dead letters ${dead}`;
}

export function describeChat({ id, project, sharedId, calls, acknowledgedAt, closedAt }: Chat): string {
  const time = (at: number | undefined) => (at === undefined ? 'never' : new Date(at).toISOString());
  return `${id}${sharedId ? ` (ticket ${sharedId})` : ''} of ${project}, acknowledged ${time(acknowledgedAt)}, closed ${time(closedAt)}, ${calls} calls`;
}

/**
 * Whether a request has two contradicting ends. A repeat with the answer "already over" contradicts nothing. Neither
 * does a shared id that was not resolved in time, which says nothing about the chat. A dead letter of a chat that a
 * worker knew was closed does, unless the queue delivered the request again after its first end.
 */
export function isConflicting(ask: Ask): boolean {
  const isOver = ask.heard.some(({ answer }) => answer === 'closed' || answer === 'over');
  if (!isOver) return false;
  const isRefused = ask.heard.some(({ answer }) => answer === 'not_found' || answer === 'rejected');
  return isRefused || (ask.letters.some(isOfClose) && !cameAgain(ask));
}

/** Whether a request ended twice: by an answer, and by a dead letter of a copy that was delivered later. */
export function isLateCopy(ask: Ask): boolean {
  return endHeardAt(ask) !== undefined && ask.letters.some(isOfClose) && cameAgain(ask);
}

function isOfClose({ outcome }: DeadLetter): boolean {
  return outcome !== 'look_up_expired';
}

/** Whether the simulated faults explain a dead letter. */
export function isExplained(schedule: Schedule, ask: Ask, letter: DeadLetter): boolean {
  const { outcome, reason = '' } = letter;
  if (!outcome || !reason) return false;
  if (outcome === 'rejected') {
    return ask.chat.refusedAs === 'rejected' && ask.heard.some(({ answer }) => answer === 'rejected');
  }
  return outcome === 'look_up_expired'
    ? isLookUpExplained(schedule, ask, letter)
    : isGivingUpExplained(schedule, ask, letter);
}

/** At least 15 minutes after the finish, and only after a failed call or a trouble that prevented it. */
function isLookUpExplained(schedule: Schedule, ask: Ask, { receivedAt, at }: DeadLetter): boolean {
  const { chat, sentAt = receivedAt, failures } = ask;
  const from = Math.min(receivedAt, chat.askedAt ?? receivedAt);
  if (at - from < RESOLVED_WITHIN_MS - SKEW_MS) return false;
  const isSentLate = sentAt - from >= RESOLVED_WITHIN_MS - MINUTE;
  const until = receivedAt + RESOLVED_WITHIN_MS;
  const wasKept = schedule.troubledMs(receivedAt, until, chat.project, KEEPS_FROM_CALLING) > 0;
  return failures > 0 || isSentLate || wasKept;
}

/**
 * At least 74 hours after its first receipt, and not after a final answer unless it was delivered again. PolyAI never
 * confirms its chat, or there was trouble for most of that time.
 */
function isGivingUpExplained(schedule: Schedule, ask: Ask, { at }: DeadLetter): boolean {
  if (at - (ask.firstReceivedAt ?? at) < GIVEN_UP_AFTER_MS - SKEW_MS) return false;
  if (endHeardAt(ask) !== undefined && !cameAgain(ask)) return false;
  if (ask.chat.refusedAs === 'unconfirmed') return true;
  return schedule.troubledMs(at - GIVEN_UP_AFTER_MS, at, ask.chat.project) >= TROUBLED_MS;
}
