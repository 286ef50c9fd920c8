import { createHash } from 'node:crypto';
import type { SendBatch } from '../close-batches.ts';
import { ChatCloserError } from '../error.ts';
import { createCall } from './call.ts';

/** SQS has stored something else than what was sent. */
export class WrongChecksum extends ChatCloserError {
  override name = 'WrongChecksum';
}

const call = createCall({
  name: 'sqs',
  target: 'AmazonSQS',
  jsonVersion: '1.0',
  // Asks for the codes of errors of the older protocol too, as the SDK does.
  headers: { 'x-amzn-query-mode': 'true' },
});

/**
 * Sends up to ten messages to the host of the queue's URL, as the SDK does whatever endpoint is configured, and checks
 * the hash that SQS answers for each.
 *
 * @throws {WrongChecksum} when SQS has received another body than was sent
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export const sendMessageBatch: SendBatch = async (batch) => {
  const answer: Awaited<ReturnType<SendBatch>> = await call(
    'SendMessageBatch',
    batch,
    new URL(new URL(batch.QueueUrl).origin),
  );
  const sent = new Map(batch.Entries.map(({ Id, MessageBody }) => [Id, MessageBody]));
  const wrong = (answer.Successful ?? []).filter(
    ({ Id = '', MD5OfMessageBody }) => sent.has(Id) && md5(sent.get(Id) ?? '') !== MD5OfMessageBody,
  );
  if (wrong.length > 0) {
    throw new WrongChecksum(`SQS has received ${wrong.length} messages otherwise than they were sent`);
  }
  return answer;
};

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
