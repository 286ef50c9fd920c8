import {
  type Ask,
  type Chat,
  cameAgain,
  type DeadLetter,
  endHeardAt,
  type Message,
  SKEW_MS,
} from './asks.ts';
import { AWS_TROUBLES, HOUR, MINUTE, type Schedule, SECOND } from './schedule.ts';

// Decides whether the simulated faults explain a dead letter, by the soak's own clock.

const GIVEN_UP_AFTER_MS = 74 * HOUR;
const RESOLVED_WITHIN_MS = 15 * MINUTE;
/** The longest wait between two calls is 72 min. A fault of AWS may add the visibility time-out. */
const LONGEST_PAUSE_MS = 80 * MINUTE;
/** A wait that an answer asks for counts up to a day. */
const LONGEST_WAIT_MS = 24 * HOUR;
/** A little longer than the worker's time-out. */
const INVOCATION_MS = 31 * SECOND;
/** A worker uses a secret this long without reading it again. */
const CACHED_MS = 5 * MINUTE;
/** In these a project is called only now and then, and a worker notices their end only after half a minute. */
const NOT_SERVED = ['outage', 'storm', 'hanging'] as const;
const NOTICED_WITHIN_MS = 31 * SECOND;
/** The worker makes the last look-up this long before its time is over. */
const LAST_TRY_BEFORE_MS = 15 * SECOND;

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

/** Notes a call, answered or prevented by a fault of AWS, and how long the request had paused before it. */
export function noteCall(schedule: Schedule, ask: Ask, at: number, waitMs: number): void {
  const from = Math.max(ask.calledAt ?? ask.firstReceivedAt ?? at, ask.waitsUntil);
  if (at > from) {
    // An attempt may have been skipped during a trouble, so each stretch between troubles counts by itself.
    ask.longestPause = Math.max(ask.longestPause, schedule.longestCalmMs(from, at, ask.chat.project));
  }
  ask.calledAt = at;
  // A copy that was asked to wait longer outlives the others.
  ask.waitsUntil = Math.max(ask.waitsUntil, at + Math.min(waitMs, LONGEST_WAIT_MS));
}

/** Whether a received message is a look-up that could succeed: it is in time, and PolyAI serves its project. */
export function isServedLookUp(schedule: Schedule, message: Message, now: number): boolean {
  const { conversationId, receivedAt, project } = message;
  if (conversationId !== undefined || now - Date.parse(receivedAt) >= RESOLVED_WITHIN_MS) return false;
  return schedule.troubledMs(now - NOTICED_WITHIN_MS, now + 1, project, NOT_SERVED) === 0;
}

/**
 * At least 15 minutes after the finish, and only with a cause of its own: a failed call, a fault that the soak made for
 * its message, a finish that came too late, a worker that did not run, a secret that was empty, a project that PolyAI
 * did not serve whenever a worker held the message, workers that were behind since a trouble of AWS, or a copy that the
 * queue delivered after the request had ended.
 */
function isLookUpExplained(schedule: Schedule, ask: Ask, { receivedAt, at, busySince }: DeadLetter): boolean {
  const { chat, sentAt = receivedAt, failures, hinderedAt = 0, firstReceiptAt = at } = ask;
  const from = Math.min(receivedAt, chat.askedAt ?? receivedAt);
  if (at - from < RESOLVED_WITHIN_MS - SKEW_MS) return false;
  const until = receivedAt + RESOLVED_WITHIN_MS;
  const isSentLate = sentAt - from >= RESOLVED_WITHIN_MS - MINUTE;
  const isReceivedLate =
    firstReceiptAt > until - MINUTE &&
    schedule.troubledMs(receivedAt, firstReceiptAt, chat.project, ['event_source_off']) > 0;
  const isSecretEmpty =
    schedule.troubledMs(receivedAt - CACHED_MS, until, chat.project, ['empty_secret']) > 0;
  // From its last look-up to this receipt, others waited all the time.
  const isWorkerBehind =
    busySince < until - LAST_TRY_BEFORE_MS - SKEW_MS &&
    schedule.troubledMs(busySince, at, chat.project, AWS_TROUBLES) > 0;
  const wasNeverServed = ask.firstReceiptAt !== undefined && ask.firstReceiptAt < until && !ask.wasServed;
  const isCopy = (ask.receipts.at(-1) ?? 0) > (endHeardAt(ask) ?? Number.POSITIVE_INFINITY);
  const hasFailed = failures > 0 || hinderedAt >= receivedAt;
  const wasNeverTried = isSecretEmpty || wasNeverServed || isReceivedLate || isWorkerBehind;
  return hasFailed || isSentLate || wasNeverTried || isCopy;
}

/**
 * At least 74 hours after its first receipt, and not after a final answer unless it was delivered again. Its last call
 * failed or was prevented, and it was called for as often as promised: it never paused for longer than the longest wait,
 * apart from troubles and from waits that PolyAI asked for.
 */
function isGivingUpExplained(schedule: Schedule, ask: Ask, { at }: DeadLetter): boolean {
  const { chat, firstReceivedAt = at, failedAt = 0, hinderedAt = 0, longestPause } = ask;
  if (at - firstReceivedAt < GIVEN_UP_AFTER_MS - SKEW_MS) return false;
  if (endHeardAt(ask) !== undefined && !cameAgain(ask)) return false;
  const hasFailedNow = Math.max(failedAt, hinderedAt) >= at - INVOCATION_MS;
  const isPrevented = schedule.troubledMs(at - INVOCATION_MS, at, chat.project) > 0;
  return (hasFailedNow || isPrevented) && longestPause <= LONGEST_PAUSE_MS;
}
