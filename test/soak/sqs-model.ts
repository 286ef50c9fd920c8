import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { Random } from './random.ts';

// A standard queue as AWS documents it, in whatever time it is given. test/e2e/sqs-model.test.ts holds it
// against an SQS that is spoken to by the SDK.

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
export const MAX_VISIBILITY_SECONDS = 43_200;
const MAX_BATCH = 10;
const MAX_BYTES = 1_048_576;

/** What XML 1.0 cannot carry is refused for ever. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSENDABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

export type QueueSettings = {
  url: string;
  visibilitySeconds: number;
  retentionMs?: number;
  /** So many messages can be in flight; AWS says about 120,000. */
  inFlightLimit?: number;
  redrive?: { queue: Queue; maxReceiveCount: number };
  /** How often a standard queue does what it is allowed to: deliver twice. 0 to 1 each. */
  oddities?: {
    /** A message that has just been received is there for another receiver too. */
    receivedTwice: number;
    /** A message that was deleted comes back once. */
    backAfterDelete: number;
  };
};

export type Received = {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: {
    ApproximateReceiveCount: string;
    SentTimestamp: string;
    ApproximateFirstReceiveTimestamp: string;
    MessageGroupId?: string;
  };
  messageAttributes: Record<string, MessageAttributeValue>;
};

export type Entry = {
  body: string;
  group?: string | undefined;
  attributes?: Record<string, MessageAttributeValue> | undefined;
};

export type Queue = {
  url: string;
  /** @returns the message's id */
  send(entry: Entry): string;
  receive(options?: { max?: number; visibilitySeconds?: number }): Received[];
  /** As SQS: a handle of a message that is gone, or an old one, does no harm. */
  delete(receiptHandle: string): void;
  changeVisibility(receiptHandle: string, seconds: number): void;
  /** Takes a message over as it is, the time that it was sent included. */
  take(message: Message): void;
  counts(): { visible: number; inFlight: number; expired: number; deleted: number };
  /** When a message becomes visible, from now on. */
  onVisible(listener: () => void): void;
  /** Messages that the retention took. */
  onExpired(listener: (body: string) => void): void;
  /** Each message that was sent, each time that one is handed out, and each that is deleted. */
  on(event: QueueEvent, listener: (body: string) => void): void;
};

export type QueueEvent = 'sent' | 'received' | 'deleted';

export type Message = {
  id: string;
  body: string;
  group: string | undefined;
  attributes: Record<string, MessageAttributeValue>;
  sentAt: number;
  firstReceivedAt: number;
  receives: number;
  /** Of the latest receipt; an older handle names an older one. */
  receipt: number;
  receivedAt: number;
  visibleAt: number;
  isVisible: boolean;
};

/** An error as the SDK gives it. */
function refusal(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
}

type Time = { now(): number; at(time: number, run: () => void): void };

let queues = 0;

