import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClose } from '../../functions/close.lambda.ts';
import type { CloseRequest } from '../../functions/close-request.ts';
import { ROOT } from '../../infra/root.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { writeConnections } from '../support/configuration.ts';
import { readNewLines } from '../support/release-lines.ts';

// Runs the operator's commands on the deployed stack.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STACK = 'closer-redrive';
const PROJECTS = {
  support: { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' },
  sales: { region: 'euw-1', accountId: 'ws-0a1b2c', projectId: 'sales' },
};
const CONNECTIONS = {
  zendesk: { crm: 'zendesk', polyai: 'support' },
  hubspot: { crm: 'hubspot', polyai: 'support', finishedValues: ['4'], lookUp: 'sharedId' },
};
type ProjectName = keyof typeof PROJECTS;

let polyai: PolyAIStandIn;
let local: LocalStack;
const lines: LoggedLine[] = [];
const behaviours = new Map<string, Behaviour>();
const sqs = () => new SQSClient({ useQueueUrlAsEndpoint: false });

beforeAll(async () => {
  polyai = await startPolyAI();
  polyai.behave(({ conversationId = '' }) => behaviours.get(conversationId));
  local = await startLocalStack({
    configuration: writeConnections({ polyai: PROJECTS, connections: CONNECTIONS }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: STACK,
    onStep: () => {},
  });
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

beforeEach(async () => {
  await sqs().send(new PurgeQueueCommand({ QueueUrl: local.outputs.DeadLetterQueueUrl }));
});

function request(change: Partial<CloseRequest> = {}): CloseRequest {
  const { sharedId } = change;
  return {
    v: 1,
    requestId: randomUUID(),
    source: 'webhook',
    project: 'support',
    connection: 'zendesk',
    crm: 'zendesk',
    ...(sharedId === undefined && {
      conversationId: polyai.openChat(PROJECTS[(change.project ?? 'support') as ProjectName]),
    }),
    crmRef: '5158',
    deliveryId: randomUUID(),
    receivedAt: new Date(Date.now() - 75 * HOUR).toISOString(),
    ...change,
  };
}

/** Lets the worker dead-letter closes that have failed for too long, here because the project's keys are wrong. */
async function giveUp(...requests: CloseRequest[]): Promise<void> {
  const wrong = JSON.stringify({ apiKey: 'revoked', token: 'revoked' });
  const close = createClose({
    projects: Object.fromEntries(
      Object.entries(PROJECTS).map(([name, project]) => [
        name,
        { ...project, baseUrl: polyai.url, version: 'v1', secretId: name },
      ]),
    ),
    secrets: { read: async () => wrong, readAgain: async () => wrong, readAhead: async () => {} },
    sqs: sqs(),
    closeQueueUrl: local.outputs.CloseQueueUrl,
    deadLetterQueueUrl: local.outputs.DeadLetterQueueUrl,
    fetch,
    writeLine: () => {},
    now: Date.now,
    random: () => 0,
  });
  const Records = requests.map((each) => ({
    messageId: each.requestId,
    receiptHandle: 'none',
    body: JSON.stringify(each),
    attributes: {
      SentTimestamp: String(Date.now() - 75 * HOUR),
      ApproximateFirstReceiveTimestamp: String(Date.now() - 75 * HOUR),
      ApproximateReceiveCount: '40',
      MessageGroupId: each.project,
    },
  })) as unknown as SQSRecord[];
  const { batchItemFailures } = await close({ Records }, { getRemainingTimeInMillis: () => 1000 });
  expect(batchItemFailures).toEqual([]);
}

async function sendToDeadLetters(MessageBody: string, outcome?: string): Promise<void> {
  const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
  await sqs().send(
    new SendMessageCommand({
      QueueUrl: local.outputs.DeadLetterQueueUrl,
      MessageBody,
      ...(outcome && {
        MessageAttributes: { outcome: attribute(outcome), reason: attribute(`because ${outcome}`) },
      }),
    }),
  );
}

/** How many messages of a queue are visible, and how many are held. */
async function depth(QueueUrl = local.outputs.DeadLetterQueueUrl) {
  const { Attributes = {} } = await sqs().send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages),
    held: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  };
}

type Ended = { code: number | null; output: string };

function start(command: 'redrive' | 'replay', args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['commands/chat-closer.ts', command, '--stack', STACK, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const ended: Promise<Ended> = once(child, 'close').then(([code]) => ({ code, output }));
  return { child, ended };
}

function run(command: 'redrive' | 'replay', ...args: string[]): Promise<Ended> {
  return start(command, args).ended;
}

/** The final line of a conversation's next close. */
async function finalLine(conversationId = ''): Promise<LoggedLine> {
  const deadline = Date.now() + MINUTE;
  for (;;) {
    lines.push(...(await readNewLines(local)));
    // The line of a look-up that found the conversation is final too, but the close follows it.
    const index = lines.findIndex(
      ({ type, final, outcome, conversation_id }) =>
        type === 'close' && final && outcome !== 'resolved' && conversation_id === conversationId,
    );
    const [line] = index < 0 ? [] : lines.splice(index, 1);
    if (line) return line;
    if (Date.now() > deadline) throw new Error(`no final line of ${conversationId}`);
    await sleep(200);
  }
}

async function expectClosed({ conversationId = '' }: CloseRequest): Promise<LoggedLine> {
  const line = await finalLine(conversationId);
  expect(line).toMatchObject({ outcome: 'closed' });
  expect(polyai.isOpen(conversationId)).toBe(false);
  return line;
}

describe('redrive', () => {
  it(
    'moves closes that were given up while the key was wrong, and their chats are closed',
    async () => {
      const requests = [request(), request(), request({ source: 'event', project: 'sales' })];
      await giveUp(...requests);
      expect(await depth()).toEqual({ visible: 3, held: 0 });
      const { code, output } = await run('redrive');
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Moved 3 of 3') });
      expect(output).toMatch(/2 +0 m +unauthorized +support +given up: PolyAI answered 401/);
      expect(output).toMatch(/1 +0 m +unauthorized +sales /);
      for (const each of requests) {
        const line = await expectClosed(each);
        expect(line).toMatchObject({
          request_id: each.requestId,
          source: each.source,
          received_at: each.receivedAt,
          crm_ref: each.crmRef,
          delivery_id: each.deliveryId,
        });
        // Its clock starts again, although its age counts from the CRM's delivery.
        expect(line.late).toBe(0);
      }
      expect(await depth()).toEqual({ visible: 0, held: 0 });
    },
    2 * MINUTE,
  );

  it(
    'moves only the selected messages, and releases the others at once',
    async () => {
      const [other, wanted, foreign] = [
        request(),
        request({ project: 'sales' }),
        request({ project: 'sales' }),
      ];
      await giveUp(other, wanted);
      await sendToDeadLetters(JSON.stringify(foreign), 'rejected');
      const { output } = await run(
        'redrive',
        '--project',
        'sales',
        '--outcome',
        'unauthorized',
        '--since',
        '1h',
      );
      expect(output).toContain('Moved 1 of 1');
      await expectClosed(wanted);
      expect(await depth()).toEqual({ visible: 2, held: 0 });
      expect([other, foreign].map(({ conversationId = '' }) => polyai.isOpen(conversationId))).toEqual([
        true,
        true,
      ]);
    },
    2 * MINUTE,
  );

  it(
    'changes nothing in a dry run',
    async () => {
      const given = request();
      await giveUp(given);
      const { code, output } = await run('redrive', '--dry-run');
      expect({ code, output }).toMatchObject({
        code: 0,
        output: expect.stringContaining('1 close of these would be'),
      });
      const listed = await run('redrive', '--list', '--project', 'support', '--project', 'suport');
      expect(listed).toMatchObject({
        code: 1,
        output: expect.stringContaining('There is no dead letter of "suport". Projects here: "support".'),
      });
      expect(listed.output).toMatch(new RegExp(`Z +zendesk +5158 +${given.conversationId} +unauthorized`));
      expect(await depth()).toEqual({ visible: 1, held: 0 });
      expect(await depth(local.outputs.CloseQueueUrl)).toEqual({ visible: 0, held: 0 });
      expect(polyai.isOpen(given.conversationId ?? '')).toBe(true);
    },
    2 * MINUTE,
  );

  it(
    'loses nothing when it is killed before a send, or between a send and its delete',
    async () => {
      const given = request();
      await giveUp(given);
      for (const killedAt of ['SendMessageBatch', 'DeleteMessageBatch'] as const) {
        const gateway = await startGateway();
        const { child, ended } = start('redrive', [], { AWS_ENDPOINT_URL: gateway.url });
        gateway.killAt(killedAt, child);
        expect(await ended).toMatchObject({ code: null });
        await gateway.close();
        expect(await depth()).toEqual({ visible: 0, held: 1 });
        expect((await run('redrive', '--dry-run')).output).toContain('About 1 is held by another command');
        const isSent = killedAt === 'DeleteMessageBatch';
        if (isSent) await expectClosed(given);
        expect(polyai.isOpen(given.conversationId ?? '')).toBe(!isSent);
        await gateway.release();
      }
      expect(await run('redrive')).toMatchObject({ code: 0 });
      expect(await finalLine(given.conversationId)).toMatchObject({ outcome: 'already_ended' });
      expect(await depth()).toEqual({ visible: 0, held: 0 });
    },
    2 * MINUTE,
  );

  it(
    'leaves shared ids that were never resolved, unless --late-look-up is given',
    async () => {
      const sharedId = `ticket-${randomUUID()}`;
      const chat = request();
      polyai.share(sharedId, chat.conversationId ?? '');
      const given = request({ sharedId, connection: 'hubspot', crm: 'hubspot' });
      await sendToDeadLetters(JSON.stringify(given), 'look_up_expired');
      const refused = await run('redrive');
      expect(refused).toMatchObject({ code: 0, output: expect.stringContaining('--late-look-up') });
      expect(refused.output).toContain('0 closes of these');
      expect(await depth()).toEqual({ visible: 1, held: 0 });
      const { output } = await run('redrive', '--late-look-up');
      expect(output).toContain('has a newer chat, that chat is closed');
      expect(await expectClosed(chat)).toMatchObject({
        request_id: given.requestId,
        received_at: given.receivedAt,
      });
    },
    2 * MINUTE,
  );

  it(
    'shows a message that is not a close request and one without an outcome, and moves only the second',
    async () => {
      const given = request();
      await sendToDeadLetters('something else', 'rejected');
      await sendToDeadLetters(JSON.stringify(given));
      const { output } = await run('redrive', '--outcome', 'none', '--outcome', 'rejected');
      expect(output).toMatch(/rejected +- +because rejected \(not a close request: stays\)/);
      expect(output).not.toContain('something else');
      expect(output).toContain('Moved 1 of 1');
      await expectClosed(given);
      expect(await depth()).toEqual({ visible: 1, held: 0 });
    },
    2 * MINUTE,
  );

  it(
    'asks before it moves more than 100, unless --yes is given',
    async () => {
      const requests = Array.from({ length: 101 }, () => request());
      for (let first = 0; first < requests.length; first += 10) {
        const Entries = requests.slice(first, first + 10).map((each, index) => ({
          Id: String(index),
          MessageBody: JSON.stringify(each),
        }));
        await sqs().send(
          new SendMessageBatchCommand({ QueueUrl: local.outputs.DeadLetterQueueUrl, Entries }),
        );
      }
      expect(await run('redrive')).toMatchObject({ code: 2, output: expect.stringContaining('Add --yes') });
      expect(await depth()).toEqual({ visible: 101, held: 0 });
      const { code, output } = await run('redrive', '--yes', '--rate', '1000');
      expect({ code, output }).toMatchObject({
        code: 0,
        output: expect.stringContaining('Moved 101 of 101'),
      });
      expect(await depth()).toEqual({ visible: 0, held: 0 });
      for (const each of requests) await expectClosed(each);
    },
    2 * MINUTE,
  );

  it(
    'reports an empty queue, and a stack that does not exist',
    async () => {
      expect(await run('redrive')).toMatchObject({
        code: 0,
        output: expect.stringContaining('There are no dead letters.'),
      });
      expect(await run('redrive', '--stack', 'elsewhere')).toEqual({
        code: 1,
        output:
          'There is no stack elsewhere in us-east-1. Name it with --stack, and choose account and region with --profile and --region.\n',
      });
    },
    MINUTE,
  );
});

describe('the worker on this machine', () => {
  it(
    'writes no warning from Node before its lines, and ignores an invocation without a message',
    async () => {
      const given = request();
      await sqs().send(
        new SendMessageCommand({ QueueUrl: local.outputs.CloseQueueUrl, MessageBody: JSON.stringify(given) }),
      );
      await expectClosed(given);
      const calls = polyai.calls.length;
      await local.flush();
      expect(polyai.calls).toHaveLength(calls);
      expect((await local.log.readAll()).filter((line) => line.includes('DeprecationWarning'))).toEqual([]);
    },
    MINUTE,
  );
});

describe('replay', () => {
  it(
    'queues each conversation that PolyAI did not find once, after the project is corrected',
    async () => {
      const [first, second, sales] = [request(), request(), request({ project: 'sales' })];
      const all = [first, second, sales];
      for (const { conversationId = '' } of all)
        behaviours.set(conversationId, { status: 404, body: { error_message: 'no such project here' } });
      for (const each of [...all, first]) {
        await sqs().send(
          new SendMessageCommand({
            QueueUrl: local.outputs.CloseQueueUrl,
            MessageBody: JSON.stringify(each),
          }),
        );
      }
      for (const { conversationId } of [...all, first])
        expect(await finalLine(conversationId)).toMatchObject({ outcome: 'not_found' });
      behaviours.clear();
      const args = ['--outcome', 'not_found', '--since', '1h', '--project', 'support'];
      const dry = await run('replay', ...args, '--dry-run');
      expect(dry).toMatchObject({ code: 0, output: expect.stringContaining('2 closes of these would be') });
      expect(polyai.isOpen(first.conversationId ?? '')).toBe(true);
      const { code, output } = await run('replay', ...args);
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Queued 2 of 2') });
      const [, requestId] = /request id (\S+)\./.exec(output) ?? [];
      for (const each of [first, second]) {
        expect(await expectClosed(each)).toMatchObject({
          request_id: requestId,
          source: 'operator',
          received_at: each.receivedAt,
          connection: each.connection,
          crm: each.crm,
          crm_ref: each.crmRef,
          delivery_id: each.deliveryId,
        });
      }
      expect(polyai.calls.filter(({ body }) => body.includes(first.conversationId ?? ''))).toHaveLength(3);
      expect(polyai.isOpen(sales.conversationId ?? '')).toBe(true);
      const again = await run('replay', ...args);
      expect(again).toMatchObject({
        code: 0,
        output: expect.stringMatching(/2 conversations left out, with another outcome since: 2 closed\./),
      });
      expect(again.output).not.toContain('Queued');
    },
    2 * MINUTE,
  );

  it(
    'leaves shared ids without a conversation, unless --late-look-up is given',
    async () => {
      const sharedId = `ticket-${randomUUID()}`;
      const given = request({ sharedId });
      await sqs().send(
        new SendMessageCommand({
          QueueUrl: local.outputs.CloseQueueUrl,
          MessageBody: JSON.stringify({
            ...given,
            receivedAt: new Date(Date.now() - 5 * MINUTE).toISOString(),
          }),
        }),
      );
      while (!(await readNewLines(local)).some((line) => line.shared_id === sharedId && line.final))
        await sleep(200);
      const chat = request();
      polyai.share(sharedId, chat.conversationId ?? '');
      const args = ['--outcome', 'no_conversation', '--since', '1h'];
      const refused = await run('replay', ...args);
      expect(refused).toMatchObject({
        code: 0,
        output: expect.stringContaining('1 look-up of shared ids left out'),
      });
      expect(polyai.isOpen(chat.conversationId ?? '')).toBe(true);
      expect(await run('replay', ...args, '--late-look-up')).toMatchObject({ code: 0 });
      await expectClosed(chat);
    },
    2 * MINUTE,
  );
});

/** A proxy of the emulator. It can kill a command at one of its calls, before that call arrives. */
async function startGateway() {
  const emulator = process.env.AWS_ENDPOINT_URL ?? '';
  const handles = new Set<string>();
  let victim: { child: ChildProcess; action: string } | undefined;
  const server: Server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const action = String(incoming.headers['x-amz-target'] ?? '').split('.')[1];
    if (victim && action === victim.action) {
      victim.child.kill('SIGKILL');
      return;
    }
    const { host: _host, connection: _connection, ...headers } = incoming.headers;
    const answer = await fetch(emulator + (incoming.url ?? ''), {
      method: incoming.method ?? 'POST',
      headers: headers as Record<string, string>,
      body: Buffer.concat(chunks),
    });
    const text = await answer.text();
    for (const [, handle = ''] of text.matchAll(/"ReceiptHandle":\s*"([^"]+)"/g)) handles.add(handle);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    killAt: (action: string, child: ChildProcess) => {
      victim = { action, child };
    },
    /** Makes the messages visible again that the killed command held, as would happen when their hold ends. */
    release: async () => {
      for (const ReceiptHandle of handles)
        await sqs().send(
          new ChangeMessageVisibilityCommand({
            QueueUrl: local.outputs.DeadLetterQueueUrl,
            ReceiptHandle,
            VisibilityTimeout: 0,
          }),
        );
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
