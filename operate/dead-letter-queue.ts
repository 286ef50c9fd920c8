import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { BATCH } from '../functions/close-batches.ts';
import { type DeadLetter, readDeadLetter } from './dead-letter.ts';
import { forEachBatch } from './pace.ts';
import type { Surroundings } from './surroundings.ts';

/** If the command is killed, its messages stay invisible for this long. */
const HELD_SECONDS = 600;
const RENEW_EVERY_MS = 180_000;
/** SQS allows about 120,000 messages in flight. The worker's own closes are on another queue. */
const MAX_HELD = 100_000;
const RECEIVERS = 4;
/** A long poll asks all of SQS's servers, so an empty answer means an empty queue. */
const WAIT_SECONDS = 1;

export type DeadLetterQueue = {
  /** Receives and holds every visible message, 100,000 at most. */
  receiveAll(): Promise<DeadLetter[]>;
  /** @returns the messages that were removed; the others are still in the queue */
  remove(letters: readonly DeadLetter[]): Promise<DeadLetter[]>;
  /** Makes messages visible again at once. Where that fails, they become visible when their hold ends. */
  release(letters: readonly DeadLetter[]): Promise<void>;
  /** Whether we still hold the message. After a late renewal, somebody else may have received it. */
  isHeld(letter: DeadLetter): boolean;
  /** Releases every message that was neither removed nor released. */
  close(): Promise<void>;
};

/** Opens the dead-letter queue. Messages are held until it is closed, however long an operator takes to decide. */
export function openDeadLetterQueue(
  sqs: Pick<SQSClient, 'send'>,
  QueueUrl: string,
  { signal, progress }: Pick<Surroundings, 'signal' | 'progress'>,
): DeadLetterQueue {
  const held = new Map<string, DeadLetter>();
  const stopRenewing = renewRegularly();

  function renewRegularly(): () => void {
    let isRenewing = false;
    const timer = setInterval(() => {
      if (isRenewing) return;
      isRenewing = true;
      renewAll().finally(() => {
        isRenewing = false;
      });
    }, RENEW_EVERY_MS);
    return () => clearInterval(timer);
  }

  /** Drops a message that cannot be renewed: somebody else may hold it. After any other error, the next round tries again. */
  async function renewAll(): Promise<void> {
    await forEachBatch([...held.values()], async (letters) => {
      for (const { Code } of await changeVisibility(letters, HELD_SECONDS)) {
        progress(`Cannot hold a dead letter any longer: ${Code}`);
      }
    }).catch((error: Error) => progress(`Cannot hold the dead letters any longer: ${error.name}`));
  }

  /** @returns the failures; their messages are no longer held */
  async function changeVisibility(
    letters: readonly DeadLetter[],
    VisibilityTimeout: number,
  ): Promise<BatchResultErrorEntry[]> {
    const Entries = letters.map(({ receiptHandle: ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout,
    }));
    const { Failed = [] } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    return Failed.filter(({ Id }) => held.delete(letters[Number(Id)]?.messageId ?? ''));
  }

  async function receive(): Promise<number> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: BATCH,
        VisibilityTimeout: HELD_SECONDS,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      }),
    );
    for (const letter of Messages.map(readDeadLetter)) held.set(letter.messageId, letter);
    return Messages.length;
  }

  async function receiveAll(): Promise<DeadLetter[]> {
    let found = -1;
    while (found !== 0 && held.size < MAX_HELD && !signal.aborted) {
      const counts = await Promise.all(Array.from({ length: RECEIVERS }, receive));
      found = counts.reduce((sum, count) => sum + count, 0);
      progress(`Reading the dead letters: ${held.size}`);
    }
    return [...held.values()];
  }

  async function remove(letters: readonly DeadLetter[]): Promise<DeadLetter[]> {
    const Entries = letters.map(({ receiptHandle: ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
    }));
    const { Successful = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    const removed = Successful.flatMap(({ Id }) => letters[Number(Id)] ?? []);
    for (const { messageId } of removed) held.delete(messageId);
    return removed;
  }

  async function release(letters: readonly DeadLetter[]): Promise<void> {
    const own = letters.filter(({ messageId }) => held.has(messageId));
    await forEachBatch(own, async (batch) => {
      try {
        await changeVisibility(batch, 0);
      } catch (error) {
        progress(`Some dead letters stay hidden for up to ten minutes: ${(error as Error).name}`);
      }
      for (const { messageId } of batch) held.delete(messageId);
    });
  }

  return {
    receiveAll,
    remove,
    release,
    isHeld: ({ messageId }) => held.has(messageId),
    async close() {
      stopRenewing();
      await release([...held.values()]);
    },
  };
}
