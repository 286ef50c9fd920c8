import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as configured from '#configured';
import { secrets, sqs } from './aws.ts';
import { createCircuitBreaker } from './close/circuit-breaker.ts';
import { type Attempt, answered, closeLine } from './close/close-line.ts';
import { type CloseMessage, type Opened, openMessage, triedForMs } from './close/close-message.ts';
import { createCopies } from './close/copies.ts';
import { isAwaited, isLastLookUp, isTooLate, judgeLookUp, nextLookUpInSeconds } from './close/look-up.ts';
import { createMoves, type Waiting } from './close/moves.ts';
import {
  isGivenUp,
  type Judgement,
  judge,
  mayHaveClosed,
  nextTryInSeconds,
  OUTCOMES,
} from './close/outcome.ts';
import { queueCloses } from './close-queue.ts';
import type { CloseRequest } from './close-request.ts';
import type { Project } from './connections.ts';
import { ENVIRONMENT } from './environment.ts';
import { faultLine, type Line, writeLine } from './log.ts';
import { closeChat, lookUpConversation, type ProjectKeys, readProjectKeys } from './polyai.ts';
import { SecretNotReady, type SecretReader, SecretUnavailable } from './secrets.ts';
import { HOUR_MS, SECOND_MS } from './time.ts';

export type CloseParts = {
  projects: Record<string, Project>;
  secrets: SecretReader;
  sqs: Pick<typeof sqs, 'send'>;
  closeQueueUrl: string;
  /** Whether the close queue has closes of several projects. */
  isShared?: boolean;
  deadLetterQueueUrl: string;
  fetch: typeof globalThis.fetch;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
  /** 0 to 1. */
  random: () => number;
};

/** How much time the function has left. */
type TimeLeft = Pick<Context, 'getRemainingTimeInMillis'>;

/** PolyAI was not called, because the project's keys could not be read. */
type NoKeys = Judgement & { fault: SecretUnavailable | SecretNotReady };

/** SQS hides a message for at most 12 h after it was received. */
const MAX_HIDDEN_SECONDS = 11 * 3600;

/** A second call in the same delivery needs this much of the function's time, including what follows it. */
const SECOND_CALL_NEEDS_MS = 14 * SECOND_MS;

/** A wait up to this long is spent in flight. A longer one is spent outside, by a send with a delay. */
const SHORT_WAIT_MS = 30 * SECOND_MS;

/** Whether a message may be deleted, or that it goes back to the queue by a send. */
type Settled = 'done' | 'kept' | Waiting;

/**
 * The worker: takes close requests off the queue, calls PolyAI once for each, and settles each by its outcome. A
 * finished message is deleted. A message to retry stays on the queue for a short wait. For a longer one it is sent back
 * with a delay and then deleted, so that only what is being worked on is in flight. A crash between the two duplicates
 * a close, and closing a chat twice is harmless. One that cannot succeed goes to the dead-letter queue with the reason.
 */
