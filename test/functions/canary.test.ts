import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCanary } from '../../functions/canary.lambda.ts';
import { CANARY, canaryConversationId, canaryDelivery } from '../../functions/canary-delivery.ts';
import { createClose } from '../../functions/close.lambda.ts';
import { type CloseRequest, parseCloseRequest } from '../../functions/close-request.ts';
import type { CanaryLine } from '../../functions/line.ts';
import { createReceive } from '../../functions/receive.lambda.ts';
import { createSecretReader, SecretUnavailable } from '../../functions/secrets.ts';
import { canaryConnections } from '../../infra/canary-connection.ts';
import { toConnection } from '../../infra/config/to-connection.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { apiGatewayEvent } from '../../samples/delivery.ts';
import { bindWebhook } from '../support/bind.ts';
import { configurationOf, SMALLEST } from '../support/configuration.ts';

const NOW = Date.parse('2026-08-01T12:00:00.000Z');
const SECRET = { signingSecret: 'made-up' };
const RUN = 'a1b2c3d4-run';
const ID = canaryConversationId(RUN);

type AnyLine = { type: string } & Record<string, unknown>;

/** The connection that the stack makes, as the receiver has it. */
function canaryConnection() {
  const canary = { schedule: 'rate(5 minutes)', polyai: 'support' };
  const made = canaryConnections(configurationOf({ ...SMALLEST, stack: { canary } }))[CANARY];
  if (!made) throw new Error('there is no connection for the canary');
  return { ...bindWebhook(toConnection(made, 'secret')), canary: true as const };
}

let polyai: PolyAIStandIn;

beforeEach(async () => {
  polyai = await startPolyAI();
});

afterEach(() => polyai.close());

