import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CloseRequest } from '../../functions/close-request.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { openAws } from '../../operate/aws.ts';
import { type Deployment, type LogName, readDeployment } from '../../operate/deployment.ts';
import { CAUSES, type Cause } from '../../operate/why/causes.ts';
import { signZendesk, zendeskEvent } from '../../samples/delivery.ts';
import { runCommand } from '../support/command.ts';
import { writeConnections } from '../support/configuration.ts';
import { releaseLines } from '../support/release-lines.ts';

// Plants every cause of the closed list on the deployed stack, and asks `why` and `status` about it.

const MINUTE = 60_000;
const STACK = 'closer-why';
/** What a customer wrote, in the ticket and in the field for the id. No command may print it. */
const SENTENCE = 'Somebody charged my card twice';
const PROJECT = { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-support' };
const ARCHIVE = { ...PROJECT, projectId: 'PROJECT-archive' };
const zendesk = { crm: 'zendesk', polyai: 'support' };
const PATTERN = { source: ['acme.desk'] };

let polyai: PolyAIStandIn;
let local: LocalStack;
let deployment: Deployment;
const behaviours = new Map<string, Behaviour>();
const lines: LoggedLine[] = [];
/** Everything that a command printed. */
const printed: string[] = [];
const secrets = new Set<string>();
const sqs = () => new SQSClient({ useQueueUrlAsEndpoint: false });

beforeAll(async () => {
  polyai = await startPolyAI();
  polyai.behave(({ conversationId = '' }) => behaviours.get(conversationId));
  for (const key of Object.values(polyai.keys)) secrets.add(key);
  local = await startLocalStack({
    configuration: writeConnections({
      stack: { alarms: { thresholds: { NotFoundAlarm: 2 } } },
      polyai: {
        support: PROJECT,
        sales: { ...PROJECT, projectId: 'PROJECT-sales' },
        archive: {
          ...ARCHIVE,
          cleanup: { schedule: 'rate(1 day)', channels: ['CHAT'], dryRun: false },
        },
      },
      connections: {
        desk: zendesk,
        other: zendesk,
        look: { ...zendesk, lookUp: 'sharedId' },
        trial: { ...zendesk, rehearse: true },
        'sales-desk': { ...zendesk, polyai: 'sales' },
        bus: {
          crm: 'eventbridge',
          polyai: 'support',
          bus: 'default',
          eventPattern: { ...PATTERN, account: ['111122223333'] },
          conversationId: 'detail.chats',
          finishedWhen: 'always',
        },
      },
    }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: STACK,
    onStep: () => {},
  });
  deployment = await readDeployment(openAws(), STACK);
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

type Change = Parameters<typeof zendeskEvent>[0] & { time?: string; secret?: string };

/** Sends a webhook of Zendesk. @returns its request id */
async function deliver(connection: string, { time, secret, ...change }: Change): Promise<string> {
  const event = zendeskEvent({ id: randomUUID(), ...change });
  event.detail.subject = SENTENCE;
  const body = JSON.stringify({ ...event, time: time ?? new Date().toISOString() });
  const { signingSecret = '' } = await local.readSecret(local.secretId('connections', connection));
  secrets.add(signingSecret);
  const headers = signZendesk({ secret: secret ?? signingSecret, body, at: Date.now() });
  const answer = await fetch(local.webhookUrl(connection), { method: 'POST', headers, body });
  return ((await answer.json()) as { requestId: string }).requestId;
}

async function queue(change: Partial<CloseRequest>): Promise<void> {
  const request: CloseRequest = {
    v: 1,
    requestId: randomUUID(),
    source: 'webhook',
    project: 'support',
    receivedAt: new Date().toISOString(),
    ...change,
  };
  await send(deployment.outputs.CloseQueueUrl, request);
}

async function send(QueueUrl: string | undefined, message: unknown): Promise<void> {
  await sqs().send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
}

/** Puts a line into a log of the stack, as if it had been written so many minutes ago. */
async function plantLine(log: LogName, minutes: number, line: Record<string, unknown>): Promise<void> {
  const logs = new CloudWatchLogsClient({});
  const stream = { logGroupName: deployment.logGroups[log], logStreamName: randomUUID() };
  await logs.send(new CreateLogStreamCommand(stream));
  const logEvents = [{ timestamp: Date.now() - minutes * MINUTE, message: JSON.stringify(line) }];
  await logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
}

/** Waits for a line that has these values. */
async function lineWith(values: Record<string, unknown>): Promise<LoggedLine> {
  const deadline = Date.now() + 2 * MINUTE;
  for (let polls = 1; ; polls += 1) {
    // On a busy machine the emulator keeps a late line until the function's next invocation.
    if (polls % 10 === 0) await releaseLines(local);
    lines.push(...(await local.log.readNew()));
    const found = lines.find((line) => Object.entries(values).every(([key, value]) => line[key] === value));
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`no line with ${JSON.stringify(values)}`);
    await sleep(200);
  }
}

async function run(...args: string[]) {
  const ran = await runCommand([...args, '--stack', STACK]);
  printed.push(ran.stdout, ran.stderr);
  return ran;
}

type Told = { cause: Cause; next?: string; sentence: string; final: boolean };
type Why = {
  chats: { conversationId?: string; crmRef?: string; verdict: Told; timeline: { at: string }[] }[];
  suspect?: { connection: string; cause: string; refused: number };
  code: number | null;
};

async function ask(id: string, ...options: string[]): Promise<Why> {
  const { code, stdout, stderr } = await run('why', id, '--json', ...options);
  if (!stdout.startsWith('{')) throw new Error(`no JSON: ${stdout}${stderr}`);
  return { ...JSON.parse(stdout), code };
}

/** Asks for two ids at a time, because each command is busy with starting. */
async function askAll(ids: readonly string[]): Promise<Why[]> {
  const told: Why[] = [];
  for (let first = 0; first < ids.length; first += 2) {
    told.push(...(await Promise.all(ids.slice(first, first + 2).map((id) => ask(id)))));
  }
  return told;
}

type Trouble = { cause: string; connection?: string; project?: string; chats: number; next: string };

async function look(...options: string[]) {
  const { code, stdout, stderr } = await run('status', '--json', ...options);
  if (!stdout.startsWith('{')) throw new Error(`no JSON: ${stdout}${stderr}`);
  return { ...(JSON.parse(stdout) as { healthy: boolean; troubles: Trouble[] }), code };
}

const openChat = (behaviour?: Behaviour, project = PROJECT): string => {
  const id = polyai.openChat(project);
  if (behaviour) behaviours.set(id, behaviour);
  return id;
};

/** Sends a delivery about a new chat, and waits until the worker has tried it. */
async function tried(ticket: string, behaviour?: Behaviour, connection = 'desk'): Promise<string> {
  const id = openChat(behaviour);
  await deliver(connection, { externalId: id, ticket });
  await lineWith({ type: 'close', conversation_id: id });
  return id;
}

async function lookedUp(minutes: number, outcome: string): Promise<string> {
  const ticket = `shared-${randomUUID()}`;
  const time = new Date(Date.now() - minutes * MINUTE).toISOString();
  await deliver('look', { ticket, time });
  await lineWith({ type: 'close', shared_id: ticket, outcome });
  return ticket;
}

async function ignored(ticket: string, change: Change): Promise<string> {
  await deliver('desk', { ticket, ...change });
  await lineWith({ type: 'delivery', crm_ref: ticket });
  return ticket;
}

/** How each cause comes about. Each returns the id to ask for. */
const PLANTS: Record<Cause, () => Promise<string>> = {
  not_arrived: async () => openChat(),
  refused: async () => {
    const requestId = await deliver('other', { externalId: openChat(), secret: 'a wrong one' });
    await lineWith({ type: 'delivery', request_id: requestId });
    return requestId;
  },
  not_finished: () => ignored('7101', { externalId: openChat(), current: 'PENDING' }),
  no_conversation_id: () => ignored('7102', { externalId: null }),
  unusable_conversation_id: () => ignored('7103', { externalId: SENTENCE }),
  rehearsed: async () => {
    const id = openChat();
    const requestId = await deliver('trial', { externalId: id, ticket: '7104' });
    await lineWith({ type: 'delivery', request_id: requestId });
    return id;
  },
  waiting: () => tried('7105', { status: 503 }),
  dead_lettered: () => tried('7106', { status: 400, body: { error_code: 'NO_SUCH_THING' } }),
  closed: () => tried('7107'),
  closed_by_cleanup: async () => {
    const startedAt = Date.now() - 24 * 60 * MINUTE;
    const id = polyai.openChat(ARCHIVE, { startedAt });
    expect(await run('cleanup', 'archive')).toMatchObject({ code: 0 });
    await lineWith({ type: 'close', conversation_id: id });
    return id;
  },
  already_ended: () => tried('7108', { status: 410, body: { error_code: 'CHAT_CONVERSATION_ENDED' } }),
  not_found: () => tried('7109', { status: 404, body: { error_message: 'unknown' } }),
  no_conversation: () => lookedUp(3, 'no_conversation'),
  look_up_expired: () => lookedUp(20, 'look_up_expired'),
  cleanup_gave_up: async () => {
    const conversationId = openChat();
    // A close of a real run expires hours later.
    const expiresAt = new Date().toISOString();
    await queue({ source: 'cleanup', conversationId, expiresAt });
    await lineWith({ type: 'close', conversation_id: conversationId, result: 'given_up' });
    return conversationId;
  },
};

describe('a healthy stack', () => {
  it(
    'has no trouble, and every chat on it is closed',
    async () => {
      const id = await tried('7001');
      expect(await ask(id)).toMatchObject({ code: 0, chats: [{ verdict: { cause: 'closed' } }] });
      // A stranger tries an address.
      await fetch(local.webhookUrl('nobody'), { method: 'POST', body: SENTENCE });
      await lineWith({ type: 'delivery', refused: 'unknown_connection' });
      const { code, stdout } = await run('status');
      expect({ code, stdout }).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Nothing is wrong.'),
      });
      const unknown = await ask('CONV-unknown');
      expect(unknown).toMatchObject({ code: 1, chats: [{ verdict: { cause: 'not_arrived' } }] });
      expect(unknown).not.toHaveProperty('suspect');
      expect(unknown.chats[0]?.verdict.sentence).toContain('an address that names no connection');
      expect(unknown.chats[0]?.verdict.next).toContain('listen');
    },
    3 * MINUTE,
  );
});

describe('why', () => {
  const planted: Partial<Record<Cause, string>> = {};

  it(
    'names each cause of the closed list',
    async () => {
      for (const cause of CAUSES) planted[cause] = await PLANTS[cause]();
      const told = await askAll(CAUSES.map((cause) => planted[cause] ?? ''));
      for (const [index, cause] of CAUSES.entries()) {
        const { code, chats } = told[index] as Why;
        expect(chats.map(({ verdict }) => verdict.cause)).toEqual([cause]);
        const isOver = ['closed', 'closed_by_cleanup', 'already_ended'].includes(cause);
        expect({ cause, code }).toEqual({ cause, code: isOver ? 0 : 1 });
        const times = chats[0]?.timeline.map(({ at }) => at) ?? [];
        expect(times).toEqual([...times].sort());
        expect(times.length > 0).toBe(cause !== 'not_arrived');
      }
      const [unknown] = told;
      expect(unknown?.suspect).toMatchObject({
        connection: 'other',
        cause: 'signature_mismatch',
        refused: 1,
      });
      expect(unknown?.chats[0]?.verdict.next).toContain('secret set other');
    },
    5 * MINUTE,
  );

  it(
    'takes every kind of id',
    async () => {
      const ticket = `shared-${randomUUID()}`;
      // Most answers repeat the request id as PolyAI's correlation id.
      const headers = { 'x-polyai-correlation-id': randomUUID() };
      const id = openChat({ headers });
      polyai.share(ticket, id);
      const deliveryId = randomUUID();
      const requestId = await deliver('look', { ticket, id: deliveryId });
      const line = await lineWith({ type: 'close', conversation_id: id, outcome: 'closed' });
      const correlationId = headers['x-polyai-correlation-id'];
      expect(line.polyai_correlation_id).toBe(correlationId);
      const studio = `https://studio.uk.poly.ai/acme-uk/PROJECT-support/conversations/${id}`;
      const ids = [id, studio, ticket, deliveryId, requestId, correlationId];
      for (const [index, { code, chats }] of (await askAll(ids)).entries()) {
        const each = ids[index];
        expect({ each, code, chats }).toMatchObject({
          each,
          code: 0,
          chats: [{ conversationId: id, crmRef: ticket, verdict: { cause: 'closed' } }],
        });
      }
    },
    3 * MINUTE,
  );

  it(
    'gives each chat of a ticket and of an event its own verdict, as text too',
    async () => {
      const closed = await tried('7201');
      const unknown = await tried('7201', { status: 404 });
      const waiting = await tried('7201', { status: 503 });
      await ignored('7201', { externalId: closed, current: 'OPEN' });
      const verdicts = async (id: string) =>
        Object.fromEntries(
          (await ask(id)).chats.map(({ conversationId, verdict }) => [conversationId, verdict.cause]),
        );
      expect(await verdicts('7201')).toEqual({
        [closed]: 'closed',
        [unknown]: 'not_found',
        [waiting]: 'waiting',
      });
      const { code, stdout } = await run('why', '7201', '--ask-polyai');
      expect({ code, stdout }).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('leads to 3 chats'),
      });
      expect(stdout).toContain('docs/why.md#waiting');
      expect(stdout).toContain('PolyAI lists it as open too.');

      const [first, second] = [openChat(), openChat({ status: 404 })];
      await local.events.put({
        bus: 'default',
        source: 'acme.desk',
        detailType: 'Done',
        detail: { chats: [first, second] },
        resources: [],
      });
      const { request_id } = await lineWith({ type: 'close', conversation_id: first });
      await lineWith({ type: 'close', conversation_id: second });
      expect(await verdicts(String(request_id))).toEqual({ [first]: 'closed', [second]: 'not_found' });
      expect(await verdicts(first)).toEqual({ [first]: 'closed' });
    },
    3 * MINUTE,
  );

  it(
    'gives no false verdict on healthy chats',
    async () => {
      const twice = await tried('7301');
      const again = await deliver('desk', { externalId: twice, ticket: '7301' });
      await lineWith({ type: 'close', request_id: again });
      const late = openChat();
      await ignored('7302', { externalId: late, current: 'PENDING' });
      await deliver('desk', { externalId: late, ticket: '7302' });
      await lineWith({ type: 'close', conversation_id: late });
      const refusedFirst = openChat();
      await deliver('desk', { externalId: refusedFirst, ticket: '7303', secret: 'a wrong one' });
      await deliver('desk', { externalId: refusedFirst, ticket: '7303' });
      await lineWith({ type: 'close', conversation_id: refusedFirst });
      const byHand = openChat();
      expect(await run('close', 'support', byHand, '--yes')).toMatchObject({ code: 0 });
      const ids = [twice, late, refusedFirst, byHand, '7301', '7302', '7303'];
      for (const [index, { code, chats }] of (await askAll(ids)).entries()) {
        const id = ids[index];
        expect({ id, code, chats }).toMatchObject({ id, code: 0, chats: [{ verdict: { cause: 'closed' } }] });
      }
    },
    3 * MINUTE,
  );
});

