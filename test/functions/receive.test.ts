import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { NotQueued } from '../../functions/close-batches.ts';
import type { CloseRequest } from '../../functions/close-request.ts';
import type { Connection } from '../../functions/connections.ts';
import type { Crm, IgnoredReason } from '../../functions/crm/crm.ts';
import zendesk from '../../functions/crm/zendesk.ts';
import { createReceive, handler } from '../../functions/receive.lambda.ts';
import { REFUSALS } from '../../functions/refusal.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { createSecretReader } from '../../functions/secrets.ts';
import { MINUTE_MS } from '../../functions/time.ts';
import { CHOSEN } from '../../infra/config/verify.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import {
  apiGatewayEvent,
  makeRsaSecret,
  prove,
  signHmac,
  signZendesk,
  zendeskEvent,
} from '../../samples/delivery.ts';
import { bindWebhooks } from '../support/bind.ts';
import { inOrderOfSchema } from '../support/line-order.ts';
import { SETTINGS } from '../support/settings.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const REQUEST_ID = 'JKJaXmPLvHcESHA=';
const SECRET = 'the-secret-of-this-webhook';
const TOKEN = 'the-token-of-this-connection';
const PUBLIC_TEST_SECRET = 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==';
const MIB = 1024 * 1024;
const HMAC = SETTINGS.hmac;

const CONNECTIONS: Record<string, Connection> = {
  'zendesk-support': {
    crm: 'zendesk',
    project: 'support-uk',
    secretId: 'stack/connections/zendesk-support/secret',
    verify: zendesk.verify as VerifySettings,
  },
  'in-house': {
    crm: 'custom',
    project: 'support-us',
    secretId: 'stack/connections/in-house/secret',
    verify: HMAC,
    conversationId: 'body.id',
    finishedWhen: "body.status == 'closed'",
    allowedSources: ['192.0.2.0/24', '2001:db8::/32'],
  },
  batches: {
    crm: 'custom',
    project: 'support-us',
    secretId: 'stack/connections/batches/secret',
    verify: { scheme: 'bearer' },
    conversationId: 'body.ids',
    finishedWhen: 'always',
  },
};
const TEXTS: Record<string, string | Error> = {
  'stack/connections/zendesk-support/secret': JSON.stringify({ signingSecret: SECRET }),
  'stack/connections/in-house/secret': JSON.stringify({ signingSecret: SECRET }),
  'stack/connections/batches/secret': JSON.stringify({ token: TOKEN }),
};

type Parts = Omit<Parameters<typeof createReceive>[0], 'connections'>;
type Options = Partial<Parts> & {
  texts?: Record<string, string | Error>;
  connections?: Record<string, Connection>;
  /** Instead of Zendesk's preset. */
  preset?: Crm;
};

/** A receiver whose secrets, queue and time are in memory, and everything that it did. */
function start({ texts = {}, connections = CONNECTIONS, preset, ...parts }: Options = {}) {
  const world = {
    texts: { ...TEXTS, ...texts },
    at: NOW,
    reads: [] as string[],
    queued: [] as CloseRequest[],
    lines: [] as LoggedLine[],
    answers: [] as unknown[],
  };
  const now = () => world.at;
  const receive = createReceive({
    connections: Object.fromEntries(
      Object.entries(bindWebhooks(connections)).map(([name, each]) => [
        name,
        each.crm === 'zendesk' && preset ? { ...each, preset } : each,
      ]),
    ),
    secrets: createSecretReader(async (id) => {
      world.reads.push(id);
      const text = world.texts[id];
      if (typeof text !== 'string') throw text;
      return { SecretString: text };
    }, now),
    queue: async (requests) => {
      world.queued.push(...requests);
    },
    writeLine: (line) => world.lines.push(line),
    now,
    ...parts,
  });

  /** Sends an event and checks what must hold for every answer and every line. */
  async function send(event: APIGatewayProxyEventV2) {
    const before = world.lines.length;
    const { statusCode = 0, headers = {}, body = '' } = await receive(event);
    world.answers.push({ statusCode, headers, body });
    const answer = JSON.parse(body);
    const lines = world.lines.slice(before);
    expect(answer.requestId).toBe(event.requestContext.requestId);
    expect(new Set(lines.map(({ request_id }) => request_id))).toEqual(new Set([answer.requestId]));
    expect(lines.filter(({ type }) => type === 'delivery')).toHaveLength(1);
    const [line] = lines.filter(({ type }) => type === 'delivery');
    const faults = lines.filter(({ type }) => type === 'fault');
    expect(line).toMatchObject({ answer: statusCode });
    expect(line?.refused).toBe(answer.code);
    expect(Object.keys(line ?? {})).toEqual(inOrderOfSchema('delivery', line));
    return { status: statusCode, headers, answer, line, faults };
  }

  return { world, send };
}

type Sending = Partial<Parameters<typeof apiGatewayEvent>[0]> & { secret?: string; at?: number };

