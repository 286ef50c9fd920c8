import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';

/**
 * Handles the records of a batch side by side. SQS deletes those that are settled and hands out the others again.
 *
 * @param settle returns whether a record may be deleted; it must not throw, because that would fail its whole batch
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export async function settleEach(
  records: readonly SQSRecord[],
  settle: (record: SQSRecord) => Promise<boolean>,
): Promise<SQSBatchResponse> {
  const settled = await Promise.all(records.map(settle));
  const left = records.filter((_, index) => !settled[index]);
  return { batchItemFailures: left.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
