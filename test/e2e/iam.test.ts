import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { signZendesk, zendeskEvent } from '../../samples/delivery.ts';
import { writeConnections } from '../support/configuration.ts';
import { readNewLines } from '../support/release-lines.ts';

// Runs the deployed stack with IAM enforced: every function has only its role's permissions. A missing permission shows
// as a close that never comes, a superfluous one as a call that is not denied.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STACK = 'closer-iam';
const place = { region: 'uk-1', accountId: 'acme-uk' };
const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'], dryRun: false };

/** Secrets by ARN, as in a user's file. The account does not exist here, so the local run uses their names. */
const arn = (service: string, resource: string) => `arn:aws:${service}:eu-west-2:123456789012:${resource}`;

const CONFIGURATION = {
  stack: { alarms: { topicArn: arn('sns', 'alarms') } },
  polyai: {
    support: { ...place, projectId: 'PROJECT-support' },
    cleaned: { ...place, projectId: 'PROJECT-cleaned', cleanup },
    own: { ...place, projectId: 'PROJECT-own', existingSecret: 'acme/polyai' },
  },
  connections: {
    tickets: { crm: 'zendesk', polyai: 'support' },
    imported: {
      crm: 'zendesk',
      polyai: 'own',
      existingSecret: arn('secretsmanager', 'secret:acme/zendesk-AbC123'),
    },
    shared: { crm: 'zendesk', polyai: 'support', lookUp: 'sharedId' },
    events: {
      crm: 'eventbridge',
      polyai: 'support',
      bus: arn('events', 'event-bus/desk'),
      eventPattern: { source: ['acme.desk'], account: ['000000000000'] },
      conversationId: 'detail.chat',
    },
  },
};

let polyai: PolyAIStandIn;
let local: LocalStack;
const behaviours = new Map<string, Behaviour>();
const lines: LoggedLine[] = [];

