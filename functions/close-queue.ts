import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { sendCloses } from './close-batches.ts';
import type { CloseRequest } from './close-request.ts';

/**
 * Queues closes with the SDK's client, for a function that has it anyway.
 *
 * @param isShared whether the queue has closes of several projects
 * @throws {NotQueued} unless SQS has confirmed every close
 */
export function queueCloses(
  sqs: Pick<SQSClient, 'send'>,
  queueUrl: string,
  requests: readonly CloseRequest[],
  isShared = true,
): Promise<void> {
  return sendCloses((batch) => sqs.send(new SendMessageBatchCommand(batch)), queueUrl, requests, isShared);
}