export function createClose(parts: CloseParts) {
  const { projects, secrets, sqs, closeQueueUrl, isShared = true, writeLine, now } = parts;
  const moves = createMoves(parts);
  const breaker = createCircuitBreaker(now);
  const copies = createCopies(now);

  return async function close({ Records }: SQSEvent, context: TimeLeft): Promise<SQSBatchResponse> {
    const settled = await Promise.all(Records.map((record) => closeOne(record, context)));
    const waiting = settled.filter((each) => typeof each === 'object');
    const sentBack = await sendBack(waiting);
    const kept = Records.filter((record, index) => settled[index] !== 'done' && !sentBack.has(record));
    return { batchItemFailures: kept.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };

  /** A close that could not be sent back stays in flight until it is due, or as long as SQS allows. */
  async function sendBack(waiting: readonly Waiting[]): Promise<ReadonlySet<SQSRecord>> {
    if (waiting.length === 0) return new Set();
    const sent = await moves.sendBack(waiting);
    for (const { record, request, dueAt } of waiting) if (sent.has(record)) copies.sentBack(request, dueAt);
    const left = waiting.filter(({ record }) => !sent.has(record));
    await Promise.all(left.map((close) => moves.hide(close, secondsUntil(close.dueAt))));
    return sent;
  }

  /** Never throws. */
  async function closeOne(record: SQSRecord, context: TimeLeft): Promise<Settled> {
    const message = openMessage(record, projects);
    try {
      if (message.request && copies.isSuperseded(message.request)) return 'done';
      const dueAt = Date.parse(message.request?.notBefore ?? '');
      if (dueAt > now()) return await wait(message, dueAt);
      if (mustRejoin(message))
        return { record, request: message.request, dueAt, group: message.request.project };
      const first = await tryOnce(message, context);
      const last = isInDoubt(message, first) ? await tryOnceMore(message, first, context) : first;
      return await settle(message, last);
    } catch (error) {
      writeLine(faultLine(message.request?.requestId, 'close', error));
      return 'kept';
    }
  }

  /**
   * Whether a close that was sent back must first rejoin its message group. Without its group SQS cannot tell that it
   * is one of very many, and those of a project whose outage has just ended would crowd out all others.
   */
  function mustRejoin(message: CloseMessage): message is Opened {
    const { record, request } = message;
    const isDue = request?.notBefore !== undefined && record.attributes.MessageGroupId === undefined;
    return isShared && isDue && !('judgement' in message) && !breaker.isOpen(request.project);
  }

  /** Hides the message, or has it sent back. A message that this version cannot read must not be written again. */
  async function wait({ record, request }: CloseMessage, dueAt: number): Promise<Settled> {
    if (request && dueAt - now() > SHORT_WAIT_MS) return { record, request, dueAt };
    await moves.hide({ record, request }, secondsUntil(dueAt));
    return 'kept';
  }

  function secondsUntil(dueAt: number): number {
    return Math.min(Math.max(1, Math.ceil((dueAt - now()) / SECOND_MS)), MAX_HIDDEN_SECONDS);
  }

  async function tryOnce(message: CloseMessage, context: TimeLeft): Promise<Attempt> {
    const startedAt = now();
    const judged =
      'judgement' in message
        ? message.judgement
        : (judgeAge(message.request) ?? judgeProject(message) ?? (await attempt(message, context)));
    // The close is retried as in an outage, but somebody may have to act: the fault line raises an alarm.
    if ('fault' in judged) writeLine(faultLine(message.request?.requestId, 'close: secret', judged.fault));
    return { startedAt, endedAt: now(), ...judged };
  }

  /** Returns the outcome of a request that is too old to attempt. */
  function judgeAge(request: CloseRequest): Judgement | undefined {
    if (request.sharedId !== undefined && isTooLate(request, now())) {
      return { outcome: 'look_up_expired', reason: 'the shared id was not resolved within 15 minutes' };
    }
    return hasExpired(request)
      ? { outcome: 'unavailable', reason: 'it expired before this attempt' }
      : undefined;
  }

  /**
   * Returns the outcome of a close whose project is down. Its last attempt is always a call, also the last look-up and
   * the canary's only attempt.
   */
  function judgeProject(message: Opened): Judgement | undefined {
    const { request } = message;
    const isLast =
      request.canary ||
      isGivenUp(triedForMs(message, now())) ||
      (request.sharedId !== undefined && isLastLookUp(request, now()));
    if (isLast || !breaker.isOpen(request.project)) {
      breaker.calling(request.project);
      return undefined;
    }
    return {
      outcome: 'unavailable',
      reason: 'not called: PolyAI did not serve the last calls of this project',
    };
  }

  function hasExpired(request: CloseRequest | undefined): boolean {
    return request?.expiresAt !== undefined && now() >= Date.parse(request.expiresAt);
  }

  /** Calls PolyAI once, and again if the secret has changed since it was cached. */
  async function attempt(message: Opened, context: TimeLeft): Promise<Attempt | NoKeys> {
    const { project, request } = message;
    try {
      const seen = await secrets.read(project.secretId);
      const first = await callWith(seen, project, request);
      const isRefused = first.outcome === 'unauthorized' || !('answer' in first);
      if (!isRefused) return first;
      const changed = await readAgain(project.secretId, seen);
      if (changed === seen || context.getRemainingTimeInMillis() < SECOND_CALL_NEEDS_MS) return first;
      if ('answer' in first) writeLine(closeLine(message, first, { final: false, nextTryInSeconds: 0 }));
      return await callWith(changed, project, request);
    } catch (error) {
      if (!(error instanceof SecretUnavailable)) throw error;
      return { outcome: 'unavailable', reason: error.message, fault: error };
    }
  }

  /** If the secret cannot be read again, PolyAI's 401 stays the outcome. */
  async function readAgain(secretId: string, seen: string): Promise<string> {
    try {
      return await secrets.readAgain(secretId, seen);
    } catch (error) {
      if (error instanceof SecretUnavailable) return seen;
      throw error;
    }
  }

  async function callWith(
    secret: string,
    project: Project,
    request: CloseRequest,
  ): Promise<Attempt | NoKeys> {
    let keys: ProjectKeys;
    try {
      keys = readProjectKeys(secret);
    } catch (error) {
      if (!(error instanceof SecretNotReady)) throw error;
      const reason = `secret ${project.secretId} is not ready: ${error.message}`;
      return { outcome: 'unavailable', reason, fault: new SecretNotReady(reason, { cause: error }) };
    }
    const call = { project, keys, requestId: request.requestId, fetch: parts.fetch, now };
    const { sharedId, conversationId = '' } = request;
    const startedAt = now();
    const answer = await (sharedId === undefined
      ? closeChat(call, conversationId)
      : lookUpConversation(call, sharedId));
    const judged = sharedId === undefined ? judge(answer) : judgeLookUp(answer);
    const attempt = { ...judged, answer, startedAt, endedAt: now() };
    breaker.record(request.project, attempt);
    return attempt;
  }

  /** Whether the close would be given up although PolyAI's answer does not say whether the chat was closed. */
  function isInDoubt(message: CloseMessage, { answer, outcome, endedAt }: Attempt): boolean {
    const { request } = message;
    const isGivenUpNow = OUTCOMES[outcome].next === 'retry' && isGivenUp(triedForMs(message, endedAt));
    // A look-up changes nothing, cleanup's next run finds its chat again, and the canary has no chat.
    const matters = request?.conversationId !== undefined && request.source !== 'cleanup' && !request.canary;
    return isGivenUpNow && matters && answer !== undefined && mayHaveClosed(answer);
  }

  /**
   * Calls again at once, so that the last answer is not a doubtful one. It must happen now: nothing is stored, so a
   * later delivery could not know that it repeats this call. If it has to wait, the close stays in doubt until the
   * next delivery.
   */
  async function tryOnceMore(message: CloseMessage, first: Attempt, context: TimeLeft): Promise<Attempt> {
    const mustWait =
      answered(first)?.retryAfterMs || context.getRemainingTimeInMillis() < SECOND_CALL_NEEDS_MS;
    if (mustWait) return { ...first, isInDoubt: true };
    writeLine(closeLine(message, first, { final: false, nextTryInSeconds: 0 }));
    const second = await tryOnce(message, context);
    // Without keys PolyAI was not called, so the doubt remains.
    return second.answer ? second : { ...second, isInDoubt: true };
  }

  /** Does what the outcome requires and writes its log line. */
  async function settle(message: CloseMessage, attempt: Attempt): Promise<Settled> {
    const triedFor = triedForMs(message, attempt.endedAt);
    const next = nextStep(message, attempt);
    if (next === 'retry' && !hasExpired(message.request) && !isGivenUp(triedFor, attempt.isInDoubt)) {
      const seconds = waitFor(message, attempt, attempt.isInDoubt ? 0 : triedFor);
      writeLine(closeLine(message, attempt, { final: false, nextTryInSeconds: seconds }));
      return wait(message, now() + seconds * SECOND_MS);
    }
    const last =
      next === 'retry'
        ? { ...attempt, reason: `given up after ${(triedFor / HOUR_MS).toFixed(1)} h: ${attempt.reason}` }
        : attempt;
    const final = await finish(message, last, next);
    writeLine(closeLine(message, last, { final }));
    return final ? 'done' : 'kept';
  }

  function nextStep({ request }: CloseMessage, { outcome }: Attempt): 'done' | 'retry' | 'dead_letter' {
    // The next run tries again, and a canary that waits for another attempt would show nothing meanwhile.
    if (request?.canary) return 'done';
    const isEarly = outcome === 'no_conversation' && request !== undefined && isAwaited(request, now());
    return isEarly ? 'retry' : OUTCOMES[outcome].next;
  }

  function waitFor({ request }: CloseMessage, attempt: Attempt, triedFor: number): number {
    const retryAfterMs = answered(attempt)?.retryAfterMs ?? 0;
    return request?.sharedId === undefined
      ? nextTryInSeconds(triedFor, retryAfterMs, parts.random())
      : nextLookUpInSeconds(request, now(), triedFor, retryAfterMs, parts.random());
  }

  /** Queues the resolved close, dead-letters, or drops. Returns whether the message may be deleted. */
  async function finish(message: CloseMessage, attempt: Attempt, next: string): Promise<boolean> {
    const { request } = message;
    const conversationId = answered(attempt)?.conversationId;
    if (attempt.outcome === 'resolved' && request && conversationId) {
      return queueResolved(request, conversationId);
    }
    // A close of cleanup needs no dead letter, because its next run finds the chat again.
    if (next === 'done' || request?.source === 'cleanup') return true;
    return moves.deadLetter(message, attempt);
  }

  /** Queues a close by conversation id in place of the look-up. Returns whether SQS has confirmed it. */
  async function queueResolved(
    { sharedId: _, lookUpFrom: _from, triedSince: _since, notBefore: _due, ...request }: CloseRequest,
    conversationId: string,
  ): Promise<boolean> {
    try {
      await queueCloses(sqs, closeQueueUrl, [{ ...request, conversationId }], isShared);
      return true;
    } catch (error) {
      writeLine(faultLine(request.requestId, 'close: queue', error));
      return false;
    }
  }
}

await secrets.readAhead(Object.values(configured.projects).map(({ secretId }) => secretId));

export const handler = createClose({
  projects: configured.projects,
  secrets,
  sqs,
  closeQueueUrl: process.env[ENVIRONMENT.closeQueueUrl] ?? '',
  isShared: configured.isShared,
  deadLetterQueueUrl: process.env[ENVIRONMENT.deadLetterQueueUrl] ?? '',
  fetch,
  writeLine,
  now: Date.now,
  random: Math.random,
});
