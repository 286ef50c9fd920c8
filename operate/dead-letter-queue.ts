import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { BATCH } from '../functions/close-queue.ts';
import type { Surroundings } from '../scripts/command/run.ts';
import { type DeadLetter, readDeadLetter } from './dead-letter.ts';
import { forEachBatch } from './pace.ts';

/** A command that is killed leaves what it held invisible for this long. */
const HELD_SECONDS = 600;
const RENEWED_EVERY_MS = 180_000;
/** SQS gives out about 120,000 before it stops, and the worker's own closes are on another queue. */
const MOST = 100_000;
const RECEIVERS = 4;
/** A long poll asks all of SQS's servers, so that an empty answer means an empty queue. */
const WAIT_SECONDS = 1;

export type DeadLetterQueue = {
  /** Takes and holds all that is visible, at most 100,000. */
  receiveAll(): Promise<DeadLetter[]>;
  /** @returns those that SQS did not confirm: they are still there */
  remove(letters: readonly DeadLetter[]): Promise<DeadLetter[]>;
  /** Makes them visible again at once; what fails becomes visible by itself. */
  release(letters: readonly DeadLetter[]): Promise<void>;
  /** Whether it is still ours alone: not visible to others again because a renewal came too late. */
  isHeld(letter: DeadLetter): boolean;
  /** Releases everything that was neither removed nor released. */
  close(): Promise<void>;
};

/** Holds messages for as long as it is open, however long an operator thinks about them. */
export function openDeadLetterQueue(
  sqs: Pick<SQSClient, 'send'>,
  QueueUrl: string,
  { signal, progress }: Pick<Surroundings, 'signal' | 'progress'>,
): DeadLetterQueue {
  const held = new Map<string, DeadLetter>();
  let isRenewing = false;
  const renewing = setInterval(() => {
    if (isRenewing) return;
    isRenewing = true;
    renewAll().finally(() => {
      isRenewing = false;
    });
  }, RENEWED_EVERY_MS);

  /** What cannot be renewed may be with somebody else already. One that failed for another reason is tried again. */
  async function renewAll(): Promise<void> {
    await forEachBatch([...held.values()], async (letters) => {
      for (const { Code } of await changeVisibility(letters, HELD_SECONDS)) {
        progress(`A dead letter could not be held any longer: ${Code}`);
      }
    }).catch((error: Error) => progress(`The dead letters could not be held any longer: ${error.name}`));
  }

  /** @returns what failed and is not held any more because of that */
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
    while (found !== 0 && held.size < MOST && !signal.aborted) {
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
    const removed = new Set(Successful.map(({ Id }) => Number(Id)));
    for (const index of removed) held.delete(letters[index]?.messageId ?? '');
    return letters.filter((_, index) => !removed.has(index));
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
      clearInterval(renewing);
      await release([...held.values()]);
    },
  };
}