/** A valid delivery of Zendesk: a ticket with a chat was solved. */
function zendeskDelivery({ secret = SECRET, at = NOW, headers, body, ...rest }: Sending = {}) {
  const bytes = body ?? JSON.stringify(zendeskEvent());
  return apiGatewayEvent({
    ...rest,
    body: bytes,
    headers: { ...signZendesk({ secret, body: bytes, at }), ...headers },
  });
}

/** A valid delivery of the in-house sender. */
function inHouseDelivery({ secret = SECRET, at = NOW, headers, body, ...rest }: Sending = {}) {
  const bytes = body ?? JSON.stringify({ status: 'closed', id: 'KpQx-polyai-0001' });
  const signed = signHmac({ settings: HMAC, secret, body: bytes, at });
  return apiGatewayEvent({
    connection: 'in-house',
    sourceIp: '192.0.2.7',
    ...rest,
    body: bytes,
    headers: { ...signed, ...headers },
  });
}

/** A valid delivery of the in-house sender that asks for several closes. */
function batchDelivery(ids: unknown, headers: Record<string, string> = {}) {
  return apiGatewayEvent({
    connection: 'batches',
    body: JSON.stringify({ ids }),
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
  });
}

describe('a valid delivery', () => {
  it('is answered 200 after its close is queued, and writes one line', async () => {
    const { world, send } = start();
    const { status, headers, answer, line } = await send(zendeskDelivery());
    expect(status).toBe(200);
    expect(headers).toEqual({ 'content-type': 'application/json' });
    expect(answer).toEqual({ accepted: 1, ignored: [], requestId: REQUEST_ID });
    expect(world.queued).toEqual([
      {
        v: 1,
        requestId: REQUEST_ID,
        source: 'webhook',
        project: 'support-uk',
        connection: 'zendesk-support',
        crm: 'zendesk',
        conversationId: 'KpQx-polyai-0001',
        crmRef: '5158',
        deliveryId: 'cbe4028c-7239-495d-b020-f22348516046',
        receivedAt: '2026-07-01T12:00:00.000Z',
      },
    ]);
    expect(line).toEqual({
      type: 'delivery',
      request_id: REQUEST_ID,
      connection: 'zendesk-support',
      crm: 'zendesk',
      delivery_id: 'cbe4028c-7239-495d-b020-f22348516046',
      result: 'accepted',
      answer: 200,
      answer_ms: 0,
      accepted: 1,
      ignored: [],
      conversation_ids: ['KpQx-polyai-0001'],
      crm_ref: '5158',
      took_ms: 0,
    });
    expect(world.lines).toHaveLength(1);
  });

  it('is not answered before the queue has confirmed the close', async () => {
    let confirm = () => {};
    const { send } = start({ queue: () => new Promise((resolve) => (confirm = resolve)) });
    let answered = false;
    const sending = send(zendeskDelivery()).then((result) => {
      answered = true;
      return result;
    });
    await new Promise(setImmediate);
    expect(answered).toBe(false);
    confirm();
    expect((await sending).status).toBe(200);
  });

  it('is verified over the decoded bytes when API Gateway sends it in base64', async () => {
    const { world, send } = start();
    const body = Buffer.from(JSON.stringify({ status: 'closed', id: 'Gespräch-💬' }));
    expect((await send(inHouseDelivery({ body }))).status).toBe(200);
    expect(world.queued).toMatchObject([{ conversationId: 'Gespräch-💬' }]);
  });

  it('is accepted with header names in any case', async () => {
    const { send } = start();
    const event = zendeskDelivery();
    const headers = Object.entries(event.headers).map(([name, value]) => [name.toUpperCase(), value]);
    expect((await send({ ...event, headers: Object.fromEntries(headers) })).status).toBe(200);
  });

  it.each([undefined, 'https://hooks.example.com/zendesk', 'https://hooks.example.com/zendesk/'])(
    'is accepted at a URL that ends with a slash, when publicUrl is %s',
    async (publicUrl) => {
      const support = { ...(CONNECTIONS['zendesk-support'] as Connection), ...(publicUrl && { publicUrl }) };
      for (const scheme of ['hubspot', 'twilio'] as const) {
        const connection: Connection = {
          ...support,
          crm: 'custom',
          verify: { scheme },
          finishedWhen: 'always',
        };
        const { world, send } = start({
          connections: { 'zendesk-support': { ...connection, conversationId: 'body.id' } },
        });
        const body = '{"id":"c1"}';
        const api = 'https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com/webhooks/zendesk-support';
        const url = `${(publicUrl ?? api).replace(/\/$/, '')}/`;
        const { headers, query } = prove(
          connection.verify,
          { signingSecret: SECRET },
          { body, at: NOW, url },
        );
        const event = apiGatewayEvent({ connection: 'zendesk-support/', body, headers, query });
        const { status, line } = await send(event);
        expect([status, line?.connection]).toEqual([200, 'zendesk-support']);
        expect(world.queued).toMatchObject([{ conversationId: 'c1', connection: 'zendesk-support' }]);
      }
    },
  );

  it.each(['identity', 'Identity', ''])(
    'is accepted with a content-encoding that means uncompressed: %j',
    async (encoding) => {
      const { send } = start();
      expect((await send(zendeskDelivery({ headers: { 'content-encoding': encoding } }))).status).toBe(200);
    },
  );

  it('is accepted up to 1 MiB, counted in bytes', async () => {
    const { send } = start();
    const envelope = JSON.stringify({ status: 'closed', id: 'c1', padding: '' });
    const padding = 'x'.repeat(MIB - envelope.length);
    const body = JSON.stringify({ status: 'closed', id: 'c1', padding });
    expect((await send(inHouseDelivery({ body }))).status).toBe(200);
    expect((await send(inHouseDelivery({ body: Buffer.from(body) }))).status).toBe(200);
    expect((await send(inHouseDelivery({ body: `${body} ` }))).answer.code).toBe('body_too_large');
    expect((await send(inHouseDelivery({ body: Buffer.from(`${body} `) }))).answer.code).toBe(
      'body_too_large',
    );
    const sameLength = body.replace('xx', 'xé');
    expect((await send(inHouseDelivery({ body: sameLength }))).answer.code).toBe('body_too_large');
  });

  it('is accepted from every address in the allowed sources', async () => {
    const { send } = start();
    expect((await send(inHouseDelivery({ sourceIp: '192.0.2.255' }))).status).toBe(200);
    expect((await send(inHouseDelivery({ sourceIp: '2001:db8::7' }))).status).toBe(200);
  });

  it('is verified and read with each scheme that a connection may choose', async () => {
    const rsa = makeRsaSecret();
    for (const verify of CHOSEN.map((name) => SETTINGS[name])) {
      const secret = {
        signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        token: TOKEN,
        username: 'u',
        password: 'p',
        ...rsa,
      };
      const connections = { any: { ...(CONNECTIONS.batches as Connection), verify } };
      const { world, send } = start({
        connections,
        texts: { 'stack/connections/batches/secret': JSON.stringify(secret) },
      });
      const body = '{"ids":"c1"}';
      const { headers, query } = prove(verify, secret, { body, at: NOW });
      expect((await send(apiGatewayEvent({ connection: 'any', body, headers, query }))).status).toBe(200);
      expect(world.queued).toMatchObject([{ conversationId: 'c1' }]);
      const unproven = await send(apiGatewayEvent({ connection: 'any', body }));
      expect(unproven.answer.code).toMatch(/_missing$/);
      expect(world.queued).toHaveLength(1);
    }
  });

  it('is answered 200 whatever JSON it holds, and closes a chat only if its ticket is finished', async () => {
    const statuses = fc.constantFrom('SOLVED', 'CLOSED', 'OPEN', 'PENDING', 'HOLD');
    const parts = fc.constantFrom('type', 'event', 'detail');
    const bodies = fc.oneof(
      fc.jsonValue().map((body) => ({ body, closes: 0 })),
      fc.tuple(parts, fc.jsonValue()).map(([part, value]) => ({
        body: { ...zendeskEvent(), [part]: value },
        closes: 0,
      })),
      statuses.map((current) => ({
        body: zendeskEvent({ current }),
        closes: ['SOLVED', 'CLOSED'].includes(current) ? 1 : 0,
      })),
    );
    await fc.assert(
      fc.asyncProperty(bodies, async ({ body, closes }) => {
        const { world, send } = start();
        const { status } = await send(zendeskDelivery({ body: JSON.stringify(body) }));
        expect([status, world.queued.length]).toEqual([200, closes]);
      }),
    );
  });
});

