import { ChangeMessageVisibilityCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as configured from '#configured';
import { secrets, sqs } from './aws.ts';
import { type Attempt, answered, closeLine, triedForMs } from './close/close-line.ts';
import { isAwaited, isTooLate, judgeLookUp, nextLookUpInSeconds } from './close/look-up.ts';
import {
  isGivenUp,
  type Judgement,
  judge,
  mayHaveClosed,
  nextTryInSeconds,
  OUTCOMES,
} from './close/outcome.ts';
import { queueCloses } from './close-queue.ts';
import { type CloseRequest, parseCloseRequest, UnknownVersion } from './close-request.ts';
import type { Project } from './connections.ts';
import { ENVIRONMENT } from './environment.ts';
import { faultLine, type Line, writeLine } from './log.ts';
import { closeChat, lookUpConversation, type ProjectKeys, readProjectKeys } from './polyai.ts';
import { SecretNotReady, type SecretReader, SecretUnavailable } from './secrets.ts';

export type CloseParts = {
  projects: Record<string, Project>;
  secrets: SecretReader;
  sqs: Pick<typeof sqs, 'send'>;
  closeQueueUrl: string;
  deadLetterQueueUrl: string;
  fetch: typeof globalThis.fetch;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
  /** 0 to 1. */
  random: () => number;
};

type Clock = Pick<Context, 'getRemainingTimeInMillis'>;
/** A message and what could be read of it. */
type Message = { record: SQSRecord; request?: CloseRequest; project?: Project };

/** There was no call, because there were no keys for it. */
type NoKeys = Judgement & { fault: SecretUnavailable | SecretNotReady };

/** A second call in the same delivery needs this much of the function's time, with what follows it. */
const SECOND_CALL_NEEDS_MS = 14_000;
const HOUR_MS = 3_600_000;

/**
 * The worker: takes close requests off the queue, calls PolyAI once for each, and settles each by its
 * outcome. What is done is deleted by leaving it out of the answer; what is to be tried again stays on the
 * queue, invisible until its time; what cannot succeed goes to the dead-letter queue with the reason.
 */
export function createClose(parts: CloseParts) {
  const { projects, secrets, sqs, closeQueueUrl, deadLetterQueueUrl, writeLine, now } = parts;

  return async function close(event: SQSEvent, context: Clock): Promise<SQSBatchResponse> {
    const done = await Promise.all(event.Records.map((record) => closeOne(record, context)));
    const left = event.Records.filter((_, index) => !done[index]);
    return { batchItemFailures: left.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };

  /** @returns whether the message may be deleted. Never throws, so that one message never fails its batch */
  async function closeOne(record: SQSRecord, context: Clock): Promise<boolean> {
    const message: Message = { record };
    try {
      const first = await tryOnce(message, context);
      const last = isInDoubt(message, first) ? await tryOnceMore(message, first, context) : first;
      return await settle(message, last);
    } catch (error) {
      writeLine(faultLine(message.request?.requestId, 'close', error));
      return false;
    }
  }

  async function tryOnce(message: Message, context: Clock): Promise<Attempt> {
    const startedAt = now();
    const judged = read(message) ?? (await attempt(message, context));
    // Tried again like an outage, but it may need somebody: the fault has an alarm.
    if ('fault' in judged) writeLine(faultLine(message.request?.requestId, 'close: secret', judged.fault));
    return { startedAt, endedAt: now(), ...judged };
  }

  /** Whether the close would be given up after an answer that does not say whether the chat was closed. */
  function isInDoubt({ record, request }: Message, attempt: Attempt): boolean {
    const { answer, outcome, endedAt } = attempt;
    const isGivenUpNow = OUTCOMES[outcome].next === 'retry' && isGivenUp(triedForMs(record, endedAt));
    // A look-up changes nothing, and cleanup's next run finds its chat again.
    const isOthers = request?.conversationId !== undefined && request.source !== 'cleanup';
    return isGivenUpNow && isOthers && answer !== undefined && mayHaveClosed(answer);
  }

  /**
   * Calls again at once, so that the doubtful answer is not the last one: without a store nobody could tell
   * later that this was the repeat. Where it has to wait, the close stays in doubt until the next delivery.
   */
  async function tryOnceMore(message: Message, first: Attempt, context: Clock): Promise<Attempt> {
    const { record, request, project } = message;
    const mustWait =
      answered(first)?.retryAfterMs || context.getRemainingTimeInMillis() < SECOND_CALL_NEEDS_MS;
    if (mustWait) return { ...first, isInDoubt: true };
    writeLine(closeLine(record, request, project, first, { final: false, nextTryInSeconds: 0 }));
    const second = await tryOnce(message, context);
    // Without keys there was no call, so the doubt is still there.
    return second.answer ? second : { ...second, isInDoubt: true };
  }

  /** Reads the message in place. @returns what is wrong with it, if anything */
  function read(message: Message): Judgement | undefined {
    try {
      message.request = parseCloseRequest(message.record.body);
    } catch (error) {
      const outcome = error instanceof UnknownVersion ? 'unknown_target' : 'rejected';
      return { outcome, reason: (error as Error).message };
    }
    const { project, sharedId } = message.request;
    if (!Object.hasOwn(projects, project)) {
      return { outcome: 'unknown_target', reason: 'the project is not in this deployment' };
    }
    message.project = projects[project] as Project;
    if (sharedId !== undefined && isTooLate(message.request, now())) {
      return { outcome: 'look_up_expired', reason: 'the shared id was not resolved within 15 minutes' };
    }
    if (isExpired(message.request))
      return { outcome: 'unavailable', reason: 'it expired before this attempt' };
    return undefined;
  }

  function isExpired(request: CloseRequest | undefined): boolean {
    return request?.expiresAt !== undefined && now() >= Date.parse(request.expiresAt);
  }

  /** One call, and a second at once where the secret has changed since it was cached. */
  async function attempt(message: Message, context: Clock): Promise<Attempt | NoKeys> {
    const { project, request } = message as Required<Message>;
    try {
      const seen = await secrets.read(project.secretId);
      const first = await callWith(seen, project, request);
      const isRefused = first.outcome === 'unauthorized' || !('answer' in first);
      if (!isRefused) return first;
      const changed = await readAgain(project.secretId, seen);
      if (changed === seen || context.getRemainingTimeInMillis() < SECOND_CALL_NEEDS_MS) return first;
      if ('answer' in first) {
        writeLine(closeLine(message.record, request, project, first, { final: false, nextTryInSeconds: 0 }));
      }
      return await callWith(changed, project, request);
    } catch (error) {
      if (!(error instanceof SecretUnavailable)) throw error;
      return { outcome: 'unavailable', reason: error.message, fault: error };
    }
  }

  /** What PolyAI has said counts, whatever Secrets Manager says next. */
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
      return { outcome: 'unavailable', reason, fault: new SecretNotReady(reason) };
    }
    const calling = { project, keys, requestId: request.requestId, fetch: parts.fetch, now };
    const { sharedId, conversationId = '' } = request;
    const startedAt = now();
    const answer = await (sharedId === undefined
      ? closeChat(calling, conversationId)
      : lookUpConversation(calling, sharedId));
    const judged = sharedId === undefined ? judge(answer) : judgeLookUp(answer);
    return { ...judged, answer, startedAt, endedAt: now() };
  }

  /** Does what the outcome asks for, and says so in one line. @returns whether the message may be deleted */
  async function settle(message: Message, attempt: Attempt): Promise<boolean> {
    const { record, request, project } = message;
    const say = (told: Attempt, then: { final: boolean; nextTryInSeconds?: number }) =>
      writeLine(closeLine(record, request, project, told, then));
    const triedFor = triedForMs(record, attempt.endedAt);
    const next = nextStep(message, attempt);
    if (next === 'retry' && !isExpired(request) && !isGivenUp(triedFor, attempt.isInDoubt)) {
      const seconds = waitFor(message, attempt, attempt.isInDoubt ? 0 : triedFor);
      say(attempt, { final: false, nextTryInSeconds: seconds });
      await postpone(record, request, seconds);
      return false;
    }
    const last =
      next === 'retry'
        ? { ...attempt, reason: `given up after ${(triedFor / HOUR_MS).toFixed(1)} h: ${attempt.reason}` }
        : attempt;
    const final = await hand(message, last, next);
    say(last, { final });
    return final;
  }

  function nextStep({ request }: Message, { outcome }: Attempt): 'done' | 'retry' | 'dead_letter' {
    const isEarly = outcome === 'no_conversation' && request !== undefined && isAwaited(request, now());
    return isEarly ? 'retry' : OUTCOMES[outcome].next;
  }

  function waitFor({ request }: Message, attempt: Attempt, triedFor: number): number {
    const retryAfterMs = answered(attempt)?.retryAfterMs ?? 0;
    return request?.sharedId === undefined
      ? nextTryInSeconds(triedFor, retryAfterMs, parts.random())
      : nextLookUpInSeconds(request, now(), triedFor, retryAfterMs, parts.random());
  }

  /** Sends on what must go on elsewhere. @returns whether the message has done its duty here */
  async function hand({ record, request }: Message, attempt: Attempt, next: string): Promise<boolean> {
    const conversationId = answered(attempt)?.conversationId;
    if (attempt.outcome === 'resolved' && request && conversationId)
      return queueResolved(request, conversationId);
    // Cleanup's own closes are given up quietly: its next run finds the chat again.
    if (next === 'done' || request?.source === 'cleanup') return true;
    return deadLetter(record, request, attempt);
  }

  /** The conversation of a shared id becomes a close of its own: one hop, however often that is tried. */
  async function queueResolved(
    { sharedId: _resolved, lookUpFrom: _from, ...request }: CloseRequest,
    conversationId: string,
  ) {
    try {
      await queueCloses(sqs, closeQueueUrl, [{ ...request, conversationId }]);
      return true;
    } catch (error) {
      writeLine(faultLine(request.requestId, 'close: queue', error));
      return false;
    }
  }

  /** When this fails the message comes back by the queue's own visibility timeout instead. */
  async function postpone(
    record: SQSRecord,
    request: CloseRequest | undefined,
    seconds: number,
  ): Promise<void> {
    const { receiptHandle: ReceiptHandle } = record;
    try {
      await sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: closeQueueUrl,
          ReceiptHandle,
          VisibilityTimeout: seconds,
        }),
      );
    } catch (error) {
      writeLine(faultLine(request?.requestId, 'close: change of visibility', error));
    }
  }

  /** @returns whether the dead-letter queue has confirmed it; otherwise the message stays where it is */
  async function deadLetter(
    record: SQSRecord,
    request: CloseRequest | undefined,
    { outcome, reason = outcome }: Attempt,
  ): Promise<boolean> {
    try {
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: deadLetterQueueUrl,
          MessageBody: record.body,
          MessageGroupId: record.attributes.MessageGroupId,
          MessageAttributes: {
            outcome: { DataType: 'String', StringValue: outcome },
            reason: { DataType: 'String', StringValue: reason },
          },
        }),
      );
      return true;
    } catch (error) {
      writeLine(faultLine(request?.requestId, 'close: dead-letter queue', error));
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
  deadLetterQueueUrl: process.env[ENVIRONMENT.deadLetterQueueUrl] ?? '',
  fetch,
  writeLine,
  now: Date.now,
  random: Math.random,
});