/** Switches the worker's event source, and waits until it is so. */
async function switchWorker(Enabled: boolean): Promise<void> {
  const lambda = new LambdaClient({});
  const FunctionName = deployment.functions.close;
  const find = async () =>
    (await lambda.send(new ListEventSourceMappingsCommand({ FunctionName }))).EventSourceMappings?.[0];
  await lambda.send(new UpdateEventSourceMappingCommand({ UUID: (await find())?.UUID, Enabled }));
  const wanted = Enabled ? 'Enabled' : 'Disabled';
  while ((await find())?.State !== wanted) await sleep(200);
}

/** An attempt that left a close waiting. */
const late = (outcome: string, conversation_id: string) => ({
  type: 'close',
  request_id: randomUUID(),
  outcome,
  result: 'waiting',
  final: false,
  project: 'support',
  conversation_id,
  next_try_in_s: 1200,
});

describe('status', () => {
  it(
    'finds each planted trouble, and says what to do',
    async () => {
      await deliver('other', { externalId: openChat(), secret: 'a wrong one' });
      await tried('7401', { status: 401 }, 'sales-desk');
      await tried('7402', { status: 404, body: { error_code: 'PROJECT_NOT_FOUND' } });
      await tried('7403', { status: 404 });
      await tried('7404', { status: 400, body: { error_code: 'NO_SUCH_THING' } });
      const lost = openChat();
      await queue({ project: 'gone', conversationId: lost });
      await lineWith({ type: 'close', conversation_id: lost, outcome: 'unknown_target' });
      // These become troubles only after a quarter of an hour.
      for (const outcome of ['unavailable', 'throttled', 'unconfirmed']) {
        await plantLine('close', 20, late(outcome, `CONV-${outcome}`));
      }
      await send(deployment.outputs.EventsDeadLetterQueueUrl, { connection: 'bus', event: SENTENCE });
      await plantLine('cleanup', 0, {
        type: 'cleanup',
        request_id: randomUUID(),
        project: 'archive',
        complete: false,
        reason: 'PolyAI answered 500',
        stale: 7,
      });
      const events = deployment.resources.find(({ logicalId }) => /^Event.*Queue/.test(logicalId));
      await send(events?.name, { connection: 'renamed', event: { detail: SENTENCE } });
      await lineWith({ type: 'fault', where: 'event: message' });
      const alarm = deployment.resources.find(({ type }) => type === 'AWS::CloudWatch::Alarm');
      await new CloudWatchClient({}).send(
        new SetAlarmStateCommand({ AlarmName: alarm?.name, StateValue: 'ALARM', StateReason: 'a test' }),
      );
      const { code, healthy, troubles } = await look();
      expect({ code, healthy }).toEqual({ code: 1, healthy: false });
      expect(troubles.map(({ cause, connection, project }) => [cause, connection ?? project])).toEqual(
        expect.arrayContaining([
          ['refused', 'other'],
          ['unauthorized', 'sales'],
          ['misdirected', 'support'],
          ['unknown_target', 'gone'],
          ['dead_letters', 'support'],
          ['event_dead_letters', undefined],
          ['not_found', 'support'],
          ['unavailable', 'support'],
          ['throttled', 'support'],
          ['unconfirmed', 'support'],
          ['cleanup_incomplete', 'archive'],
          ['fault', undefined],
          ['alarm', undefined],
        ]),
      );
      expect(troubles.filter(({ cause }) => cause === 'refused')).toHaveLength(1);
      expect(troubles.every(({ next }) => next !== '')).toBe(true);
      const { stdout } = await run('status');
      for (const { cause } of troubles) expect(stdout).toContain(cause);
    },
    3 * MINUTE,
  );

  it(
    'finds a worker that has stopped',
    async () => {
      await switchWorker(false);
      await queue({ conversationId: openChat() });
      await plantLine('receive', 40, {
        type: 'delivery',
        request_id: randomUUID(),
        connection: 'desk',
        accepted: 1,
        conversation_ids: ['CONV-stuck'],
      });
      // The lines of the other tests are newer.
      const { troubles } = await look('--since', '1h', '--until', '30m');
      expect(troubles).toContainEqual(expect.objectContaining({ cause: 'worker_stopped' }));
      const stuck = await ask('CONV-stuck');
      expect(stuck.chats[0]?.verdict).toMatchObject({
        cause: 'waiting',
        sentence: expect.stringContaining('may have stopped'),
      });
      await switchWorker(true);
    },
    3 * MINUTE,
  );
});

describe('every output', () => {
  it('has no secret and nothing that a customer wrote', () => {
    const all = printed.join('\n');
    expect(all).toContain('closed');
    expect(secrets.size).toBeGreaterThan(2);
    for (const text of [SENTENCE, ...secrets].filter(Boolean)) expect(all).not.toContain(text);
  });
});