export function createQueue(settings: QueueSettings, time: Time, random: Random): Queue {
  const { url, visibilitySeconds, retentionMs = 14 * DAY_MS, inFlightLimit = 120_000, redrive } = settings;
  const { receivedTwice = 0, backAfterDelete = 0 } = settings.oddities ?? {};
  const messages = new Map<string, Message>();
  const visible: Message[] = [];
  const ghosts = new Set<string>();
  const listeners: (() => void)[] = [];
  const expiryListeners: ((body: string) => void)[] = [];
  const eventListeners: Record<QueueEvent, ((body: string) => void)[]> = {
    sent: [],
    received: [],
    deleted: [],
  };
  const tell = (event: QueueEvent, { body }: { body: string }) => {
    for (const listener of eventListeners[event]) listener(body);
  };
  const prefix = `q${queues++}`;
  let sent = 0;
  let expired = 0;
  let deleted = 0;

  function show(message: Message): void {
    if (message.isVisible) return;
    message.isVisible = true;
    visible.push(message);
    for (const listener of listeners) listener();
  }

  function hide(message: Message, seconds: number): void {
    message.isVisible = false;
    message.visibleAt = time.now() + seconds * SECOND_MS;
    const { visibleAt } = message;
    time.at(visibleAt, () => {
      const isCurrent = messages.get(message.id) === message && message.visibleAt === visibleAt;
      if (isCurrent) show(message);
    });
  }

  /** Any of them: a standard queue keeps no order. */
  function takeVisible(): Message | undefined {
    const index = random.index(visible.length);
    const message = visible[index];
    const last = visible.pop();
    if (last && message && last !== message) visible[index] = last;
    return message;
  }

  function drop(message: Message): void {
    messages.delete(message.id);
    if (!message.isVisible) return;
    const index = visible.indexOf(message);
    const last = visible.pop();
    if (last && index < visible.length) visible[index] = last;
  }

  function isExpired({ sentAt }: Message): boolean {
    return time.now() - sentAt >= retentionMs;
  }

  function receiveOne(hiddenSeconds: number): Received | undefined {
    const message = takeVisible();
    if (!message) return undefined;
    message.isVisible = false;
    if (isExpired(message)) {
      messages.delete(message.id);
      expired += 1;
      for (const listener of expiryListeners) listener(message.body);
      return undefined;
    }
    if (redrive && message.receives >= redrive.maxReceiveCount) {
      messages.delete(message.id);
      redrive.queue.take(message);
      return undefined;
    }
    const now = time.now();
    message.receives += 1;
    message.receipt += 1;
    message.firstReceivedAt ||= now;
    message.receivedAt = now;
    hide(message, hiddenSeconds);
    tell('received', message);
    const received = describe(message);
    if (random.chance(receivedTwice)) show(message);
    return received;
  }

  function describe(message: Message): Received {
    return {
      messageId: message.id,
      receiptHandle: `${message.id}/${message.receipt}`,
      body: message.body,
      attributes: {
        ApproximateReceiveCount: String(message.receives),
        SentTimestamp: String(message.sentAt),
        ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
        ...(message.group !== undefined && { MessageGroupId: message.group }),
      },
      messageAttributes: message.attributes,
    };
  }

  /** The message of a handle, and whether it is the handle of the latest receipt. */
  function find(receiptHandle: string): { message: Message | undefined; isLatest: boolean } {
    const [id = '', receipt = ''] = receiptHandle.split('/');
    if (!/^q\d+-\d+\/\d+$/.test(receiptHandle)) {
      throw refusal('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
    }
    const message = messages.get(id);
    return { message, isLatest: message?.receipt === Number(receipt) };
  }

  const queue: Queue = {
    url,
    send({ body, group, attributes = {} }) {
      if (Buffer.byteLength(body) > MAX_BYTES) {
        throw refusal('InvalidParameterValue', 'One or more parameters are invalid. Message too long.');
      }
      const id = `${prefix}-${sent++}`;
      const now = time.now();
      tell('sent', { body });
      queue.take({
        id,
        body,
        group,
        attributes,
        sentAt: now,
        firstReceivedAt: 0,
        receives: 0,
        receipt: 0,
        receivedAt: 0,
        visibleAt: now,
        isVisible: false,
      });
      return id;
    },
    take(message) {
      messages.set(message.id, message);
      message.receives = 0;
      message.isVisible = false;
      show(message);
    },
    receive({ max = 1, visibilitySeconds: hidden = visibilitySeconds } = {}) {
      const batch: Received[] = [];
      // A standard queue may give fewer than there are.
      while (batch.length < max && visible.length > 0) {
        if (messages.size - visible.length >= inFlightLimit) break;
        const received = receiveOne(hidden);
        if (received) batch.push(received);
      }
      return batch;
    },
    delete(receiptHandle) {
      const { message, isLatest } = find(receiptHandle);
      // An old handle may delete the message or not, says the documentation.
      if (!message || (!isLatest && random.chance(0.5))) return;
      drop(message);
      deleted += 1;
      tell('deleted', message);
      if (!ghosts.has(message.id) && random.chance(backAfterDelete)) {
        ghosts.add(message.id);
        messages.set(message.id, message);
        hide(message, visibilitySeconds);
      }
    },
    changeVisibility(receiptHandle, seconds) {
      if (!(seconds >= 0 && seconds <= MAX_VISIBILITY_SECONDS)) {
        throw refusal(
          'InvalidParameterValue',
          `Value ${seconds} for parameter VisibilityTimeout is invalid.`,
        );
      }
      const { message, isLatest } = find(receiptHandle);
      if (!message || message.isVisible) {
        throw refusal('MessageNotInflight', 'The specified message is not in flight.');
      }
      if (time.now() - message.receivedAt + seconds * SECOND_MS > MAX_VISIBILITY_SECONDS * SECOND_MS) {
        throw refusal(
          'InvalidParameterValue',
          'Total VisibilityTimeout for the message is beyond the limit [43200 seconds].',
        );
      }
      // What a stale handle does is not said: here it hits the newer receipt, or is refused.
      if (!isLatest && random.chance(0.5)) {
        throw refusal('InvalidParameterValue', 'Message does not exist or is not available.');
      }
      if (seconds === 0) show(message);
      else hide(message, seconds);
    },
    counts: () => ({
      visible: visible.length,
      inFlight: messages.size - visible.length,
      expired,
      deleted,
    }),
    onVisible: (listener) => {
      listeners.push(listener);
    },
    onExpired: (listener) => {
      expiryListeners.push(listener);
    },
    on: (event, listener) => {
      eventListeners[event].push(listener);
    },
  };
  return queue;
}

type Input = Record<string, unknown> & { QueueUrl?: string };
type SdkEntry = {
  Id: string;
  MessageBody: string;
  MessageGroupId?: string;
  MessageAttributes?: Record<string, MessageAttributeValue>;
  ReceiptHandle: string;
  VisibilityTimeout: number;
};

/**
 * The queues as the SDK's client shows them: commands in, answers out, refusals thrown.
 *
 * @throws {Error} as the SDK, with SQS's name for it
 */
export function answerCommand(queues: readonly Queue[], command: { input: object }): Record<string, unknown> {
  const input = command.input as Input;
  const queue = queues.find(({ url }) => url === input.QueueUrl);
  if (!queue) throw refusal('QueueDoesNotExist', 'The specified queue does not exist.');
  const name = command.constructor.name;
  const single = input as unknown as SdkEntry;
  switch (name) {
    case 'SendMessageCommand':
      return { MessageId: queue.send(toEntry(single)) };
    case 'SendMessageBatchCommand':
      return eachEntry(input, (entry) => ({ MessageId: queue.send(toEntry(entry)) }));
    case 'DeleteMessageCommand':
      queue.delete(single.ReceiptHandle);
      return {};
    case 'DeleteMessageBatchCommand':
      return eachEntry(input, ({ ReceiptHandle }) => {
        queue.delete(ReceiptHandle);
        return {};
      });
    case 'ChangeMessageVisibilityCommand':
      queue.changeVisibility(single.ReceiptHandle, single.VisibilityTimeout);
      return {};
    case 'ReceiveMessageCommand': {
      const { MaxNumberOfMessages: max = 1, VisibilityTimeout: hidden } = input;
      const received = queue.receive({
        max: Number(max),
        ...(hidden !== undefined && { visibilitySeconds: Number(hidden) }),
      });
      return { Messages: received.map(toSdk) };
    }
    default:
      throw new Error(`the model of SQS does not know ${name}`);
  }
}

function toEntry({ MessageBody, MessageGroupId, MessageAttributes }: SdkEntry): Entry {
  if (!MessageBody?.isWellFormed() || UNSENDABLE.test(MessageBody)) {
    throw refusal('InvalidMessageContents', 'The message contains characters outside the allowed set.');
  }
  for (const { StringValue } of Object.values(MessageAttributes ?? {})) {
    if (StringValue === '') throw refusal('InvalidParameterValue', 'Message attribute must not be empty.');
  }
  return { body: MessageBody, group: MessageGroupId, attributes: MessageAttributes };
}

function eachEntry(input: Input, run: (entry: SdkEntry) => object) {
  const entries = (input.Entries ?? []) as SdkEntry[];
  if (entries.length === 0) throw refusal('EmptyBatchRequest', 'There are no entries.');
  if (entries.length > MAX_BATCH) throw refusal('TooManyEntriesInBatchRequest', 'More than 10 entries.');
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw refusal('BatchEntryIdsNotDistinct', 'Two entries have the same id.');
  }
  const size = entries.reduce((sum, { MessageBody = '' }) => sum + Buffer.byteLength(MessageBody), 0);
  if (size > MAX_BYTES) throw refusal('BatchRequestTooLong', 'The batch is too long.');
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...run(entry) });
    } catch (error) {
      Failed.push({ Id: entry.Id, Code: (error as Error).name, SenderFault: true });
    }
  }
  return { Successful, ...(Failed.length > 0 && { Failed }) };
}

function toSdk({ messageId, receiptHandle, body, attributes, messageAttributes }: Received) {
  return {
    MessageId: messageId,
    ReceiptHandle: receiptHandle,
    Body: body,
    Attributes: attributes,
    MessageAttributes: messageAttributes,
  };
}
