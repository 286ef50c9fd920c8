import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CRMS } from '../../functions/crm/index.ts';
import { busName, isOnBus, sourceOf } from '../../infra/config/bus.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { changeCharacter } from '../../samples/delivery.ts';
import { CONVERSATION, readFixture } from '../../samples/fixture.ts';
import { writeConnections } from '../support/configuration.ts';
import { readNewLines } from '../support/release-lines.ts';

// Sends events of buses through the deployed stack, on the emulator of AWS. Nobody can put an event with the source of
// a partner or of AWS, on AWS either, so the connections name another source. The buses have names like those of
// partners, or are the default bus.

const MINUTE = 60_000;
const PROJECT = { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' };
const presets = Object.keys(CRMS).filter(isOnBus);
const fixtures = Object.fromEntries(presets.map((crm) => [crm, readFixture(crm, 'finished.json')]));

const connections: Record<string, Record<string, unknown>> = {
  ...Object.fromEntries(
    presets.map((crm) => {
      const source = CRMS[crm]?.bus === 'own pattern' ? {} : { source: `put.by.a.test/${crm}` };
      return [crm, { ...fixtures[crm]?.connection, ...source, crm, polyai: 'support' }];
    }),
  ),
  // On the default bus, named by an ARN of another account than the emulator's, so the local run uses its name.
  plain: {
    crm: 'eventbridge',
    polyai: 'support',
    bus: 'arn:aws:events:us-east-1:111122223333:event-bus/default',
    eventPattern: { source: ['acme.plain'], account: ['111122223333'], detail: { open: [false] } },
    conversationId: 'detail.chats',
  },
};

let polyai: PolyAIStandIn;
let local: LocalStack;
const sqs = () => new SQSClient({ useQueueUrlAsEndpoint: false });
const lines: LoggedLine[] = [];

beforeAll(async () => {
  polyai = await startPolyAI();
  local = await startLocalStack({
    configuration: writeConnections({ polyai: { support: PROJECT }, connections }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: 'closer-events',
    onStep: () => {},
  });
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

type Event = { 'detail-type': string; detail: unknown; resources?: string[] };

/** Puts an event on the connection's bus, with the source that its rule matches. */
async function put(name: string, event: Event, source = sourceOfConnection(name)): Promise<void> {
  const { bus } = local.configuration.connections[name] ?? {};
  await local.events.put({
    bus: busName(bus ?? ''),
    source,
    detailType: event['detail-type'],
    detail: event.detail,
    resources: event.resources ?? [],
  });
}

function sourceOfConnection(name: string): string {
  const connection = local.configuration.connections[name] ?? {};
  const [named] = (connection as { eventPattern?: { source?: string[] } }).eventPattern?.source ?? [];
  return named ?? sourceOf(connection);
}

/** The preset's finished event, about this chat. */
function finished(crm: string, id: string): Event {
  return JSON.parse(JSON.stringify(fixtures[crm]?.body).replaceAll(CONVERSATION, id));
}

async function findLine(is: (line: LoggedLine) => boolean, timeoutMs = MINUTE): Promise<LoggedLine> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    lines.push(...(await readNewLines(local)));
    const found = lines.find(is);
    if (found) return found;
    if (Date.now() > deadline) throw new Error('no such line in time');
    await sleep(200);
  }
}

const isAbout = (id: string) => (line: LoggedLine) =>
  line.type === 'delivery' && ((line.conversation_ids as string[] | undefined) ?? []).includes(id);

async function expectClosed(id: string, timeoutMs?: number): Promise<LoggedLine> {
  const line = await findLine((each) => each.conversation_id === id && each.final === true, timeoutMs);
  expect(line).toMatchObject({ type: 'close', outcome: 'closed', source: 'event', polyai_status: 200 });
  expect(polyai.isOpen(id)).toBe(false);
  return line;
}

describe('an event', () => {
  it.each(presets)(
    'of a preset closes its chat, and one of another source does not: %s',
    async (crm) => {
      const [id, other] = [polyai.openChat(PROJECT), polyai.openChat(PROJECT)];
      await put(crm, finished(crm, other), 'somebody.else');
      await put(crm, finished(crm, id));
      const closed = await expectClosed(id);
      const delivered = await findLine(isAbout(id));
      expect(delivered).toMatchObject({
        connection: crm,
        crm,
        accepted: 1,
        request_id: closed.request_id,
        delivery_id: closed.delivery_id,
      });
      expect(delivered).not.toHaveProperty('answer');
      const calls = polyai.calls.filter(({ body }) => body.includes(id));
      expect(calls).toHaveLength(1);
      expect(calls[0]?.headers['x-polyai-correlation-id']).toBe(closed.request_id);
      expect(polyai.isOpen(other)).toBe(true);
      expect(lines.filter(isAbout(other))).toEqual([]);
    },
    2 * MINUTE,
  );

  const pinned = presets.flatMap((crm) => {
    const sender = fixtures[crm]?.connection?.sender;
    return typeof sender === 'string' ? [[crm, sender] as const] : [];
  });

  it.each(pinned)(
    'of another sender than the connection’s does not reach it: %s',
    async (crm, sender) => {
      const [id, other] = [polyai.openChat(PROJECT), polyai.openChat(PROJECT)];
      const foreign = JSON.stringify(finished(crm, other)).replaceAll(sender, changeCharacter(sender, 3));
      await put(crm, JSON.parse(foreign));
      await put(crm, finished(crm, id));
      await expectClosed(id);
      expect(polyai.isOpen(other)).toBe(true);
      expect(lines.filter(isAbout(other))).toEqual([]);
    },
    2 * MINUTE,
  );

  it(
    'of the user’s own application closes several chats, if it matches the connection’s pattern',
    async () => {
      const [one, two, three] = [1, 2, 3].map(() => polyai.openChat(PROJECT)) as [string, string, string];
      await put('plain', { 'detail-type': 'any', detail: { open: true, chats: [three] } });
      await put('plain', {
        'detail-type': 'any',
        detail: { open: false, chats: [one, two], note: '“ü\\"<x>' },
      });
      for (const id of [one, two]) await expectClosed(id);
      expect(polyai.isOpen(three)).toBe(true);
    },
    MINUTE,
  );

  it(
    'that finishes nothing is ignored with a reason',
    async () => {
      const event = finished('eventbridge', 'x');
      await put('eventbridge', { ...event, detail: { ...(event.detail as object), status: 'open' } });
      const line = await findLine(({ ignored }) => Array.isArray(ignored) && ignored.length > 0);
      expect(line).toMatchObject({ type: 'delivery', accepted: 0, ignored: [{ reason: 'not_finished' }] });
    },
    MINUTE,
  );
});

describe('a connection on a bus', () => {
  // Beside connections that have one: test/e2e/iam.test.ts.
  it('has no address, and a stack with no other connection has no API and no receiver', async () => {
    expect(local.outputs).not.toHaveProperty('WebhooksUrl');
    expect(() => local.webhookUrl('eventbridge')).toThrow(/there is no address/);
    const { Functions = [] } = await new LambdaClient({}).send(new ListFunctionsCommand({}));
    const names = Functions.map(({ FunctionName = '' }) => FunctionName).filter((name) =>
      /^closer-events/.test(name),
    );
    expect(names).toEqual([
      expect.stringMatching(/^closer-events-(Close|Event)/),
      expect.stringMatching(/^closer-events-(Close|Event)/),
    ]);
  });

  it('has no secret', () => {
    expect(Object.keys(JSON.parse(local.outputs.SecretsToFill))).toEqual([
      'closer-events/polyai/support/secret',
    ]);
  });
});

async function eventsQueueUrl(): Promise<string | undefined> {
  const { QueueUrls = [] } = await sqs().send(new ListQueuesCommand({}));
  return QueueUrls.find((url) => /EventQueue/.test(url));
}

describe('the queue of events', () => {
  it(
    'keeps a message that is not an event, and nothing is queued',
    async () => {
      const QueueUrl = await eventsQueueUrl();
      const MessageBody = JSON.stringify({ v: 1, mark: randomUUID() });
      const { MessageId } = await sqs().send(new SendMessageCommand({ QueueUrl, MessageBody }));
      expect(await findLine(({ request_id }) => request_id === MessageId)).toMatchObject({
        type: 'fault',
        where: 'event: message',
        error: { name: 'UnreadableEvent' },
      });
      const command = { QueueUrl, AttributeNames: ['All' as const] };
      const { Attributes = {} } = await sqs().send(new GetQueueAttributesCommand(command));
      expect(Number(Attributes.ApproximateNumberOfMessagesNotVisible)).toBeGreaterThanOrEqual(1);
      expect(lines.filter(({ type, outcome }) => type === 'close' && outcome === 'rejected')).toEqual([]);
    },
    MINUTE,
  );

  // Runs last, because it removes the close queue for a while.
  it(
    'retries an event whose close could not be queued',
    async () => {
      const QueueUrl = local.outputs.CloseQueueUrl;
      const command = { QueueUrl, AttributeNames: ['All' as const] };
      const { Attributes = {} } = await sqs().send(new GetQueueAttributesCommand(command));
      const { VisibilityTimeout = '180', RedrivePolicy = '' } = Attributes;
      // A minute is a long time in a test.
      const sooner = { QueueUrl: await eventsQueueUrl(), Attributes: { VisibilityTimeout: '5' } };
      await sqs().send(new SetQueueAttributesCommand(sooner));
      await sqs().send(new DeleteQueueCommand({ QueueUrl }));
      const id = polyai.openChat(PROJECT);
      await put('eventbridge', finished('eventbridge', id));
      const failed = await findLine(isAbout(id));
      expect(failed).toMatchObject({ refused: 'queue_unavailable', connection: 'eventbridge' });
      expect(failed).not.toHaveProperty('accepted');
      await sqs().send(
        new CreateQueueCommand({
          QueueName: QueueUrl.split('/').at(-1),
          Attributes: { VisibilityTimeout, RedrivePolicy },
        }),
      );
      await expectClosed(id);
    },
    2 * MINUTE,
  );
});