describe('the order of the checks', () => {
  /** Every fault that a delivery can have, in the order of the checks. */
  const faults: [
    keyof typeof REFUSALS,
    Sending & { texts?: Record<string, Error>; queue?: Parts['queue'] },
  ][] = [
    ['unknown_connection', { connection: 'nowhere' }],
    ['method_not_allowed', { method: 'PUT' }],
    ['body_compressed', { headers: { 'content-encoding': 'gzip' } }],
    ['body_too_large', { body: 'x'.repeat(MIB + 1) }],
    ['source_not_allowed', { sourceIp: '198.51.100.7' }],
    ['secrets_unavailable', { texts: { 'stack/connections/in-house/secret': new Error('not now') } }],
    ['signature_mismatch', { secret: 'another-secret' }],
    ['body_unreadable', { body: Buffer.from([0xff]) }],
    [
      'queue_unavailable',
      {
        queue: async () => {
          throw new NotQueued('1 of 1 batches were not queued');
        },
      },
    ],
  ];

  it.each(faults.map(([code], index) => [code, index] as const))(
    'reports %s before all later faults',
    async (code, index) => {
      // Where two faults set the same field, the first one wins.
      const { texts, queue, ...sending } = Object.assign(
        {},
        ...faults
          .slice(index)
          .map(([, fault]) => fault)
          .reverse(),
      );
      const { world, send } = start({ texts, ...(queue && { queue }) });
      const { status, answer } = await send(inHouseDelivery(sending));
      expect(answer.code).toBe(code);
      expect(status).toBe(REFUSALS[code]);
      expect(world.queued).toEqual([]);
      if (index < 5) expect(world.reads).toEqual([]);
    },
  );

  it('answers each refusal as a problem document, with Allow on 405 and Retry-After on 503', async () => {
    for (const [code, { texts, queue, ...sending }] of faults) {
      const { send } = start({ texts: texts ?? {}, ...(queue && { queue }) });
      const { status, headers, answer } = await send(inHouseDelivery(sending));
      expect(answer).toEqual({
        type: 'about:blank',
        title: expect.stringMatching(/^[A-Z][A-Za-z ]+$/),
        status,
        detail: expect.stringMatching(/^[A-Z].*\.$/),
        code,
        requestId: REQUEST_ID,
      });
      expect(headers).toEqual({
        'content-type': 'application/problem+json',
        ...(status === 405 && { allow: 'POST' }),
        ...(status === 503 && { 'retry-after': '30' }),
      });
    }
  });

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses the method %s', async (method) => {
    const { send } = start();
    expect((await send(zendeskDelivery({ method }))).answer.code).toBe('method_not_allowed');
  });

  it.each(['gzip', 'GZIP', 'br', 'deflate', 'identity, gzip', 'gzip,identity'])(
    'refuses a body with the content-encoding %s',
    async (encoding) => {
      const { send } = start();
      const { status, answer } = await send(zendeskDelivery({ headers: { 'content-encoding': encoding } }));
      expect([status, answer.code]).toEqual([415, 'body_compressed']);
    },
  );

  it.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
    'Zendesk-Support',
    'zendesk-support//',
    'zendesk-support/x',
    '/zendesk-support',
    '/',
    '%00',
  ])('answers 404 for a connection named %j', async (connection) => {
    const { world, send } = start();
    const { status, answer, line } = await send(zendeskDelivery({ connection }));
    expect([status, answer.code]).toEqual([404, 'unknown_connection']);
    expect(JSON.stringify(line)).toBe(
      JSON.stringify({
        type: 'delivery',
        request_id: REQUEST_ID,
        result: 'refused',
        answer: 404,
        answer_ms: 0,
        refused: 'unknown_connection',
        took_ms: 0,
      }),
    );
    expect(world.reads).toEqual([]);
  });

  it('answers 404 when the path names no connection', async () => {
    const { send } = start();
    const { pathParameters: _, ...event } = zendeskDelivery();
    expect((await send(event)).status).toBe(404);
  });
});

