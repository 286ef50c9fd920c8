import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { createTenants } from './fair-queue.ts';
import type { Message } from './message.ts';
import type { Random } from './random.ts';

// Models a standard queue as AWS documents it, in real or virtual time. test/e2e/sqs-model.test.ts compares it with the
// emulator's SQS.

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
export const MAX_VISIBILITY_SECONDS = 43_200;
const MAX_BATCH = 10;
const MAX_BYTES = 1_048_576;
const MAX_DELAY_SECONDS = 900;

/** Characters that XML 1.0 cannot carry. SQS always refuses them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are searched for
const UNSENDABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

export type QueueSettings = {
  url: string;
  visibilitySeconds: number;
  retentionMs?: number;
  /** The maximum number of messages in flight. AWS says about 120,000. */
  inFlightLimit?: number;
  redrive?: { queue: Queue; maxReceiveCount: number };
  /** How often the queue delivers a message twice, which a standard queue may do. 0 to 1 each. */
  oddities?: {
    /** A message that has just been received is visible to another receiver too. */
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
  /** The message is delivered after this time. SQS takes at most 900 s. */
  delaySeconds?: number | undefined;
  attributes?: Record<string, MessageAttributeValue> | undefined;
};

export type Queue = {
  url: string;
  /** @returns the message's id */
  send(entry: Entry): string;
  receive(options?: { max?: number; visibilitySeconds?: number }): Received[];
  /** An old handle, or one of a deleted message, is no error, as in SQS. */
  delete(receiptHandle: string): void;
  changeVisibility(receiptHandle: string, seconds: number): void;
  /** Takes a message over from another queue, unchanged and with the time at which it was sent. */
  take(message: Message): void;
  counts(): { visible: number; inFlight: number; delayed: number; expired: number; deleted: number };
  /** Calls the listener when a message becomes visible. */
  onVisible(listener: () => void): void;
  /** Calls the listener with each message that expires. */
  onExpired(listener: (body: string) => void): void;
  /** Calls the listener with the body of each message that is sent, received or deleted, or comes back after that. */
  on(event: QueueEvent, listener: (body: string) => void): void;
};

export type QueueEvent = 'sent' | 'received' | 'deleted' | 'returned';

/** An error as the SDK throws it. */
function refusal(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
}

type Time = { now(): number; at(time: number, run: () => void): void };

let queues = 0;

/** A standard queue. It does at random what such a queue may do: `settings.oddities` says how often. */
export function createQueue(settings: QueueSettings, time: Time, random: Random): Queue {
  const { url, visibilitySeconds, retentionMs = 14 * DAY_MS, inFlightLimit = 120_000, redrive } = settings;
  const { receivedTwice = 0, backAfterDelete = 0 } = settings.oddities ?? {};
  const messages = new Map<string, Message>();
  const tenants = createTenants(time, random);
  const returned = new Set<string>();
  const { notify, ...listening } = createListeners();
  const prefix = `q${queues++}`;
  const counts = { sent: 0, expired: 0, deleted: 0, delayed: 0 };

  function leave(message: Message): void {
    if (message.state === 'visible') tenants.hide(message);
    if (message.state === 'in_flight') tenants.release(message);
    if (message.state === 'delayed') counts.delayed -= 1;
  }

  function show(message: Message): void {
    if (message.state === 'visible') return;
    leave(message);
    message.state = 'visible';
    tenants.show(message);
    notify('visible', message);
  }

  function hide(message: Message, seconds: number, state: 'in_flight' | 'delayed' = 'in_flight'): void {
    message.state = state;
    if (state === 'in_flight') tenants.hold(message);
    else counts.delayed += 1;
    showAfter(message, seconds);
  }

  function showAfter(message: Message, seconds: number): void {
    message.visibleAt = time.now() + seconds * SECOND_MS;
    const { visibleAt } = message;
    time.at(visibleAt, () => {
      const isCurrent = messages.get(message.id) === message && message.visibleAt === visibleAt;
      if (isCurrent) show(message);
    });
  }

  /** @returns `undefined` when the message expired or goes to the other queue instead */
  function receiveOne(hiddenSeconds: number): Received | undefined {
    const message = tenants.take();
    if (!message) return undefined;
    const now = time.now();
    if (now - message.sentAt >= retentionMs) {
      messages.delete(message.id);
      counts.expired += 1;
      notify('expired', message);
      return undefined;
    }
    if (redrive && message.receives >= redrive.maxReceiveCount) {
      messages.delete(message.id);
      redrive.queue.take(message);
      return undefined;
    }
    message.receives += 1;
    message.receipt += 1;
    message.firstReceivedAt ||= now;
    message.receivedAt = now;
    hide(message, hiddenSeconds);
    notify('received', message);
    const received = toReceived(message);
    if (random.chance(receivedTwice)) show(message);
    return received;
  }

  /** @returns the message of a handle, and whether the handle is that of its latest receipt */
  function find(receiptHandle: string): { message: Message | undefined; isLatest: boolean } {
    const { id, receipt } = parseHandle(receiptHandle);
    const message = messages.get(id);
    return { message, isLatest: message?.receipt === receipt };
  }

  function put(message: Message, delaySeconds = 0): void {
    messages.set(message.id, message);
    message.receives = 0;
    if (delaySeconds > 0) {
      hide(message, delaySeconds, 'delayed');
      return;
    }
    message.state = 'visible';
    tenants.show(message);
    notify('visible', message);
  }

  const queue: Queue = {
    url,
    send(entry) {
      checkDelay(entry.delaySeconds);
      const message = createMessage(`${prefix}-${counts.sent++}`, entry, time.now());
      notify('sent', message);
      put(message, entry.delaySeconds);
      return message.id;
    },
    take: (message) => put(message),
    receive({ max = 1, visibilitySeconds: hidden = visibilitySeconds } = {}) {
      const batch: Received[] = [];
      // A standard queue may return fewer messages than it has.
      while (batch.length < max && tenants.visible() > 0) {
        if (tenants.inFlight() >= inFlightLimit) break;
        const received = receiveOne(hidden);
        if (received) batch.push(received);
      }
      return batch;
    },
    delete(receiptHandle) {
      const { message, isLatest } = find(receiptHandle);
      // The documentation says that an old handle may delete the message or not.
      if (!message || (!isLatest && random.chance(0.5))) return;
      messages.delete(message.id);
      leave(message);
      counts.deleted += 1;
      notify('deleted', message);
      if (!returned.has(message.id) && random.chance(backAfterDelete)) {
        returned.add(message.id);
        messages.set(message.id, message);
        hide(message, visibilitySeconds);
        notify('returned', message);
      }
    },
    changeVisibility(receiptHandle, seconds) {
      checkVisibility(seconds);
      const { message, isLatest } = find(receiptHandle);
      checkInFlight(message, seconds, time.now());
      // The effect of an old handle is not documented. Here it changes the newer receipt, or is refused.
      if (!isLatest && random.chance(0.5)) {
        throw refusal('InvalidParameterValue', 'Message does not exist or is not available.');
      }
      if (seconds === 0) show(message);
      else showAfter(message, seconds);
    },
    counts: () => ({
      visible: tenants.visible(),
      inFlight: tenants.inFlight(),
      delayed: counts.delayed,
      expired: counts.expired,
      deleted: counts.deleted,
    }),
    ...listening,
  };
  return queue;
}

