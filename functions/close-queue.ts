import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { CloseRequest } from './close-request.ts';

/** SQS takes and gives ten messages a call. */
export const BATCH = 10;

/** SQS did not confirm every close; some may be queued all the same, which is harmless. */
export class NotQueued extends Error {
  override name = 'NotQueued';
}

/**
 * Queues closes: ten entries a call, all calls at once. The group is the project, so that SQS's fair queues
 * favour the quiet ones.
 *
 * @throws {NotQueued} unless SQS has confirmed every one
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export async function queueCloses(
  sqs: Pick<SQSClient, 'send'>,
  queueUrl: string,
  requests: readonly CloseRequest[],
): Promise<void> {
  const batches = batchesOf(requests);
  const results = await Promise.allSettled(batches.map((batch) => sendBatch(sqs, queueUrl, batch)));
  const failed = results.filter((result) => result.status === 'rejected');
  if (failed.length > 0) {
    throw new NotQueued(
      `${failed.length} of ${batches.length} batches were not queued: ${nameOf(failed[0]?.reason)}`,
    );
  }
}

/** The items in their order, so many at a time. */
export function batchesOf<T>(items: readonly T[], size = BATCH): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** SQS answered, and did not confirm every entry. */
class Refused extends Error {
  override name = 'Refused';
}

/** Our own words; of another error the name alone, because its message may quote what SQS answered. */
function nameOf(error: unknown): string {
  return error instanceof Refused ? error.message : ((error as Error | undefined)?.name ?? 'Error');
}

async function sendBatch(
  sqs: Pick<SQSClient, 'send'>,
  QueueUrl: string,
  requests: readonly CloseRequest[],
): Promise<void> {
  const Entries = requests.map((request, index) => ({
    Id: String(index),
    MessageBody: JSON.stringify(request),
    MessageGroupId: request.project,
  }));
  const { Successful, Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  if (Successful?.length !== Entries.length) {
    throw new Refused(
      `${Failed?.length ?? 'some'} of ${Entries.length} entries failed: ${Failed?.[0]?.Code ?? 'no code'}`,
    );
  }
}
