import type { CloseRequest } from './close-request.ts';
import { ChatCloserError } from './error.ts';

/** SQS sends and receives at most ten messages in one call. */
export const BATCH = 10;

/** Calls `SendMessageBatch`. The shapes are the API's. */
export type SendBatch = (batch: {
  QueueUrl: string;
  Entries: { Id: string; MessageBody: string; MessageGroupId?: string }[];
}) => Promise<{
  Successful?: { Id?: string | undefined; MD5OfMessageBody?: string | undefined }[] | undefined;
  Failed?: { Code?: string | undefined }[] | undefined;
}>;

/** SQS did not confirm every close. Some may be queued all the same; closing a chat twice is harmless. */
export class NotQueued extends ChatCloserError {
  override name = 'NotQueued';
}

/**
 * Queues closes: ten in a call, all calls at once. The message group is the project, so that SQS's fair queues
 * favour projects with few messages. AWS charges for it, so a stack with one project goes without.
 *
 * @param isShared whether the queue has closes of several projects
 * @throws {NotQueued} unless SQS has confirmed every close
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export async function sendCloses(
  send: SendBatch,
  queueUrl: string,
  requests: readonly CloseRequest[],
  isShared = true,
): Promise<void> {
  const batches = batchesOf(requests);
  const results = await Promise.allSettled(
    batches.map((batch) => sendBatch(send, queueUrl, batch, isShared)),
  );
  const failed = results.filter((result) => result.status === 'rejected');
  if (failed.length > 0) {
    throw new NotQueued(
      `${failed.length} of ${batches.length} batches were not queued: ${nameOf(failed[0]?.reason)}`,
      { cause: failed[0]?.reason },
    );
  }
}

/** Splits items into batches of at most `size`, in their order. */
export function batchesOf<T>(items: readonly T[], size = BATCH): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** The message of our own error, or only the name of another one, whose message may quote SQS's answer. */
function nameOf(error: unknown): string {
  return error instanceof NotQueued ? error.message : ((error as Error | undefined)?.name ?? 'Error');
}

async function sendBatch(
  send: SendBatch,
  QueueUrl: string,
  requests: readonly CloseRequest[],
  isShared: boolean,
): Promise<void> {
  const Entries = requests.map((request, index) => ({
    Id: String(index),
    MessageBody: JSON.stringify(request),
    ...(isShared && { MessageGroupId: request.project }),
  }));
  const { Successful, Failed } = await send({ QueueUrl, Entries });
  if (Successful?.length !== Entries.length) {
    throw new NotQueued(
      `${Failed?.length ?? 'some'} of ${Entries.length} entries failed: ${Failed?.[0]?.Code ?? 'no code'}`,
    );
  }
}
