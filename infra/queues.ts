import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

const RETENTION = Duration.days(14);
const BATCH = 10;
/** AWS's advice for a queue that feeds a function: a shorter one may hand out a message that is still in work. */
const VISIBILITY_PER_TIMEOUT = 6;

/** A queue, and the queue of the messages that it gave up on. */
export type QueuePair = { queue: Queue; deadLetters: Queue };

/**
 * Creates a queue and its dead-letter queue. Both are encrypted, take only TLS and keep a message for 14 days.
 *
 * @param ids the constructs' ids
 * @param visibility how long a received message is hidden
 * @param key the user's own key; SQS's without it
 * @param maxReceives a message that was received so often is a dead letter
 */
export function createQueues(
  scope: Construct,
  ids: { queue: string; deadLetters: string },
  { visibility, maxReceives, key }: { visibility: Duration; maxReceives: number; key: IKey | undefined },
): QueuePair {
  const encrypted = key
    ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key }
    : { encryption: QueueEncryption.SQS_MANAGED };
  const both = { ...encrypted, enforceSSL: true, retentionPeriod: RETENTION };
  const deadLetters = new Queue(scope, ids.deadLetters, both);
  const queue = new Queue(scope, ids.queue, {
    ...both,
    visibilityTimeout: visibility,
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: maxReceives },
  });
  return { queue, deadLetters };
}

/**
 * Feeds a function from a queue, ten messages at a time. It is not the CDK's `SqsEventSource`, which would add to
 * the role's permissions.
 *
 * @param maxConcurrency how many of the function may run at once for this queue; Lambda takes 2 or more
 */
export function feed(worker: LambdaFunction, queue: IQueue, maxConcurrency: number): void {
  worker.addEventSourceMapping('Source', {
    eventSourceArn: queue.queueArn,
    batchSize: BATCH,
    reportBatchItemFailures: true,
    maxConcurrency,
  });
}

/**
 * @throws {Error} unless the visibility is at least six times the timeout
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export function requireVisibility(visibility: Duration, timeout: Duration): void {
  if (visibility.toSeconds() >= VISIBILITY_PER_TIMEOUT * timeout.toSeconds()) return;
  throw new Error(
    `A queue hides a message for ${visibility.toSeconds()} s, less than six times the ${timeout.toSeconds()} s of its function. Raise the visibility next to the function's timeout in infra/.`,
  );
}
