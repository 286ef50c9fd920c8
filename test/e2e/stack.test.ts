import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import {
  changeCharacter,
  prove,
  signStandardWebhooks,
  signZendesk,
  zendeskEvent,
} from '../../samples/delivery.ts';
import { writeConnections } from '../support/configuration.ts';
import { readNewLines } from '../support/release-lines.ts';

// Tests the deployed stack on the emulator of AWS, from the HTTP request to PolyAI's endpoint and the log.

const MINUTE = 60_000;
/** The first wait of the back-off, its jitter, and the delays of the queue. */
const SECOND_ATTEMPT_MS = 40_000;
/** The time until a project's secret is read again, at most twice a minute, and the attempt after that. */
const HEALED_MS = 120_000;
const ZENDESK = 'zendesk';

const custom = (verify: object) => ({
  crm: 'custom',
  polyai: 'support',
  verify,
  finishedWhen: "body.status == 'closed'",
  conversationId: 'body.chat.id',
});

const CONNECTIONS = {
  [ZENDESK]: { crm: 'zendesk', polyai: 'support' },
  'zendesk-field': { crm: 'zendesk', polyai: 'support', conversationId: 'body.chat' },
  'zendesk-sales': { crm: 'zendesk', polyai: 'sales' },
  hmac: custom({
    scheme: 'hmac',
    header: 'X-Signature',
    prefix: 'v0=',
    signed: 'v0:{timestamp}:{id}:{body}',
    timestampHeader: 'X-Timestamp',
    idHeader: 'X-Id',
  }),
  'standard-webhooks': custom({ scheme: 'standard-webhooks' }),
  bearer: custom({ scheme: 'bearer' }),
  header: custom({ scheme: 'header', header: 'X-Token' }),
  query: custom({ scheme: 'query', parameter: 'token' }),
  basic: custom({ scheme: 'basic' }),
  many: { ...custom({ scheme: 'bearer' }), finishedWhen: 'always', conversationId: 'body.chats[].id' },
  form: {
    ...custom({ scheme: 'bearer' }),
    format: 'form',
    finishedWhen: "body.state == 'closed'",
    conversationId: 'body.chat',
  },
  elsewhere: { ...custom({ scheme: 'bearer' }), allowedSources: ['203.0.113.0/24'] },
  waiting: { crm: 'zendesk', polyai: 'support' },
  flag: { ...custom({ scheme: 'bearer' }), finishedWhen: 'body.done' },
};