describe('a delivery that cannot be verified', () => {
  it.each<[string, Sending]>([
    ['signature_missing', { headers: { 'x-zendesk-webhook-signature': undefined } }],
    ['signature_malformed', { headers: { 'x-zendesk-webhook-signature': 'AAAA' } }],
    ['signature_mismatch', { secret: 'another-secret' }],
    ['timestamp_missing', { headers: { 'x-zendesk-webhook-signature-timestamp': undefined } }],
    ['timestamp_malformed', { headers: { 'x-zendesk-webhook-signature-timestamp': 'abc' } }],
    ['timestamp_stale', { at: NOW - 10 * MINUTE_MS }],
    ['timestamp_stale', { at: NOW + 10 * MINUTE_MS }],
  ])('is refused with %s', async (code, sending) => {
    const { world, send } = start();
    const { status, answer, faults } = await send(zendeskDelivery(sending));
    expect([status, answer.code]).toEqual([401, code]);
    expect(world.queued).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('is not parsed: unreadable bytes get 401 with a wrong signature and 400 with the right one', async () => {
    const { send } = start();
    for (const body of [Buffer.from([0xff, 0xfe]), '{"status":', 'not JSON', Buffer.from('"é"', 'latin1')]) {
      expect((await send(inHouseDelivery({ body, secret: 'wrong' }))).answer.code).toBe('signature_mismatch');
      expect((await send(inHouseDelivery({ body }))).answer.code).toBe('body_unreadable');
    }
  });

  it('closes nothing and causes no fault, whatever it holds', async () => {
    const { world, send } = start();
    const names = [
      'x-signature',
      'authorization',
      'x-zendesk-webhook-signature',
      'content-type',
      'content-encoding',
    ];
    const text = fc.string({ unit: 'binary' });
    const requests = fc.record(
      {
        connection: fc.oneof(fc.constantFrom(...Object.keys(CONNECTIONS), '__proto__'), text),
        method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'post', ''),
        headers: fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), text),
        body: fc.oneof(
          text,
          fc.json(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        query: text,
        sourceIp: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('192.0.2.7')),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const { answer } = await send(apiGatewayEvent(request));
        expect(Object.keys(REFUSALS)).toContain(answer.code);
        expect(answer.code).not.toBe('fault');
      }),
      { numRuns: 300 },
    );
    expect(world.queued).toEqual([]);
  });
});