beforeAll(async () => {
  polyai = await startPolyAI();
  polyai.behave(({ conversationId = '' }) => behaviours.get(conversationId));
  local = await startLocalStack({
    configuration: writeConnections(CONFIGURATION),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: STACK,
    isIamEnforced: true,
    onStep: () => {},
  });
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

async function eventually<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (const deadline = Date.now() + MINUTE; Date.now() < deadline; await sleep(200)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('it did not come about in time');
}

/** Sends Zendesk's event for a finished ticket, signed with the connection's secret. */
async function finish(
  connection: keyof typeof CONFIGURATION.connections,
  externalId: string | null,
  ticket = '7',
) {
  const { signingSecret = '' } = await local.readSecret(local.secretId('connections', connection));
  const body = JSON.stringify({ ...zendeskEvent({ externalId, ticket }), time: new Date().toISOString() });
  const headers = signZendesk({ secret: signingSecret, body, at: Date.now() });
  const response = await fetch(local.webhookUrl(connection), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  expect({ status: response.status, body: await response.json() }).toMatchObject({
    status: 200,
    body: { accepted: 1 },
  });
}

async function finalLine(id: string): Promise<LoggedLine> {
  return eventually(async () => {
    lines.push(...(await readNewLines(local)));
    return lines.find((line) => line.conversation_id === id && line.final && line.outcome !== 'resolved');
  });
}

/** The `outcome` of the lines shows which role had its permissions. */
const expectClosed = async (id: string) =>
  expect(await finalLine(id)).toMatchObject({ type: 'close', outcome: 'closed' });

describe('with only the permissions of their roles', () => {
  it(
    'the receiver and the worker close a chat, with secrets of the stack and of the user, and after a retry',
    async () => {
      const [own, imported, retried] = [polyai.openChat(), polyai.openChat(), polyai.openChat()];
      behaviours.set(retried, { status: 503, body: {} });
      await finish('tickets', retried);
      await eventually(async () => polyai.calls.find(({ body }) => body.includes(retried)));
      behaviours.delete(retried);
      await finish('tickets', own);
      await finish('imported', imported);
      for (const id of [own, imported, retried]) await expectClosed(id);
      expect((await finalLine(retried)).receives).toBeGreaterThan(1);
    },
    2 * MINUTE,
  );

  it(
    'the worker looks an id up, and queues its close',
    async () => {
      const id = polyai.openChat();
      polyai.share('4711', id);
      await finish('shared', null, '4711');
      await expectClosed(id);
    },
    MINUTE,
  );

  it(
    'the worker sends a dead letter',
    async () => {
      const id = polyai.openChat();
      behaviours.set(id, { status: 422, body: {} });
      await finish('tickets', id);
      const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
      const QueueUrl = local.outputs.DeadLetterQueueUrl;
      await eventually(async () => {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }),
        );
        return Messages.find(({ Body }) => Body?.includes(id));
      });
      expect(await finalLine(id)).toMatchObject({ outcome: 'rejected' });
    },
    MINUTE,
  );

  it(
    'a rule feeds the event reader, which queues a close',
    async () => {
      const id = polyai.openChat();
      await local.events.put({
        bus: 'desk',
        source: 'acme.desk',
        detailType: 'finished',
        detail: { chat: id },
      });
      await expectClosed(id);
    },
    MINUTE,
  );

  it(
    'the cleanup lists chats, and queues the close of a stale one',
    async () => {
      const turns = [
        { user_input: 'hello', user_input_datetime: new Date(Date.now() - 20 * HOUR).toISOString() },
      ];
      const stale = { channel: 'CHAT', startedAt: Date.now() - 21 * HOUR, turns };
      const id = polyai.openChat({ accountId: 'acme-uk', projectId: 'PROJECT-cleaned' }, stale);
      const { FunctionName } = await functionOf('Cleanup');
      const Payload = JSON.stringify({ project: 'cleaned' });
      await new LambdaClient({}).send(new InvokeCommand({ FunctionName, Payload }));
      await expectClosed(id);
    },
    MINUTE,
  );

  it('no function logs a fault', async () => {
    lines.push(...(await readNewLines(local)));
    expect(lines.filter(({ type }) => type === 'fault')).toEqual([]);
  });
});

describe('a connection on a bus', () => {
  it('has no address', async () => {
    const response = await fetch(local.webhookUrl('events'), { method: 'POST', body: '{}' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'unknown_connection' });
  });
});

async function functionOf(name: string): Promise<{ FunctionName: string; Role: string }> {
  const { Functions = [] } = await new LambdaClient({}).send(new ListFunctionsCommand({}));
  const found = Functions.find(({ FunctionName }) => FunctionName?.startsWith(`${STACK}-${name}`));
  if (!found?.FunctionName || !found.Role) throw new Error(`no function ${name}`);
  return { FunctionName: found.FunctionName, Role: found.Role };
}