const PROJECTS = {
  support: { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' },
  sales: { region: 'euw-1', accountId: 'ws-0a1b2c', projectId: 'sales', version: 'v1' },
};

const CANARY = 'canary-a7c31f';

let polyai: PolyAIStandIn;
let local: LocalStack;
const sqs = () => new SQSClient({ useQueueUrlAsEndpoint: false });
const behaviours = new Map<string, Behaviour>();
const lines: LoggedLine[] = [];

beforeAll(async () => {
  polyai = await startPolyAI({ keys: { apiKey: `key-${CANARY}`, token: `token-${CANARY}` } });
  polyai.behave(({ conversationId = '' }) => behaviours.get(conversationId));
  local = await startLocalStack({
    configuration: writeConnections({ polyai: PROJECTS, connections: CONNECTIONS }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: 'closer-e2e',
    onStep: () => {},
  });
  await local.writeSecret(local.secretId('connections', 'waiting'), { signingSecret: '' });
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

type Request = { method?: string; headers?: Record<string, string>; body?: string; query?: string };

async function send(connection: string, { method = 'POST', headers = {}, body, query }: Request) {
  const url = local.webhookUrl(connection) + (query ? `?${query}` : '');
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
}

async function secretOf(connection: string): Promise<Record<string, string>> {
  return local.readSecret(local.secretId('connections', connection));
}

/** A body signed with the connection's secret from Secrets Manager. */
async function signed(connection: string, body: string): Promise<Request> {
  const { verify } = local.configuration.connections[connection] ?? {};
  if (!verify) throw new Error(`no connection ${connection}`);
  return { ...prove(verify, await secretOf(connection), { body, at: Date.now() }), body };
}

function openChat(project: keyof typeof PROJECTS = 'support'): string {
  return polyai.openChat(PROJECTS[project]);
}

function finished(connection: string, id: string): string {
  return JSON.stringify(
    connection.startsWith(ZENDESK)
      ? zendeskEvent({ externalId: id })
      : { status: 'closed', chat: { id }, note: CANARY },
  );
}

async function eventually<T>(
  find: () => Promise<T | undefined> | T | undefined,
  timeoutMs = MINUTE,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await sleep(200);
  }
}

/** Waits for the final `close` line of a conversation. @returns all its `close` lines */
async function closeLines(conversationId: string, timeoutMs?: number): Promise<LoggedLine[]> {
  return eventually(async () => {
    lines.push(...(await readNewLines(local)));
    const own = lines.filter((line) => line.type === 'close' && line.conversation_id === conversationId);
    return own.some((line) => line.final) ? own : undefined;
  }, timeoutMs);
}

async function expectClosed(conversationId: string, timeoutMs?: number): Promise<LoggedLine[]> {
  const own = await closeLines(conversationId, timeoutMs);
  expect(own.at(-1)).toMatchObject({ outcome: 'closed', final: true, polyai_status: 200 });
  expect(polyai.isOpen(conversationId)).toBe(false);
  return own;
}

// These wait for the back-off, so they begin before everything else and are checked at the end.
let down: { id: string };
let healing: { id: string };

describe('closes that take a while', () => {
  it(
    'begin: one while PolyAI is down, and one while its keys are wrong',
    async () => {
      down = { id: openChat() };
      behaviours.set(down.id, { status: 503, body: { error_message: 'down' } });
      expect(await send(ZENDESK, await signed(ZENDESK, finished(ZENDESK, down.id)))).toMatchObject({
        status: 200,
      });
      healing = { id: openChat('sales') };
      await local.writeSecret(local.secretId('polyai', 'sales'), { apiKey: 'wrong', token: 'wrong' });
      expect(
        await send('zendesk-sales', await signed('zendesk-sales', finished(ZENDESK, healing.id))),
      ).toMatchObject({ status: 200 });
      await eventually(
        () =>
          polyai.calls.filter(({ body }) => body.includes(down.id) || body.includes(healing.id)).length >= 2,
      );
      behaviours.delete(down.id);
      await local.writeSecret(local.secretId('polyai', 'sales'), polyai.keys);
    },
    MINUTE,
  );
});

describe('a valid delivery', () => {
  const schemes = [ZENDESK, 'hmac', 'standard-webhooks', 'bearer', 'header', 'query', 'basic'];

  it.each(schemes)(
    'closes the chat, and a forged one does not: %s',
    async (connection) => {
      const id = openChat();
      const request = await signed(connection, finished(connection, id));
      expect(await send(connection, forge(request))).toMatchObject({
        status: 401,
        body: { requestId: expect.any(String) },
      });
      expect(polyai.isOpen(id)).toBe(true);
      const { status, body } = await send(connection, request);
      expect({ status, body }).toEqual({
        status: 200,
        body: { accepted: 1, ignored: [], requestId: expect.any(String) },
      });
      const [line] = await expectClosed(id);
      expect(line).toMatchObject({
        request_id: body.requestId,
        connection,
        project: 'support',
        region: 'uk-1',
        source: 'webhook',
        receives: 1,
      });
      const [call, ...more] = polyai.calls.filter((each) => each.body.includes(id));
      expect(more).toEqual([]);
      expect(call).toMatchObject({
        method: 'PUT',
        path: '/v1/acme-uk/PROJECT-191bfa2a/chat/close',
        headers: {
          'x-api-key': polyai.keys.apiKey,
          'x-token': polyai.keys.token,
          'x-polyai-correlation-id': body.requestId,
        },
        body: JSON.stringify({ conversation_id: id }),
      });
    },
    2 * MINUTE,
  );

  it(
    'is accepted at the address with a slash at its end, and refused at any other path',
    async () => {
      const id = openChat();
      const request = await signed(ZENDESK, finished(ZENDESK, id));
      for (const path of [`${ZENDESK}//`, `${ZENDESK}/x`]) {
        const { status, body } = await send(path, request);
        expect([path, status, body.code]).toEqual([path, 404, 'unknown_connection']);
      }
      expect(await send(`${ZENDESK}/`, request)).toMatchObject({ status: 200, body: { accepted: 1 } });
      await expectClosed(id);
    },
    MINUTE,
  );

  it(
    'is accepted from Svix',
    async () => {
      const id = openChat();
      const body = finished('standard-webhooks', id);
      const { signingSecret = '' } = await secretOf('standard-webhooks');
      const headers = signStandardWebhooks({ secret: signingSecret, body, at: Date.now(), names: 'svix' });
      expect(await send('standard-webhooks', { headers, body })).toMatchObject({ status: 200 });
      await expectClosed(id);
    },
    MINUTE,
  );

  it(
    'is accepted from a trigger of Zendesk, with the id at the connection’s selector',
    async () => {
      const ids = [openChat(), openChat()] as const;
      const bodies = [
        JSON.stringify({ polyai_conversation_id: ids[0], ticket_id: '7' }),
        JSON.stringify({ chat: ids[1] }),
      ] as const;
      expect(await send(ZENDESK, await signed(ZENDESK, bodies[0]))).toMatchObject({
        status: 200,
        body: { accepted: 1 },
      });
      expect(await send('zendesk-field', await signed('zendesk-field', bodies[1]))).toMatchObject({
        status: 200,
        body: { accepted: 1 },
      });
      for (const id of ids) await expectClosed(id);
    },
    MINUTE,
  );

  it(
    'is accepted as a form',
    async () => {
      const id = openChat();
      const request = await signed(
        'form',
        new URLSearchParams({ state: 'closed', chat: id, note: 'ü&=' }).toString(),
      );
      const headers = { ...request.headers, 'content-type': 'application/x-www-form-urlencoded' };
      expect(await send('form', { ...request, headers })).toMatchObject({
        status: 200,
        body: { accepted: 1 },
      });
      await expectClosed(id);
    },
    MINUTE,
  );

  it(
    'can close many chats',
    async () => {
      const ids = Array.from({ length: 25 }, () => openChat());
      const body = JSON.stringify({ chats: ids.map((id) => ({ id })) });
      expect(await send('many', await signed('many', body))).toMatchObject({
        status: 200,
        body: { accepted: 25 },
      });
      for (const id of ids) await expectClosed(id);
    },
    2 * MINUTE,
  );

  it(
    'for a chat that is already over has the final outcome already_ended',
    async () => {
      const id = openChat();
      // With the same bytes it would be the same delivery.
      for (const body of [finished('bearer', id), `${finished('bearer', id)} `])
        await send('bearer', await signed('bearer', body));
      const outcomes = async () => {
        lines.push(...(await readNewLines(local)));
        const own = lines.filter((line) => line.type === 'close' && line.conversation_id === id);
        return own.length === 2 ? own.map(({ outcome, final }) => `${outcome} ${final}`).sort() : undefined;
      };
      expect(await eventually(outcomes)).toEqual(['already_ended true', 'closed true']);
    },
    MINUTE,
  );
});

describe('a delivery without a close', () => {
  it.each([
    ['not_finished', ZENDESK, zendeskEvent({ current: 'PENDING' })],
    ['no_conversation_id', ZENDESK, zendeskEvent({ externalId: null })],
    ['unusable_conversation_id', ZENDESK, zendeskEvent({ externalId: 'x'.repeat(257) })],
    ['finished_not_boolean', 'flag', { done: 'yes' }],
  ])('is answered 200 with the reason: %s', async (reason, connection, content) => {
    const answer = await send(connection, await signed(connection, JSON.stringify(content)));
    expect(answer).toMatchObject({ status: 200, body: { accepted: 0, ignored: [{ reason }] } });
  });
});

describe('a delivery that is refused', () => {
  const zendesk = () => signed(ZENDESK, finished(ZENDESK, openChat()));
  const unsigned = { body: '{}' };

  it.each<[string, number, string, () => Promise<Request> | Request, string?]>([
    ['to an unknown address', 404, 'unknown_connection', zendesk, 'nobody'],
    ['by GET', 405, 'method_not_allowed', () => ({ method: 'GET' })],
    ['by DELETE', 405, 'method_not_allowed', () => ({ method: 'DELETE' })],
    [
      'compressed',
      415,
      'body_compressed',
      async () => withHeaders(await zendesk(), { 'content-encoding': 'gzip' }),
    ],
    ['too large', 413, 'body_too_large', () => ({ body: ' '.repeat(1024 * 1024 + 1) })],
    ['from elsewhere', 401, 'source_not_allowed', () => unsigned, 'elsewhere'],
    ['without a signature', 401, 'signature_missing', () => unsigned],
    [
      'without a timestamp',
      401,
      'timestamp_missing',
      () => ({ ...unsigned, headers: { 'x-zendesk-webhook-signature': 'AAAA' } }),
    ],
    [
      'with another timestamp',
      401,
      'timestamp_malformed',
      async () => withHeaders(await zendesk(), { 'x-zendesk-webhook-signature-timestamp': 'now' }),
    ],
    ['too old', 401, 'timestamp_stale', () => signedAt(Date.now() - 301_000)],
    ['too new', 401, 'timestamp_stale', () => signedAt(Date.now() + 310_000)],
    [
      'with half a signature',
      401,
      'signature_malformed',
      async () => withHeaders(await zendesk(), { 'x-zendesk-webhook-signature': 'AAAA' }),
    ],
    ['without a credential', 401, 'credential_missing', () => unsigned, 'bearer'],
    [
      'with a wrong credential',
      401,
      'credential_mismatch',
      () => withHeaders(unsigned, { authorization: 'Bearer x' }),
      'bearer',
    ],
    [
      'with a valid signature and not JSON',
      400,
      'body_unreadable',
      () => signed('bearer', '{"status":'),
      'bearer',
    ],
    [
      'asking for 101 closes',
      400,
      'too_many_conversations',
      () => signed('many', JSON.stringify({ chats: Array.from({ length: 101 }, (_, id) => ({ id })) })),
      'many',
    ],
    ['while its secret is empty', 503, 'secret_not_ready', () => unsigned, 'waiting'],
  ])('is answered with the reason: %s', async (_, status, code, request, connection = ZENDESK) => {
    const answer = await send(connection, await request());
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer).toMatchObject({
      status,
      body: { type: 'about:blank', status, code, requestId: expect.any(String) },
    });
    if (status === 405) expect(answer.headers.get('allow')).toBe('POST');
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '30' : null);
  });

  async function signedAt(at: number): Promise<Request> {
    const { signingSecret = '' } = await secretOf(ZENDESK);
    const body = finished(ZENDESK, openChat());
    return { headers: signZendesk({ secret: signingSecret, body, at }), body };
  }
});

describe('a secret', () => {
  it(
    'is rotated without a deployment, and may have two values',
    async () => {
      const id = local.secretId('connections', 'hmac');
      const { signingSecret: old = '' } = await secretOf('hmac');
      const { verify } = local.configuration.connections.hmac ?? {};
      if (!verify) throw new Error('no connection hmac');
      const signedWith = (signingSecret: string) => {
        const body = finished('hmac', openChat());
        return { ...prove(verify, { signingSecret }, { body, at: Date.now() }), body };
      };
      expect(await send('hmac', signedWith(old))).toMatchObject({ status: 200 });
      await local.writeSecret(id, { signingSecret: [`new-${CANARY}`, old] });
      // After a mismatch it is read again at most twice a minute, and an earlier forgery may have used that up.
      await eventually(async () => (await send('hmac', signedWith(`new-${CANARY}`))).status === 200);
      expect(await send('hmac', signedWith(old))).toMatchObject({ status: 200 });
      expect(await send('hmac', signedWith(`${old}x`))).toMatchObject({
        status: 401,
        body: { code: 'signature_mismatch' },
      });
    },
    2 * MINUTE,
  );
});

describe('the dead-letter queue', () => {
  async function deadLetter(mark: string) {
    return eventually(async () => {
      const command = {
        QueueUrl: local.outputs.DeadLetterQueueUrl,
        MessageAttributeNames: ['All'],
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 0,
      };
      const { Messages = [] } = await sqs().send(new ReceiveMessageCommand(command));
      return Messages.find(({ Body }) => Body?.includes(mark));
    });
  }

  it(
    'gets a close that PolyAI rejects, unchanged, with outcome and reason',
    async () => {
      const id = openChat();
      behaviours.set(id, { status: 422, body: { error_code: 'SCHEMA_VALIDATION_FAILED' } });
      const { body } = await send(ZENDESK, await signed(ZENDESK, finished(ZENDESK, id)));
      const { Body = '', MessageAttributes } = await deadLetter(id);
      expect(JSON.parse(Body)).toMatchObject({
        v: 1,
        requestId: body.requestId,
        source: 'webhook',
        project: 'support',
        connection: ZENDESK,
        crm: 'zendesk',
        conversationId: id,
      });
      expect(MessageAttributes).toMatchObject({
        outcome: { StringValue: 'rejected' },
        reason: { StringValue: 'PolyAI answered 422 SCHEMA_VALIDATION_FAILED' },
      });
      expect((await closeLines(id)).at(-1)).toMatchObject({
        outcome: 'rejected',
        final: true,
        polyai_status: 422,
        polyai_error_code: 'SCHEMA_VALIDATION_FAILED',
      });
    },
    MINUTE,
  );

  it(
    'gets a message that is not a close request',
    async () => {
      const MessageBody = `not a close request ${randomUUID()}`;
      await sqs().send(new SendMessageCommand({ QueueUrl: local.outputs.CloseQueueUrl, MessageBody }));
      const { MessageAttributes } = await deadLetter(MessageBody);
      expect(MessageAttributes).toMatchObject({
        outcome: { StringValue: 'rejected' },
        reason: { StringValue: 'the message is not JSON' },
      });
    },
    MINUTE,
  );
});

describe('a close that took a while', () => {
  it(
    'is closed after PolyAI is back',
    async () => {
      const [first, ...later] = await expectClosed(down.id, SECOND_ATTEMPT_MS);
      expect(first).toMatchObject({ outcome: 'unavailable', final: false, polyai_status: 503 });
      expect(later.at(-1)?.receives).toBeGreaterThan(1);
    },
    MINUTE,
  );

  it(
    'is closed after the keys are corrected',
    async () => {
      const [first] = await expectClosed(healing.id, HEALED_MS);
      expect(first).toMatchObject({
        outcome: 'unauthorized',
        final: false,
        polyai_status: 401,
        project: 'sales',
        region: 'euw-1',
      });
    },
    3 * MINUTE,
  );
});

describe('the log', () => {
  it(
    'contains no secret and no part of a body',
    async () => {
      const secrets = await Promise.all(Object.keys(CONNECTIONS).map(secretOf));
      const values = secrets
        .flatMap((secret) => Object.values(secret).flat())
        .filter((value) => value !== '' && value !== 'webhook');
      const logged = (await local.log.readAll()).join('\n');
      expect(logged).toContain('"type":"delivery"');
      expect(logged).toContain('"type":"close"');
      expect(values.length).toBeGreaterThan(8);
      for (const value of [CANARY, ...values]) expect(logged).not.toContain(value);
    },
    MINUTE,
  );
});

function withHeaders(request: Request, headers: Record<string, string>): Request {
  return { ...request, headers: { ...request.headers, ...headers } };
}

/** The same delivery with one fault: in the body if that is signed, otherwise in the credential. */
function forge({ headers = {}, query = '', body = '' }: Request): Request {
  if (headers.authorization)
    return { headers: { authorization: changeCharacter(headers.authorization, 12) }, body };
  if (headers['x-token']) return { headers: { 'x-token': changeCharacter(headers['x-token'], 3) }, body };
  if (query) return { headers, query: changeCharacter(query, 9), body };
  return { headers, body: body.replace(/\}$/, ' }') };
}