describe('a connection in rehearsal', () => {
  const rehearsing = { 'in-house': { ...(CONNECTIONS['in-house'] as Connection), rehearse: true } };

  it('queues nothing, and says what it would close', async () => {
    const { world, send } = start({ connections: rehearsing });
    const { status, answer, line } = await send(inHouseDelivery());
    expect(status).toBe(200);
    expect(answer).toEqual({ accepted: 0, ignored: [], requestId: REQUEST_ID });
    expect(line).toMatchObject({
      result: 'accepted',
      accepted: 0,
      would_close: 1,
      conversation_ids: ['KpQx-polyai-0001'],
    });
    expect(world.queued).toEqual([]);
  });

  it('says of an ignored delivery that it would close nothing', async () => {
    const { send } = start({ connections: rehearsing });
    const { line } = await send(inHouseDelivery({ body: '{"status":"open","id":"c1"}' }));
    expect(line).toMatchObject({ result: 'ignored', accepted: 0, would_close: 0 });
  });

  it('does not remember deliveries, because none was queued', async () => {
    const { send } = start({ connections: rehearsing });
    for (const { answer, line } of [await send(inHouseDelivery()), await send(inHouseDelivery())]) {
      expect(answer).toMatchObject({ accepted: 0 });
      expect(line).toMatchObject({ result: 'accepted', would_close: 1 });
      expect(line?.repeated).toBeUndefined();
    }
  });

  it.each<[string, Sending]>([
    ['signature_mismatch', { secret: 'another-secret' }],
    ['source_not_allowed', { sourceIp: '203.0.113.9' }],
    ['body_unreadable', { body: '{' }],
  ])('refuses what it would refuse without: %s', async (code, change) => {
    const { send } = start({ connections: rehearsing });
    const { answer, line } = await send(inHouseDelivery(change));
    expect(answer.code).toBe(code);
    expect(line).toMatchObject({ result: 'refused', refused: code });
    expect(line?.would_close).toBeUndefined();
    expect(line?.accepted).toBeUndefined();
  });

  it('is not ready before its secret is', async () => {
    const texts = { 'stack/connections/in-house/secret': '{"signingSecret":""}' };
    const { send } = start({ connections: rehearsing, texts });
    expect((await send(inHouseDelivery())).answer.code).toBe('secret_not_ready');
  });

  it('refuses more than a hundred conversations', async () => {
    const batches = { ...(CONNECTIONS.batches as Connection), rehearse: true };
    const { send } = start({ connections: { batches } });
    const ids = Array.from({ length: 101 }, (_, index) => `c${index}`);
    expect((await send(batchDelivery(ids))).answer.code).toBe('too_many_conversations');
  });
});

describe('the time of an answer', () => {
  it('counts from the arrival at API Gateway, so that a cold start is in it', async () => {
    const { world, send } = start();
    world.at = NOW + 1500;
    expect((await send(zendeskDelivery())).line).toMatchObject({ answer_ms: 1500, took_ms: 0 });
  });

  it('is never negative, because the clocks of API Gateway and Lambda may differ', async () => {
    const { world, send } = start();
    world.at = NOW - 20;
    expect((await send(zendeskDelivery())).line).toMatchObject({ answer_ms: 0 });
  });
});