/** The receiver, the queue and the worker behind the canary's address, in memory. */
function startChain() {
  const lines: AnyLine[] = [];
  const queued: CloseRequest[] = [];
  /** Everything that the worker sends to SQS. */
  const sent: unknown[] = [];
  const secretsOf = (value: object) =>
    createSecretReader(
      async () => ({ SecretString: JSON.stringify(value) }),
      () => NOW,
    );
  const writeLine = (line: object) => lines.push(JSON.parse(JSON.stringify(line)));
  const receive = createReceive({
    connections: { [CANARY]: canaryConnection() },
    secrets: secretsOf(SECRET),
    queue: async (requests) => {
      queued.push(...requests);
    },
    writeLine,
    now: () => NOW,
  });
  const close = createClose({
    projects: {
      support: {
        region: 'uk-1',
        baseUrl: polyai.url,
        version: 'v1',
        accountId: 'acme-uk',
        projectId: 'PROJECT-191bfa2a',
        secretId: 'polyai',
      },
    },
    secrets: secretsOf(polyai.keys),
    sqs: { send: async (command: unknown) => sent.push(command) } as never,
    closeQueueUrl: 'closes',
    deadLetterQueueUrl: 'dead letters',
    fetch,
    writeLine,
    now: () => NOW,
    random: () => 0,
  });
  /** Delivers a message as SQS does. @returns the ids of the messages that stay on the queue */
  const work = async (request: CloseRequest | undefined, ageMs = 0) => {
    const attributes = {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(NOW - ageMs),
      ApproximateFirstReceiveTimestamp: String(NOW - ageMs),
    };
    const record = {
      messageId: 'm-1',
      receiptHandle: 'r-1',
      body: JSON.stringify(request),
      attributes,
    } as unknown as SQSRecord;
    const { batchItemFailures } = await close(
      { Records: [record] },
      { getRemainingTimeInMillis: () => 29_000 },
    );
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  /** What the gateway does with the canary's request. */
  const deliver = (async (
    url: string,
    { body, headers }: { body: string; headers: Record<string, string> },
  ) => {
    expect(url).toBe('https://stack.example/webhooks/canary');
    const answer = await receive(apiGatewayEvent({ connection: CANARY, body, headers }));
    return new Response(answer.body ?? '', { status: answer.statusCode ?? 0 });
  }) as unknown as typeof fetch;
  const canary = createCanary({
    url: 'https://stack.example/webhooks/canary',
    secretId: 'secret',
    secrets: secretsOf(SECRET),
    fetch: deliver,
    writeLine,
    now: () => NOW,
  });
  const of = (type: string) => lines.filter((line) => line.type === type);
  return { run: () => canary({}, { awsRequestId: RUN }), receive, queued, work, sent, lines, of };
}

describe('the canary', () => {
  it('goes through receiver, queue and worker to PolyAI, and every line has its mark', async () => {
    const chat = polyai.openChat();
    const { run, queued, work, sent, lines, of } = startChain();
    await run();
    expect(of('canary')).toEqual([
      {
        type: 'canary',
        request_id: expect.any(String),
        conversation_id: ID,
        answer: 200,
        accepted: 1,
        answer_ms: 0,
        took_ms: 0,
      },
    ]);
    expect(of('delivery')).toMatchObject([{ connection: CANARY, accepted: 1, canary: true }]);
    expect(queued).toMatchObject([
      { source: 'webhook', project: 'support', canary: true, conversationId: ID },
    ]);
    expect(await work(queued[0], 1500)).toEqual([]);
    expect(of('close')).toMatchObject([
      {
        outcome: 'already_ended',
        final: true,
        canary: true,
        healthy: 1,
        queued_ms: 1500,
        polyai_status: 404,
      },
    ]);
    expect(sent).toEqual([]);
    expect(of('fault')).toEqual([]);
    expect(new Set(lines.map(({ request_id }) => request_id)).size).toBe(1);
    expect(polyai.isOpen(chat)).toBe(true);
  });

  it.each<[string, Behaviour]>([
    ['revoked keys', { status: 401, body: {} }],
    ['a forbidden project', { status: 403, body: {} }],
    ['a wrong project', { status: 404, body: { error_code: 'PROJECT_NOT_FOUND' } }],
    ['a rejected request', { status: 422, body: {} }],
    ['an outage', { status: 500, body: {} }],
    ['a throttled account', { status: 429, body: {}, headers: { 'retry-after': '60' } }],
    ['a lost connection', { reset: 'before' }],
  ])('is tried once and never a dead letter, and its line is not healthy: %s', async (_, behaviour) => {
    const { run, queued, work, sent, of } = startChain();
    polyai.behave(() => behaviour);
    await run();
    expect(await work(queued[0])).toEqual([]);
    expect(of('close')).toMatchObject([{ final: true, canary: true, healthy: 0 }]);
    expect(polyai.calls).toHaveLength(1);
    expect(sent).toEqual([]);
  });

  it('is no dead letter either when its message is days old, and PolyAI’s answer is doubtful', async () => {
    const { run, queued, work, sent, of } = startChain();
    polyai.behave(() => ({ status: 502, body: {} }));
    await run();
    expect(await work(queued[0], 80 * 3_600_000)).toEqual([]);
    expect(of('close')).toMatchObject([{ final: true, healthy: 0 }]);
    expect(sent).toEqual([]);
  });

  it('has another conversation in each run, so that no run counts as a repeat', async () => {
    const { queued, receive } = startChain();
    for (const run of ['one', 'two']) {
      await receive(
        apiGatewayEvent({
          connection: CANARY,
          ...canaryDelivery(SECRET.signingSecret, canaryConversationId(run), NOW),
        }),
      );
    }
    expect(queued.map(({ conversationId }) => conversationId)).toEqual([
      canaryConversationId('one'),
      canaryConversationId('two'),
    ]);
  });
});

describe('the canary’s connection', () => {
  it('refuses a delivery that is not signed with its secret', async () => {
    const { receive, queued, of } = startChain();
    const forged = canaryDelivery('another secret', ID, NOW);
    expect(await receive(apiGatewayEvent({ connection: CANARY, ...forged }))).toMatchObject({
      statusCode: 401,
    });
    expect(queued).toEqual([]);
    expect(of('delivery')).toMatchObject([{ refused: 'signature_mismatch', canary: true }]);
  });

  it('refuses a signed delivery that is too old', async () => {
    const { receive, of } = startChain();
    const old = canaryDelivery(SECRET.signingSecret, ID, NOW - 301_000);
    expect(await receive(apiGatewayEvent({ connection: CANARY, ...old }))).toMatchObject({ statusCode: 401 });
    expect(of('delivery')).toMatchObject([{ refused: 'timestamp_stale' }]);
  });

  it.each(['CONV-1234567890', `x${ID}`, '', 7, null, [ID]])(
    'closes no chat, even for somebody who has its secret: %j',
    async (conversationId) => {
      const { receive, queued } = startChain();
      const delivery = canaryDelivery(SECRET.signingSecret, conversationId as string, NOW);
      expect(await receive(apiGatewayEvent({ connection: CANARY, ...delivery }))).toMatchObject({
        statusCode: 200,
      });
      expect(queued).toEqual([]);
    },
  );
});

describe('a canary whose delivery is not accepted', () => {
  /** One run against an address, with a secret. */
  async function run(url: string, readSecret: () => Promise<string>): Promise<CanaryLine | undefined> {
    const lines: CanaryLine[] = [];
    const canary = createCanary({
      url,
      secretId: 'secret',
      secrets: { read: readSecret },
      fetch,
      writeLine: (line) => lines.push(line),
      now: Date.now,
    });
    await canary({}, { awsRequestId: RUN });
    expect(lines).toHaveLength(1);
    return lines[0];
  }

  const stored = async () => JSON.stringify(SECRET);

  /** Runs against a server that gives one answer. */
  async function runAgainst(status: number, body: string, headers: Record<string, string> = {}) {
    const server = createServer((_, response) => response.writeHead(status, headers).end(body));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      return await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, stored);
    } finally {
      server.close();
    }
  }

  it('has the receiver’s code in its line', async () => {
    const line = await runAgainst(503, '{"code":"secret_not_ready","requestId":"r-1"}');
    expect(line).toMatchObject({
      type: 'canary',
      request_id: 'r-1',
      answer: 503,
      refused: 'secret_not_ready',
    });
    expect(line).not.toHaveProperty('accepted');
  });

  it.each([
    [429, '{"message":"Too Many Requests"}'],
    [500, 'not JSON'],
    [502, ''],
  ])('has the gateway’s own answer in its line, and its own id: %i', async (status, body) => {
    expect(await runAgainst(status, body)).toMatchObject({ request_id: RUN, answer: status });
  });

  it('follows no redirect, because its delivery is signed for this stack alone', async () => {
    expect(await runAgainst(302, '', { location: 'http://127.0.0.1:1/' })).toMatchObject({ answer: 302 });
  });

  it('says that it has no connection', async () => {
    const line = await run('http://127.0.0.1:1', stored);
    expect(line).toMatchObject({
      request_id: RUN,
      reason: expect.stringMatching(/^the connection to the stack/),
    });
    expect(line).not.toHaveProperty('answer');
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'cannot be read',
      () => Promise.reject(new SecretUnavailable('secret x cannot be read')),
      /cannot be read/,
    ],
    ['is empty', async () => '{"signingSecret":""}', /not ready: "signingSecret" is empty/],
    ['is not JSON', async () => 'oops', /not a JSON object/],
  ])('says that its secret %s', async (_, readSecret, reason) => {
    expect(await run('http://127.0.0.1:1', readSecret)).toMatchObject({
      reason: expect.stringMatching(reason),
    });
  });
});

describe('the mark on a message', () => {
  const request = {
    v: 1,
    requestId: 'r',
    source: 'webhook',
    project: 'p',
    conversationId: ID,
    receivedAt: '2026-08-01',
  };

  it('is kept, and absent where it was absent', () => {
    expect(parseCloseRequest(JSON.stringify({ ...request, canary: true })).canary).toBe(true);
    expect(parseCloseRequest(JSON.stringify(request))).not.toHaveProperty('canary');
  });

  it.each([false, 'true', 1, null])('cannot be %j', (canary) => {
    expect(() => parseCloseRequest(JSON.stringify({ ...request, canary }))).toThrow('canary is not true');
  });
});
