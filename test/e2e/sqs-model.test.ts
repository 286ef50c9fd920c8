import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../local/emulator.ts';
import { createRandom } from '../soak/random.ts';
import { answerCommand, createQueue, type Queue } from '../soak/sqs-model.ts';
import { temporaryFolder } from '../support/configuration.ts';

// Compares the soak's model of SQS with the emulator's: the same commands through the SDK must get the same answers.
// Behaviour that only AWS has (12 h from the receipt, 14 days, the in-flight limit, harmless second deletes) is tested
// in test/soak.

const MINUTE = 60_000;
const VISIBILITY_SECONDS = 2;

type Message = {
  Body?: string;
  ReceiptHandle?: string;
  Attributes?: Record<string, string>;
  MessageAttributes?: Record<string, { StringValue?: string }>;
};

type Answer = {
  Messages?: Message[];
  Successful?: { Id?: string }[];
  Failed?: { Id?: string; Code?: string }[];
};

type World = {
  send(command: object): Promise<Answer>;
  wait(seconds: number): Promise<void>;
  url: string;
  deadLettersUrl: string;
};

let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator(temporaryFolder(), undefined, () => {});
}, MINUTE);

afterAll(() => emulator?.stop(), MINUTE);

let queues = 0;

async function emulated(maxReceiveCount: number): Promise<World> {
  const client = new SQSClient({
    endpoint: emulator.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    useQueueUrlAsEndpoint: false,
  });
  const create = async (QueueName: string, Attributes: Record<string, string>) =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const deadLettersUrl = await create(`dead-letters-${++queues}`, {});
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLettersUrl, AttributeNames: ['QueueArn'] }),
  );
  const url = await create(`queue-${queues}`, {
    VisibilityTimeout: String(VISIBILITY_SECONDS),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount }),
  });
  return {
    send: (command) => client.send(command as ReceiveMessageCommand) as Promise<Answer>,
    wait: (seconds) => sleep(seconds * 1000),
    url,
    deadLettersUrl,
  };
}

async function modelled(maxReceiveCount: number): Promise<World> {
  let now = Date.now();
  let due: { time: number; run: () => void }[] = [];
  const time = {
    now: () => now,
    at: (at: number, run: () => void) => {
      due.push({ time: at, run });
    },
  };
  const random = createRandom(1);
  const deadLetters: Queue = createQueue({ url: 'dead-letters', visibilitySeconds: 30 }, time, random);
  const queue = createQueue(
    {
      url: 'queue',
      visibilitySeconds: VISIBILITY_SECONDS,
      redrive: { queue: deadLetters, maxReceiveCount },
    },
    time,
    random,
  );
  return {
    send: async (command) => answerCommand([queue, deadLetters], command as { input: object }) as Answer,
    async wait(seconds) {
      now += seconds * 1000;
      const ready = due.filter(({ time: at }) => at <= now);
      due = due.filter(({ time: at }) => at > now);
      for (const { run } of ready) run();
    },
    url: 'queue',
    deadLettersUrl: 'dead-letters',
  };
}

async function receive({ send }: World, QueueUrl: string): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: 10,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  });
  return (await send(command)).Messages ?? [];
}

async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return (error as Error).name;
  }
}