/** Clients with the permissions of a function. On the emulator the account's own keys may take any role. */
async function clientsOf(name: string) {
  const { Role } = await functionOf(name);
  const scope = `local/${new Date().toISOString().slice(0, 10).replaceAll('-', '')}/us-east-1/sts/aws4_request`;
  const response = await fetch(process.env.AWS_ENDPOINT_URL ?? '', {
    method: 'POST',
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` },
    body: new URLSearchParams({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: Role,
      RoleSessionName: 'test',
    }),
  });
  const answer = await response.text();
  const read = (tag: string) => new RegExp(`<${tag}>([^<]+)<`).exec(answer)?.[1] ?? '';
  const credentials = {
    accessKeyId: read('AccessKeyId'),
    secretAccessKey: read('SecretAccessKey'),
    sessionToken: read('SessionToken'),
  };
  expect(credentials.accessKeyId).toMatch(/^ASIA/);
  return {
    secrets: new SecretsManagerClient({ credentials }),
    sqs: new SQSClient({ credentials, useQueueUrlAsEndpoint: false }),
  };
}

type Clients = Awaited<ReturnType<typeof clientsOf>>;
type Attempt = (clients: Clients) => Promise<unknown>;

const read =
  (kind: 'polyai' | 'connections', name: string): Attempt =>
  ({ secrets }) =>
    secrets.send(new GetSecretValueCommand({ SecretId: local.secretId(kind, name) }));
const overwrite: Attempt = ({ secrets }) =>
  secrets.send(
    new PutSecretValueCommand({ SecretId: local.secretId('connections', 'tickets'), SecretString: '{}' }),
  );

type QueueName = 'closes' | 'dead letters' | 'events';

async function urlOf(name: QueueName): Promise<string> {
  if (name === 'closes') return local.outputs.CloseQueueUrl;
  if (name === 'dead letters') return local.outputs.DeadLetterQueueUrl;
  const { QueueUrls = [] } = await new SQSClient({ useQueueUrlAsEndpoint: false }).send(
    new ListQueuesCommand({}),
  );
  return QueueUrls.find((url) => /EventQueue/.test(url)) ?? '';
}

const send =
  (name: QueueName): Attempt =>
  async ({ sqs }) =>
    sqs.send(new SendMessageCommand({ QueueUrl: await urlOf(name), MessageBody: 'from the test' }));
const receive =
  (name: QueueName): Attempt =>
  async ({ sqs }) =>
    sqs.send(new ReceiveMessageCommand({ QueueUrl: await urlOf(name), VisibilityTimeout: 0 }));
const purge: Attempt = async ({ sqs }) =>
  sqs.send(new PurgeQueueCommand({ QueueUrl: await urlOf('closes') }));

/** For each role: calls that are allowed, so that a denial is significant, and calls that are denied. */
const ROLES: Record<string, { may: Record<string, Attempt>; mayNot: Record<string, Attempt> }> = {
  Receive: {
    may: { 'read a connection’s secret': read('connections', 'tickets') },
    mayNot: {
      'read PolyAI’s keys': read('polyai', 'support'),
      'read PolyAI’s keys of the user’s own': read('polyai', 'own'),
      'change a secret': overwrite,
      'take closes': receive('closes'),
      'send dead letters': send('dead letters'),
      'purge the queue': purge,
    },
  },
  Close: {
    may: { 'read PolyAI’s keys': read('polyai', 'support'), 'take closes': receive('closes') },
    mayNot: {
      'read a connection’s secret': read('connections', 'tickets'),
      'read a connection’s secret of the user’s own': read('connections', 'imported'),
      'change a secret': overwrite,
      'take dead letters': receive('dead letters'),
      'take events': receive('events'),
      'purge the queue': purge,
    },
  },
  Event: {
    may: { 'take events': receive('events') },
    mayNot: {
      'read a connection’s secret': read('connections', 'tickets'),
      'read PolyAI’s keys': read('polyai', 'support'),
      'take closes': receive('closes'),
      'send events': send('events'),
      'send dead letters': send('dead letters'),
    },
  },
  Cleanup: {
    may: { 'read the keys of its project': read('polyai', 'cleaned') },
    mayNot: {
      'read the keys of another project': read('polyai', 'support'),
      'read a connection’s secret': read('connections', 'tickets'),
      'take closes': receive('closes'),
      'send dead letters': send('dead letters'),
    },
  },
};

describe.each(Object.entries(ROLES))('the role of %s', (name, { may, mayNot }) => {
  let clients: Clients;
  beforeAll(async () => {
    clients = await clientsOf(name);
  });

  it.each(Object.entries(may))('may %s', async (_, attempt) => {
    await expect(attempt(clients)).resolves.toBeDefined();
  });

  it.each(Object.entries(mayNot))('may not %s', async (_, attempt) => {
    await expect(attempt(clients)).rejects.toThrow(/not authorized to perform|AccessDenied/);
  });
});
