import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** About how many messages of a queue wait for a receiver, how many a receiver holds, and how many are not due yet. */
export type Depth = { waiting: number; held: number; delayed: number };

/**
 * @returns SQS's own approximation, up to a minute old; `undefined` where these credentials may not ask
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
export async function depthOf(sqs: Pick<SQSClient, 'send'>, QueueUrl: string): Promise<Depth | undefined> {
  try {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    );
    return {
      waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      held: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
    };
  } catch (error) {
    // The number only adds a sentence, so a missing permission must not stop the command.
    if (/^AccessDenied/.test((error as Error).name)) return undefined;
    throw error;
  }
}
