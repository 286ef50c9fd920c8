import type { MessageAttributeValue } from '@aws-sdk/client-sqs';

/** A message of the model of SQS. Times are Unix milliseconds. */
export type Message = {
  id: string;
  body: string;
  group: string | undefined;
  attributes: Record<string, MessageAttributeValue>;
  sentAt: number;
  firstReceivedAt: number;
  receives: number;
  /** The number of the latest receipt. An older handle names an older one. */
  receipt: number;
  receivedAt: number;
  visibleAt: number;
  state: 'visible' | 'in_flight' | 'delayed';
};