describe('the content of a verified delivery', () => {
  it.each<[IgnoredReason, Connection | undefined, unknown, { conversation_id?: string }]>([
    ['not_finished', undefined, { status: 'open', id: 'c1' }, { conversation_id: 'c1' }],
    ['no_conversation_id', undefined, { status: 'closed' }, {}],
    ['unusable_conversation_id', undefined, { status: 'closed', id: { a: 1 } }, {}],
    [
      'finished_not_boolean',
      { ...(CONNECTIONS['in-house'] as Connection), finishedWhen: 'body.status' },
      { status: 'closed', id: 'c1' },
      { conversation_id: 'c1' },
    ],
  ])('is ignored with 200 and the reason %s', async (reason, connection, body, ids) => {
    const { world, send } = start(connection && { connections: { 'in-house': connection } });
    const { status, answer, line } = await send(inHouseDelivery({ body: JSON.stringify(body) }));
    expect(status).toBe(200);
    expect(answer).toEqual({ accepted: 0, ignored: [{ reason }], requestId: REQUEST_ID });
    expect(line).toMatchObject({ result: 'ignored', accepted: 0, conversation_ids: [] });
    expect(line?.ignored).toEqual([{ reason, ...ids }]);
    expect(world.queued).toEqual([]);
  });

  it.each<IgnoredReason>(['test_event', 'message_trimmed'])(
    "is ignored for a preset's own reason: %s",
    async (reason) => {
      const preset: Crm = { ...zendesk, read: () => [{ finished: reason, conversationId: 'c1' }] };
      const { world, send } = start({ preset });
      const { status, answer } = await send(zendeskDelivery());
      expect([status, answer.ignored]).toEqual([200, [{ reason }]]);
      expect(world.queued).toEqual([]);
    },
  );

  it('can ask for up to a hundred closes; with more, none is queued', async () => {
    const { world, send } = start();
    const ids = Array.from({ length: 101 }, (_, index) => `c${index}`);
    const tooMany = await send(batchDelivery(ids));
    expect([tooMany.status, tooMany.answer.code]).toEqual([400, 'too_many_conversations']);
    expect(world.queued).toEqual([]);

    const { status, answer, line } = await send(batchDelivery(ids.slice(0, 100)));
    expect([status, answer.accepted]).toEqual([200, 100]);
    expect(world.queued.map(({ conversationId }) => conversationId)).toEqual(ids.slice(0, 100));
    expect(line?.conversation_ids).toHaveLength(100);
  });

  it('queues each conversation only once', async () => {
    const { world, send } = start();
    const hundred = Array.from({ length: 100 }, (_, index) => `c${index}`);
    const { answer } = await send(batchDelivery([...hundred, ...hundred]));
    expect(answer).toMatchObject({ accepted: 100, ignored: [] });
    expect(world.queued).toHaveLength(100);
  });

  it('is answered 503 when the queue does not confirm every close', async () => {
    const queue = async () => {
      throw new NotQueued('1 of 10 batches were not queued: Error: InternalError');
    };
    const { send } = start({ queue });
    const { status, answer, headers, line, faults } = await send(batchDelivery(['c1', 'c2']));
    expect([status, answer.code]).toEqual([503, 'queue_unavailable']);
    expect(headers['retry-after']).toBe('30');
    expect(line?.accepted).toBeUndefined();
    expect(faults).toMatchObject([{ where: 'receive: queue', error: { name: 'NotQueued' } }]);
    expect(answer.detail).not.toContain('batches');
  });

  it('is read as a form if the connection has that format, whatever the content type', async () => {
    const connections = { batches: { ...(CONNECTIONS.batches as Connection), format: 'form' as const } };
    const body = Buffer.from('ids=Gespr%C3%A4ch-1&other=x');
    for (const type of ['application/x-www-form-urlencoded; charset=utf-8', 'application/json', undefined]) {
      const headers = { 'content-type': type, authorization: `Bearer ${TOKEN}` };
      const event = apiGatewayEvent({ connection: 'batches', body, headers });
      const { world, send } = start({ connections });
      expect((await send(event)).answer.accepted).toBe(1);
      expect(world.queued).toMatchObject([{ conversationId: 'Gespräch-1' }]);
      expect((await start().send(event)).answer.code).toBe('body_unreadable');
    }
  });

  it.each([
    ['values', `{"ids":[${Array(50_001).fill(1)}]}`, 'The body has more than 50000 values.'],
    ['depth', '['.repeat(300) + ']'.repeat(300), 'The body is nested more than 256 deep.'],
    ['events', `[${Array(1001).fill('{}')}]`, 'The body has more than 1000 events.'],
  ])('is refused above the limit of %s, and the answer names the limit', async (_what, body, detail) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const { world, send } = start();
    const { status, answer } = await send(apiGatewayEvent({ connection: 'batches', headers, body }));
    expect([status, answer.code, answer.detail]).toEqual([400, 'body_unreadable', detail]);
    expect(world.queued).toEqual([]);
  });

  it.each([
    ['__proto__ that would be finished', '{"__proto__":{"status":"closed","id":"c1"}}', []],
    ['two statuses, of which the last counts', '{"status":"closed","status":"open","id":"c1"}', []],
    ['two ids, of which the last counts', '{"status":"closed","id":"c1","id":"c2"}', ['c2']],
    ['a constructor', '{"status":"closed","id":"c1","constructor":{"prototype":{"status":"x"}}}', ['c1']],
  ])('is read the same with %s', async (_what, body, ids) => {
    const { world, send } = start();
    expect((await send(inHouseDelivery({ body }))).status).toBe(200);
    expect(world.queued.map(({ conversationId }) => conversationId)).toEqual(ids);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('asks for nothing when the body is empty', async () => {
    const { send } = start();
    expect((await send(zendeskDelivery({ body: '' }))).answer.ignored).toEqual([
      { reason: 'no_conversation_id' },
    ]);
  });
});

describe('the secret', () => {
  const ID = 'stack/connections/zendesk-support/secret';
  const stored = (signingSecret: unknown) => JSON.stringify({ signingSecret });

  it('is read again after a mismatch, so that a rotation loses no delivery', async () => {
    const { world, send } = start();
    expect((await send(zendeskDelivery())).status).toBe(200);
    world.texts[ID] = stored('the-next-secret');
    expect((await send(zendeskDelivery({ secret: 'the-next-secret' }))).status).toBe(200);
    expect(world.reads).toEqual([ID, ID]);
    expect((await send(zendeskDelivery())).answer.code).toBe('signature_mismatch');
  });

  it('is read again for deliveries after a rotation, although a forgery has used a re-read before', async () => {
    const { world, send } = start();
    expect((await send(zendeskDelivery({ secret: 'forged' }))).status).toBe(401);
    world.at = NOW + 5000;
    world.texts[ID] = stored('the-next-secret');
    for (const second of [6, 11, 21, 29]) {
      world.at = NOW + second * 1000;
      const body = JSON.stringify(zendeskEvent({ id: `event-${second}` }));
      const { status } = await send(zendeskDelivery({ secret: 'the-next-secret', at: world.at, body }));
      expect([second, status]).toEqual([second, 200]);
    }
    expect(world.reads).toHaveLength(3);
  });

  it('is read again at most 35 times for ten thousand forgeries in a minute', async () => {
    const { world, send } = start();
    const forged = zendeskDelivery({ secret: 'forged', at: NOW + 30_000 });
    for (let count = 0; count < 10_000; count += 1) {
      world.at = NOW + count * 6;
      await send(forged);
    }
    expect(world.reads.length).toBeLessThanOrEqual(1 + 35);
    world.texts[ID] = stored('the-next-secret');
    world.at += 2000;
    expect((await send(zendeskDelivery({ secret: 'the-next-secret', at: world.at }))).status).toBe(200);
  });

  it.each<[string, Sending]>([
    ['missing', { headers: { 'x-zendesk-webhook-signature': undefined } }],
    ['malformed', { headers: { 'x-zendesk-webhook-signature': 'x' } }],
    ['stale', { at: NOW - 10 * MINUTE_MS }],
  ])('is not read again for a signature that is %s', async (_what, sending) => {
    const { world, send } = start();
    await send(zendeskDelivery(sending));
    expect(world.reads).toEqual([ID]);
  });

  it('can hold several values during a rotation', async () => {
    const { send } = start({ texts: { [ID]: stored(['older', SECRET]) } });
    expect((await send(zendeskDelivery())).status).toBe(200);
    expect((await send(zendeskDelivery({ secret: 'older' }))).status).toBe(200);
    expect((await send(zendeskDelivery({ secret: 'another' }))).status).toBe(401);
  });

  it.each([
    ['no JSON', 'CANARY'],
    ['no object', '["CANARY"]'],
    ['nothing', ''],
    ['waiting to be filled', stored('')],
    ['of another shape', '{"token":"CANARY"}'],
    ['with white space round it', stored(' CANARY')],
    ["the vendor's public test secret", stored(PUBLIC_TEST_SECRET)],
    ["the vendor's public test secret beside a good one", stored([SECRET, PUBLIC_TEST_SECRET])],
  ])('that is %s makes every delivery a 503, and the log says which secret and why', async (_what, text) => {
    const { world, send } = start({ texts: { [ID]: text } });
    for (const secret of [SECRET, '', PUBLIC_TEST_SECRET]) {
      const { status, headers, answer, faults } = await send(zendeskDelivery({ secret }));
      expect([status, answer.code]).toEqual([503, 'secret_not_ready']);
      expect(headers['retry-after']).toBe('30');
      expect(answer.detail).not.toContain('secret');
      expect(faults).toEqual([
        {
          type: 'fault',
          request_id: REQUEST_ID,
          where: 'receive: secret',
          error: { name: 'SecretNotReady', message: expect.stringContaining(`secret ${ID}: `) },
        },
      ]);
    }
    expect(world.queued).toEqual([]);
    expect(JSON.stringify(world.lines)).not.toContain('CANARY');
  });

  it("that is the vendor's public test secret is named as such in the log", async () => {
    const { send } = start({ texts: { [ID]: stored(PUBLIC_TEST_SECRET) } });
    const { faults } = await send(zendeskDelivery({ secret: PUBLIC_TEST_SECRET }));
    expect(JSON.stringify(faults)).toMatch(/public test secret/);
    expect(JSON.stringify(faults)).not.toContain(PUBLIC_TEST_SECRET);
  });

  it('is refused if it is any one of several public test secrets', async () => {
    const preset: Crm = { ...zendesk, publicSecrets: [PUBLIC_TEST_SECRET, SECRET] };
    const { send } = start({ preset });
    expect((await send(zendeskDelivery())).answer.code).toBe('secret_not_ready');
  });

  it('works from the next delivery after somebody has filled it in', async () => {
    const { world, send } = start({ texts: { [ID]: stored('') } });
    expect((await send(zendeskDelivery())).status).toBe(503);
    world.texts[ID] = stored(SECRET);
    world.at += 30_000;
    expect((await send(zendeskDelivery())).status).toBe(200);
  });

  it('that cannot be read makes deliveries a 503 until it can be read', async () => {
    const { world, send } = start({ texts: { [ID]: new Error('CANARY') } });
    const { status, answer, faults } = await send(zendeskDelivery());
    expect([status, answer.code]).toEqual([503, 'secrets_unavailable']);
    expect(faults).toMatchObject([{ where: 'receive: secret', error: { name: 'SecretUnavailable' } }]);
    expect(JSON.stringify(world.lines)).not.toContain('CANARY');
    world.texts[ID] = stored(SECRET);
    world.at += 15_000;
    expect((await send(zendeskDelivery())).status).toBe(200);
  });

  it('that cannot be read again leaves a forgery a 401', async () => {
    const { world, send } = start();
    await send(zendeskDelivery());
    world.texts[ID] = new Error('connect ETIMEDOUT');
    expect((await send(zendeskDelivery({ secret: 'forged' }))).answer.code).toBe('signature_mismatch');
    expect((await send(zendeskDelivery())).status).toBe(200);
  });

  it('that was taken away verifies no delivery', async () => {
    const { world, send } = start();
    await send(zendeskDelivery());
    const denied = Object.assign(new Error(), {
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
    });
    world.texts[ID] = denied;
    expect((await send(zendeskDelivery({ secret: 'forged' }))).answer.code).toBe('secrets_unavailable');
    expect((await send(zendeskDelivery())).answer.code).toBe('secrets_unavailable');
  });

  it('of one connection verifies no delivery of another', async () => {
    const { send } = start({ texts: { [ID]: stored('another') } });
    await send(inHouseDelivery());
    expect((await send(zendeskDelivery())).answer.code).toBe('signature_mismatch');
  });
});

describe('an unexpected error', () => {
  it('is answered 503, so that the CRM retries, and the log says where it happened', async () => {
    const broken: Crm = {
      ...zendesk,
      read: () => {
        throw new RangeError('a defect');
      },
    };
    const { world, send } = start({ preset: broken });
    const { status, headers, answer, faults } = await send(zendeskDelivery());
    expect([status, answer.code]).toEqual([503, 'fault']);
    expect(headers['retry-after']).toBe('30');
    expect(answer.detail).not.toContain('a defect');
    expect(faults).toEqual([
      {
        type: 'fault',
        request_id: REQUEST_ID,
        where: 'receive',
        error: { name: 'RangeError', message: 'a defect' },
      },
    ]);
    expect(world.queued).toEqual([]);
  });
});

describe('the text of a request', () => {
  const CANARY = 'CANARY-7f3a';
  const canaries: Sending = {
    query: `${CANARY}=${CANARY}`,
    headers: {
      [CANARY]: CANARY,
      'user-agent': CANARY,
      cookie: CANARY,
      'content-type': `text/plain; ${CANARY}`,
    },
  };
  const body = JSON.stringify({
    ...zendeskEvent(),
    customer: { name: CANARY, [CANARY]: 1 },
    subject: CANARY,
  });
  const header = (name: string, value: string): Sending => ({
    headers: { ...canaries.headers, [name]: value },
  });
  const SECRET_ID = 'stack/connections/zendesk-support/secret';

  it.each<[string, number, Sending, Record<string, string>?]>([
    ['is accepted', 200, {}],
    ['is ignored', 200, { body: JSON.stringify({ note: CANARY }) }],
    ['has an unusable id', 200, { body: JSON.stringify({ polyai_conversation_id: `${CANARY}\nx` }) }],
    ['is not JSON', 400, { body: `{"a": ${CANARY}` }],
    ['is not UTF-8', 400, { body: Buffer.concat([Buffer.from(CANARY), Buffer.from([0xff])]) }],
    ['is forged', 401, { secret: CANARY }],
    ['has a malformed signature', 401, header('x-zendesk-webhook-signature', CANARY)],
    ['has a malformed timestamp', 401, header('x-zendesk-webhook-signature-timestamp', CANARY)],
    ['goes nowhere', 404, { connection: CANARY }],
    ['is no POST', 405, { method: CANARY }],
    ['is too large', 413, { body: CANARY.repeat(100_000) }],
    ['is compressed', 415, header('content-encoding', CANARY)],
    ['meets a secret that is not JSON', 503, {}, { [SECRET_ID]: CANARY }],
    [
      'meets a secret in the wrong shape',
      503,
      {},
      { [SECRET_ID]: `{"signingSecret":{"${CANARY}":"${CANARY}"}}` },
    ],
    ['meets a secret with white space', 503, {}, { [SECRET_ID]: `{"signingSecret":"${CANARY} "}` }],
  ])('never appears in a line or an answer when it %s', async (_how, expected, sending, texts = {}) => {
    const { world, send } = start({ texts });
    const { status } = await send(zendeskDelivery({ ...canaries, body, ...sending }));
    expect(status).toBe(expected);
    expect(JSON.stringify(world.lines)).not.toContain(CANARY);
    expect(JSON.stringify(world.answers)).not.toContain(CANARY);
    expect(JSON.stringify(world.queued)).not.toContain(CANARY);
    expect(JSON.stringify([world.lines, world.answers])).not.toContain(SECRET);
  });
});

describe('the handler without a configuration', () => {
  it('answers 404 and writes its line to standard output', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      expect(await handler(zendeskDelivery())).toMatchObject({ statusCode: 404 });
      const [[text]] = write.mock.calls as [[string]];
      expect(JSON.parse(text)).toMatchObject({ type: 'delivery', refused: 'unknown_connection' });
      expect(text).toMatch(/^\{"type":.*\}\n$/);
    } finally {
      write.mockRestore();
    }
  });
});
