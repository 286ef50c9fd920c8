import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { batchesOf } from '../close-batches.ts';
import type { CloseRequest } from '../close-request.ts';
import { faultLine, type Line } from '../log.ts';
import { MINUTE_MS, SECOND_MS } from '../time.ts';
import { firstReceivedAt, type Held } from './close-message.ts';
import type { Outcome } from './outcome.ts';

type MoveParts = {
  sqs: Pick<SQSClient, 'send'>;
  closeQueueUrl: string;
  deadLetterQueueUrl: string;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
};

/**
 * A close that goes back to its queue, and when it is due, in Unix milliseconds. One that is due goes back at once, with
 * its message group.
 */
export type Waiting = { record: SQSRecord; request: CloseRequest; dueAt: number; group?: string };

/** SQS delays a message by at most this time. A longer wait takes several sends. */
const MAX_DELAY_MS = 15 * MINUTE_MS;
/** After a send without an answer the next closes stay in flight for so long. */
const NO_SENDS_FOR_MS = 30 * SECOND_MS;
/** But a container keeps no more than these, because SQS delivers nothing when about 120,000 messages are in flight. */
const MAX_KEPT = 2000;

/**
 * Creates the worker's calls to SQS. None of them throws: a failure is a fault line, and the message comes back after
 * the queue's visibility timeout.
 */
export function createMoves({ sqs, closeQueueUrl, deadLetterQueueUrl, writeLine, now }: MoveParts) {
  let noSendsUntil = 0;
  /** When the closes are due that stay in flight because SQS did not answer. */
  let kept: number[] = [];

  return {
    /** Hides a message until its next attempt. It is in flight until then. */
    async hide({ record, request }: Held, seconds: number): Promise<void> {
      const { receiptHandle: ReceiptHandle } = record;
      const hidden = { QueueUrl: closeQueueUrl, ReceiptHandle, VisibilityTimeout: seconds };
      try {
        await sqs.send(new ChangeMessageVisibilityCommand(hidden));
      } catch (error) {
        writeLine(faultLine(request?.requestId, 'close: change of visibility', error));
      }
    },

    /**
     * Sends closes back to the queue, each with its delay. A delayed message is not in flight, so any number may wait.
     *
     * A send with a delay has no message group: AWS documents delays for standard queues and groups for fair queues, but
     * nowhere the two together.
     *
     * A send without an answer takes seconds and may leave a copy. For the next 30 s nothing is sent back then, so that
     * the closes of a project that is down do not hold every worker while SQS is slow. They stay in flight.
     *
     * @returns the records whose sends SQS has confirmed: only these may be deleted
     * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html
     */
    async sendBack(closes: readonly Waiting[]): Promise<Set<SQSRecord>> {
      if (mayKeep(closes)) return new Set();
      const sent = await Promise.all(batchesOf(closes).map(sendBatch));
      return new Set(sent.flat());
    },

    /** Returns whether the dead-letter queue has confirmed the message. Otherwise it stays on the close queue. */
    async deadLetter(
      { record, request }: Held,
      { outcome, reason = outcome }: { outcome: Outcome; reason?: string },
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
    },
  };

  /** Whether closes stay in flight without a send. */
  function mayKeep(closes: readonly Waiting[]): boolean {
    if (now() >= noSendsUntil) return false;
    kept = kept.filter((dueAt) => dueAt > now());
    if (kept.length + closes.length > MAX_KEPT) return false;
    kept.push(...closes.map(({ dueAt }) => dueAt));
    return true;
  }

  async function sendBatch(closes: readonly Waiting[]): Promise<SQSRecord[]> {
    const Entries = closes.map((close, index) => ({
      Id: String(index),
      MessageBody: bodyToSendBack(close),
      ...(close.group
        ? { MessageGroupId: close.group }
        : { DelaySeconds: delaySeconds(close.dueAt - now()) }),
    }));
    try {
      const batch = new SendMessageBatchCommand({ QueueUrl: closeQueueUrl, Entries });
      const { Successful = [], Failed = [] } = await sqs.send(batch);
      for (const { Id, Code } of Failed) report(closes[Number(Id)], new Error(`${Code ?? 'no code'}`));
      return Successful.flatMap(({ Id }) => closes[Number(Id)]?.record ?? []);
    } catch (error) {
      noSendsUntil = now() + NO_SENDS_FOR_MS;
      for (const close of closes) report(close, error);
      return [];
    }
  }

  function report(close: Waiting | undefined, error: unknown): void {
    writeLine(faultLine(close?.request.requestId, 'close: send back', error));
  }
}

/** The message as it was, with the first try and the next one. A newer version's fields stay in it. */
function bodyToSendBack({ record, request, dueAt }: Waiting): string {
  const triedSince = new Date(firstReceivedAt({ record, request })).toISOString();
  return JSON.stringify({ ...JSON.parse(record.body), triedSince, notBefore: new Date(dueAt).toISOString() });
}

/** @returns whole seconds, at most what SQS takes */
function delaySeconds(waitMs: number): number {
  return Math.ceil(Math.min(Math.max(0, waitMs), MAX_DELAY_MS) / SECOND_MS);
}