describe.each([
  ['the emulator’s SQS', emulated],
  ['the model of SQS', modelled],
])('%s', (_, start) => {
  it(
    'hides a received message, delivers it again with a higher count and the same times, and never after its delete',
    async () => {
      const world = await start(10);
      const { url: QueueUrl, send, wait } = world;
      await send(new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageGroupId: 'project' }));
      const [first] = await receive(world, QueueUrl);
      expect(first?.Attributes).toMatchObject({ ApproximateReceiveCount: '1', MessageGroupId: 'project' });
      expect(await receive(world, QueueUrl)).toEqual([]);
      await wait(VISIBILITY_SECONDS + 1);
      const [second] = await receive(world, QueueUrl);
      expect(second?.Attributes).toMatchObject({
        ApproximateReceiveCount: '2',
        SentTimestamp: first?.Attributes?.SentTimestamp,
        ApproximateFirstReceiveTimestamp: first?.Attributes?.ApproximateFirstReceiveTimestamp,
      });
      await send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: second?.ReceiptHandle }));
      await wait(VISIBILITY_SECONDS + 1);
      expect(await receive(world, QueueUrl)).toEqual([]);
    },
    MINUTE,
  );

  it(
    'hides a message for the requested time, and shows it at once when that is zero',
    async () => {
      const world = await start(10);
      const { url: QueueUrl, send, wait } = world;
      const change = (ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
        send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
      await send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' }));
      await change((await receive(world, QueueUrl))[0]?.ReceiptHandle, 5);
      await wait(VISIBILITY_SECONDS + 1);
      expect(await receive(world, QueueUrl)).toEqual([]);
      await wait(3);
      const [again] = await receive(world, QueueUrl);
      expect(again?.Body).toBe('a');
      await change(again?.ReceiptHandle, 0);
      expect(await receive(world, QueueUrl)).toHaveLength(1);
    },
    MINUTE,
  );

  it(
    'delivers a message with a delay after it, in a batch too',
    async () => {
      const world = await start(10);
      const { url: QueueUrl, send, wait } = world;
      const Entries = [
        { Id: '0', MessageBody: 'later', DelaySeconds: 2 },
        { Id: '1', MessageBody: 'now' },
      ];
      await send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      const [now, ...others] = await receive(world, QueueUrl);
      expect([now?.Body, others]).toEqual(['now', []]);
      await send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: now?.ReceiptHandle }));
      await wait(3);
      expect((await receive(world, QueueUrl)).map(({ Body }) => Body)).toEqual(['later']);
    },
    MINUTE,
  );

  it(
    'moves a message that was received too often to the dead-letter queue with its attributes',
    async () => {
      const world = await start(2);
      const { url: QueueUrl, deadLettersUrl, send, wait } = world;
      const MessageAttributes = { outcome: { DataType: 'String', StringValue: 'rejected' } };
      await send(new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageAttributes }));
      for (const _time of [1, 2]) {
        expect(await receive(world, QueueUrl)).toHaveLength(1);
        await wait(VISIBILITY_SECONDS + 1);
      }
      expect(await receive(world, QueueUrl)).toEqual([]);
      const [dead] = await receive(world, deadLettersUrl);
      expect(dead).toMatchObject({
        Body: 'a',
        MessageAttributes: { outcome: { StringValue: 'rejected' } },
      });
    },
    MINUTE,
  );

  it(
    'confirms each entry of a batch separately, and refuses an invalid batch',
    async () => {
      const world = await start(10);
      const { url: QueueUrl, send } = world;
      const batch = (...Entries: { Id: string; MessageBody: string }[]) =>
        send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      const { Successful, Failed = [] } = await batch(
        { Id: 'x', MessageBody: 'a' },
        { Id: 'y', MessageBody: 'b' },
      );
      expect([Successful?.map(({ Id }) => Id), Failed]).toEqual([['x', 'y'], []]);
      const eleven = Array.from({ length: 11 }, (_each, index) => ({ Id: `${index}`, MessageBody: 'c' }));
      expect(await errorOf(batch(...eleven))).toMatch(/TooManyEntriesInBatchRequest/);
      expect(await errorOf(batch({ Id: 'x', MessageBody: 'a' }, { Id: 'x', MessageBody: 'b' }))).toMatch(
        /BatchEntryIdsNotDistinct/,
      );
      expect(await errorOf(batch())).toMatch(/EmptyBatchRequest/);
    },
    MINUTE,
  );

  it(
    'refuses to change the visibility of a deleted message',
    async () => {
      const world = await start(10);
      const { url: QueueUrl, send } = world;
      await send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' }));
      const [{ ReceiptHandle } = {}] = await receive(world, QueueUrl);
      await send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      expect(
        await errorOf(
          send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 5 })),
        ),
      ).not.toBe('none');
    },
    MINUTE,
  );
});