function createListeners() {
  const listeners: Record<QueueEvent | 'visible' | 'expired', ((body: string) => void)[]> = {
    sent: [],
    received: [],
    deleted: [],
    returned: [],
    visible: [],
    expired: [],
  };
  return {
    notify(event: keyof typeof listeners, { body }: { body: string }): void {
      for (const listener of listeners[event]) listener(body);
    },
    onVisible: (listener: () => void) => {
      listeners.visible.push(listener);
    },
    onExpired: (listener: (body: string) => void) => {
      listeners.expired.push(listener);
    },
    on: (event: QueueEvent, listener: (body: string) => void) => {
      listeners[event].push(listener);
    },
  };
}

function createMessage(id: string, { body, group, attributes = {} }: Entry, now: number): Message {
  if (Buffer.byteLength(body) > MAX_BYTES) {
    throw refusal('InvalidParameterValue', 'One or more parameters are invalid. Message too long.');
  }
  return {
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
    state: 'visible',
  };
}

function toReceived(message: Message): Received {
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

function parseHandle(receiptHandle: string): { id: string; receipt: number } {
  if (!/^q\d+-\d+\/\d+$/.test(receiptHandle)) {
    throw refusal('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
  }
  const [id = '', receipt = ''] = receiptHandle.split('/');
  return { id, receipt: Number(receipt) };
}

function checkDelay(seconds = 0): void {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= MAX_DELAY_SECONDS) return;
  throw refusal('InvalidParameterValue', `Value ${seconds} for parameter DelaySeconds is invalid.`);
}

function checkVisibility(seconds: number): void {
  if (seconds >= 0 && seconds <= MAX_VISIBILITY_SECONDS) return;
  throw refusal('InvalidParameterValue', `Value ${seconds} for parameter VisibilityTimeout is invalid.`);
}

function checkInFlight(
  message: Message | undefined,
  seconds: number,
  now: number,
): asserts message is Message {
  if (message?.state !== 'in_flight') {
    throw refusal('MessageNotInflight', 'The specified message is not in flight.');
  }
  if (now - message.receivedAt + seconds * SECOND_MS > MAX_VISIBILITY_SECONDS * SECOND_MS) {
    throw refusal(
      'InvalidParameterValue',
      'Total VisibilityTimeout for the message is beyond the limit [43200 seconds].',
    );
  }
}

type Input = Record<string, unknown> & { QueueUrl?: string };
type SdkEntry = {
  Id: string;
  MessageBody: string;
  MessageGroupId?: string;
  DelaySeconds?: number;
  MessageAttributes?: Record<string, MessageAttributeValue>;
  ReceiptHandle: string;
  VisibilityTimeout: number;
};

/**
 * Answers a command of the SDK's client as SQS does.
 *
 * @throws {Error} as the SDK does, with SQS's name for it
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

function toEntry({ MessageBody, MessageGroupId, DelaySeconds, MessageAttributes }: SdkEntry): Entry {
  if (!MessageBody?.isWellFormed() || UNSENDABLE.test(MessageBody)) {
    throw refusal('InvalidMessageContents', 'The message contains characters outside the allowed set.');
  }
  for (const { StringValue } of Object.values(MessageAttributes ?? {})) {
    if (StringValue === '') throw refusal('InvalidParameterValue', 'Message attribute must not be empty.');
  }
  return {
    body: MessageBody,
    group: MessageGroupId,
    delaySeconds: DelaySeconds,
    attributes: MessageAttributes,
  };
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
