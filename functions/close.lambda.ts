import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as configured from '#configured';
import { secrets, sqs } from './aws.ts';
import { createAttempts, hasExpired, type TimeLeft } from './close/attempt.ts';
import { createCircuitBreaker } from './close/circuit-breaker.ts';
import { type Attempt, answered, closeLine } from './close/close-line.ts';
import { type CloseMessage, type Opened, openMessage, triedForMs } from './close/close-message.ts';
import { createCopies } from './close/copies.ts';
import { isAwaited, nextLookUpInSeconds } from './close/look-up.ts';
import { createMoves, type Waiting } from './close/moves.ts';
import { isGivenUp, nextTryInSeconds, OUTCOMES } from './close/outcome.ts';
import { queueCloses } from './close-queue.ts';
import type { CloseRequest } from './close-request.ts';
import type { Project } from './connections.ts';
import { ENVIRONMENT } from './environment.ts';
import { faultLine, type Line, writeLine } from './log.ts';
import type { SecretReader } from './secrets.ts';
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

/** SQS hides a message for at most 12 h after it was received. */
const MAX_HIDDEN_SECONDS = 11 * 3600;

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
  const { projects, sqs, closeQueueUrl, isShared = true, writeLine, now } = parts;
  const moves = createMoves(parts);
  const breaker = createCircuitBreaker(now);
  const copies = createCopies(now);
  const attemptClose = createAttempts({ ...parts, breaker });

  return async function close({ Records }: SQSEvent, context: TimeLeft): Promise<SQSBatchResponse> {
    const settled = await settleAll(Records, context, true);
    const kept = Records.filter((record) => settled.get(record) !== 'done');
    return { batchItemFailures: kept.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };

  /** @param mayRejoin whether a close whose time has come may first go back to its message group */
  async function settleAll(
    records: readonly SQSRecord[],
    context: TimeLeft,
    mayRejoin: boolean,
  ): Promise<Map<SQSRecord, Settled>> {
    const each = records.map(async (record) => [record, await closeOne(record, context, mayRejoin)] as const);
    const settled = new Map(await Promise.all(each));
    const waiting = [...settled.values()].filter((one) => typeof one === 'object');
    if (waiting.length === 0) return settled;
    const sent = await moves.sendBack(waiting);
    for (const { record, request, dueAt } of waiting) {
      if (!sent.has(record)) continue;
      copies.sentBack(request, dueAt);
      settled.set(record, 'done');
    }
    const left = waiting.filter(({ record }) => !sent.has(record));
    // Without SQS's confirmation a close stays in flight until it is due. One that is due is attempted without its group.
    await Promise.all(
      left.filter(({ group }) => !group).map((close) => moves.hide(close, secondsUntil(close.dueAt))),
    );
    const due = left.filter(({ group }) => group).map(({ record }) => record);
    if (due.length > 0) for (const entry of await settleAll(due, context, false)) settled.set(...entry);
    return settled;
  }

  /** Never throws. */
  async function closeOne(record: SQSRecord, context: TimeLeft, mayRejoin: boolean): Promise<Settled> {
    const message = openMessage(record, projects);
    try {
      if (message.request && copies.isSuperseded(message.request)) return 'done';
      const dueAt = Date.parse(message.request?.notBefore ?? '');
      if (dueAt > now()) return await wait(message, dueAt);
      if (mayRejoin && mustRejoin(message))
        return { record, request: message.request, dueAt, group: message.request.project };
      return await settle(message, await attemptClose(message, context));
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

  /** Does what the outcome requires and writes its log line. */
  async function settle(message: CloseMessage, attempt: Attempt): Promise<Settled> {
    const triedFor = triedForMs(message, attempt.endedAt);
    const next = nextStep(message, attempt);
    if (next === 'retry' && !hasExpired(message.request, now()) && !isGivenUp(triedFor, attempt.isInDoubt)) {
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
