import { describe, expect, it } from 'vitest';
import type { CloseRequest } from '../../../functions/close-request.ts';
import type { Connection } from '../../../functions/connections.ts';
import type { Crm, Reading } from '../../../functions/crm/crm.ts';
import custom from '../../../functions/crm/custom.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import { readContent } from '../../../functions/delivery.ts';
import {
  createReplayMemory,
  deliveryKey,
  distinguishesFinishes,
} from '../../../functions/intake/replay-memory.ts';
import { createReceive } from '../../../functions/receive.lambda.ts';
import type { HmacSettings, VerifySettings } from '../../../functions/schemes/scheme.ts';
import { createSecretReader } from '../../../functions/secrets.ts';
import { MINUTE_MS } from '../../../functions/time.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import type { LoggedLine } from '../../../local/stack-log.ts';
import { apiGatewayEvent, delivery, makeRsaSecret, prove } from '../../../samples/delivery.ts';
import { fixtureNames, readFixture, textOf } from '../../../samples/fixture.ts';
import { bindWebhook } from '../../support/bind.ts';
import { connectionOf } from '../../support/crm.ts';
import { SETTINGS, WITH_SECRET } from '../../support/settings.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = {
  signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx',
  token: 'the-token',
  username: 'webhook',
  password: 'the-password',
  ...makeRsaSecret(),
};
const BODY = '{"status":"closed","id":"CONV-1"}';
const HMAC = SETTINGS.hmac;
const WITH_TIME: HmacSettings = { ...HMAC, signed: '{timestamp}.{body}', timestampHeader: 'x-time' };
const WITH_ID: HmacSettings = { ...HMAC, signed: '{id}.{body}', idHeader: 'x-id' };
const ANY_TICKET: Crm = { ...custom, read: () => [finish({ crmRef: 'T-1' })] };

/** A preset for which every event is a finish that can be looked up. */
function finish(reading: Omit<Reading, 'finished'>): Reading {
  return Object.assign({ finished: true as const, provesChange: true }, reading);
}

type Sent = {
  body?: string;
  at?: number;
  headers?: Record<string, string>;
  connection?: string;
  query?: string;
};

/** A receiver with two connections of the same CRM that share one secret. */
function start(verify: VerifySettings, settings: Partial<Connection> = {}, crm: Crm = custom) {
  const world = { at: NOW, queued: [] as CloseRequest[], lines: [] as LoggedLine[], calls: 0, requests: 0 };
  const parts = { queue: async (_requests: CloseRequest[]): Promise<void> => {} };
  const own = settings.lookUp ? {} : { conversationId: 'body.id', finishedWhen: "body.status == 'closed'" };
  const connection = {
    ...bindWebhook({ crm: 'custom', project: 'p', secretId: 's', verify, ...own, ...settings }),
    preset: crm,
  };
  const receive = createReceive({
    connections: { one: connection, two: connection },
    secrets: createSecretReader(
      async () => ({ SecretString: JSON.stringify(SECRET) }),
      () => world.at,
    ),
    queue: async (requests) => {
      world.calls += 1;
      await parts.queue(requests);
      world.queued.push(...requests);
    },
    writeLine: (line) => world.lines.push(line),
    now: () => world.at,
  });
  async function send({
    body = BODY,
    at = world.at,
    headers,
    connection: name = 'one',
    query = '',
  }: Sent = {}) {
    const host = 'https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';
    const url = `${host}/webhooks/${name}${query && `?${query}`}`;
    const proof = prove(verify, SECRET, { body, at, url });
    const requestId = `request-${++world.requests}`;
    const event = apiGatewayEvent({
      connection: name,
      body,
      headers: { ...proof.headers, ...headers },
      query: [query, proof.query].filter(Boolean).join('&'),
      requestId,
    });
    const answer = await receive(event);
    const line = world.lines.findLast(({ request_id }) => request_id === requestId);
    return { status: answer.statusCode, answer: JSON.parse(answer.body ?? ''), line };
  }
  return { world, parts, send };
}

const PROOFS: [string, VerifySettings][] = [
  ...WITH_SECRET.map((verify): [string, VerifySettings] => [verify.scheme, verify]),
  ['a signature with a time', WITH_TIME],
  ['a signature with an id', WITH_ID],
];

describe.each(PROOFS)('a delivery that is repeated, verified by %s,', (_name, verify) => {
  it('is answered with the first request and queued once', async () => {
    const { world, send } = start(verify);
    expect((await send()).answer).toEqual({ accepted: 1, ignored: [], requestId: 'request-1' });
    const { status, answer, line } = await send({ headers: { 'user-agent': 'another' } });
    expect(status).toBe(200);
    expect(answer).toEqual({ accepted: 0, ignored: [], requestId: 'request-1' });
    expect(line).toMatchObject({ request_id: 'request-2', answer: 200, accepted: 0, repeated: true });
    expect(line?.conversation_ids).toEqual(['CONV-1']);
    expect(world.queued).toMatchObject([{ requestId: 'request-1' }]);
    expect(world.lines[0]).not.toHaveProperty('repeated', true);
  });

  it('is queued again with another body, or at another connection with the same secret', async () => {
    const { world, send } = start(verify);
    await send();
    await send({ body: '{"status":"closed","id":"CONV-2"}' });
    await send({ body: `${BODY} ` });
    await send({ connection: 'two' });
    expect(world.queued.map(({ conversationId }) => conversationId)).toEqual([
      'CONV-1',
      'CONV-2',
      'CONV-1',
      'CONV-1',
    ]);
  });

  it('is queued if the first one failed to be queued', async () => {
    const { world, parts, send } = start(verify);
    const { queue } = parts;
    parts.queue = async () => {
      throw new Error('SQS did not confirm');
    };
    expect((await send()).status).toBe(503);
    parts.queue = queue;
    expect((await send()).answer).toEqual({ accepted: 1, ignored: [], requestId: 'request-2' });
    expect(world.queued).toHaveLength(1);
  });

  it('waits for the first one if both arrive together, and shares its result', async () => {
    const { world, parts, send } = start(verify);
    let confirm = () => {};
    parts.queue = () => new Promise((resolve) => (confirm = resolve));
    const both = Promise.all([send(), send()]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    confirm();
    expect((await both).map(({ answer }) => [answer.accepted, answer.requestId])).toEqual([
      [1, 'request-1'],
      [0, 'request-1'],
    ]);
    expect(world.calls).toBe(1);

    parts.queue = async () => {
      throw new Error('SQS did not confirm');
    };
    const other = { body: '{"status":"closed","id":"CONV-3"}' };
    expect((await Promise.all([send(other), send(other)])).map(({ status }) => status)).toEqual([503, 503]);
  });
});

describe('a repeated delivery', () => {
  it('is queued again after ten minutes, which is longer than any signed time is valid', async () => {
    const { world, send } = start(HMAC);
    await send();
    world.at += 10 * MINUTE_MS - 1;
    expect((await send()).answer.accepted).toBe(0);
    world.at += 1;
    expect((await send()).answer.accepted).toBe(1);
    expect(world.queued).toHaveLength(2);
  });

  it.each<[string, VerifySettings, number]>([
    ['a time', WITH_TIME, 2],
    ['Standard Webhooks', { scheme: 'standard-webhooks' }, 2],
    ['HubSpot', { scheme: 'hubspot' }, 2],
    ['no time', HMAC, 1],
  ])('counts as a new one when it is signed again later, with %s', async (_name, verify, queued) => {
    const { world, send } = start(verify);
    await send();
    world.at += MINUTE_MS;
    await send();
    expect(world.queued).toHaveLength(queued);
  });

  it('is a new one when its id differs, although the signature does not cover the place of the id', async () => {
    const { world, send } = start(HMAC, { conversationId: 'headers."x-chat"' });
    await send({ headers: { 'x-chat': 'CONV-1' } });
    await send({ headers: { 'x-chat': 'CONV-2' } });
    await send({ headers: { 'x-chat': 'CONV-1' } });
    expect(world.queued.map(({ conversationId }) => conversationId)).toEqual(['CONV-1', 'CONV-2']);
  });

  it('is recognised however its signature is spelled', async () => {
    const hex = start(HMAC);
    await hex.send();
    const { headers } = prove(HMAC, SECRET, { body: BODY, at: NOW });
    await hex.send({ headers: { 'x-signature': headers['x-signature']?.toUpperCase() ?? '' } });
    expect(hex.world.queued).toHaveLength(1);

    const verify: VerifySettings = { scheme: 'standard-webhooks' };
    const list = start(verify);
    await list.send();
    const signature = prove(verify, SECRET, { body: BODY, at: NOW }).headers['webhook-signature'];
    for (const more of ['v1,AAAA', 'v1,BBBB']) {
      const { status } = await list.send({ headers: { 'webhook-signature': `${signature} ${more}` } });
      expect(status).toBe(200);
    }
    expect(list.world.queued).toHaveLength(1);

    const parse: Crm['parse'] = (text) => Object.fromEntries(new URLSearchParams(text));
    const form = start({ scheme: 'twilio' }, {}, { ...custom, parse });
    const fields = ['AccountSid=AC01', 'EventType=onX', 'id=CONV-1', 'status=closed'];
    const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const body of [
      fields.join('&'),
      fields.toReversed().join('&'),
      fields.join('&').replace('X', '%58'),
    ]) {
      expect((await form.send({ body, headers: asForm })).status).toBe(200);
    }
    expect(form.world.queued).toHaveLength(1);
  });

  it('is not remembered if it asks for nothing, and a handshake never is', async () => {
    const { world, send } = start(HMAC);
    const body = '{"status":"open","id":"CONV-1"}';
    expect([await send({ body }), await send({ body })].map(({ line }) => line?.repeated)).toEqual([
      undefined,
      undefined,
    ]);
    expect(world.calls).toBe(2);
    const front: Crm = { ...custom, confirm: () => ({ status: 200, body: '"challenge"' }) };
    const greeted = start(HMAC, {}, front);
    expect([await greeted.send(), await greeted.send()].map(({ answer }) => answer)).toEqual([
      'challenge',
      'challenge',
    ]);
  });

  it("gets the vendor's own acknowledgement if there is one", async () => {
    const crm: Crm = { ...custom, acknowledgement: { status: 200, body: '"Ack"' } };
    const { world, send } = start(HMAC, {}, crm);
    expect([await send(), await send()].map(({ answer }) => answer)).toEqual(['Ack', 'Ack']);
    expect(world.queued).toHaveLength(1);
  });
});

describe('a ticket that is looked up', () => {
  const lookUp = { lookUp: 'sharedId' } as const;

  it.each([HMAC, { scheme: 'bearer' }, { scheme: 'basic' }, { scheme: 'twilio' }] as VerifySettings[])(
    'and finished twice with identical bytes is queued twice: %j',
    async (verify) => {
      const { world, send } = start(verify, lookUp, ANY_TICKET);
      expect([await send(), await send()].map(({ answer }) => answer.accepted)).toEqual([1, 1]);
      expect(world.queued.map(({ sharedId }) => sharedId)).toEqual(['T-1', 'T-1']);
    },
  );

  it('is not recognised as a repeat by an id that is not signed', async () => {
    const read: Crm['read'] = ({ headers }) => [finish({ crmRef: 'T-1', deliveryId: headers['x-id'] })];
    const { world, send } = start(HMAC, lookUp, { ...custom, read });
    await send({ headers: { 'x-id': 'd1' } });
    await send({ headers: { 'x-id': 'd1' } });
    expect(world.queued).toHaveLength(2);
  });

  it.each<[string, VerifySettings, Crm]>([
    ['a signed time', WITH_TIME, ANY_TICKET],
    ['a signed id', WITH_ID, ANY_TICKET],
    ['Standard Webhooks', { scheme: 'standard-webhooks' }, ANY_TICKET],
    ['HubSpot', { scheme: 'hubspot' }, ANY_TICKET],
    ['an id in the body', HMAC, { ...custom, read: () => [finish({ crmRef: 'T-1', deliveryId: 'd1' })] }],
  ])('has %s to tell finishes apart, so the same delivery is queued once', async (_name, verify, crm) => {
    const { world, send } = start(verify, lookUp, crm);
    expect([await send(), await send()].map(({ answer }) => answer.accepted)).toEqual([1, 0]);
    expect(world.queued).toHaveLength(1);
  });
});

describe('a batch of tickets that are looked up', () => {
  const connection: Connection = {
    crm: 'custom',
    project: 'p',
    verify: HMAC,
    lookUp: 'sharedId',
  };
  const distinguishes = (readings: Omit<Reading, 'finished'>[]) =>
    distinguishesFinishes({ ...custom, read: () => readings.map(finish) }, connection, {
      body: {},
      headers: {},
      query: {},
    });

  it('tells finishes apart only if every event has an id or a time', () => {
    expect(distinguishes([{ deliveryId: 'd1' }, { happenedAt: 1 }, { finishedAt: 1 }])).toBe(true);
    expect(distinguishes([{ deliveryId: 'd1' }, { crmRef: 'T-2' }])).toBe(false);
    expect(distinguishes([{ deliveryId: '' }])).toBe(false);
  });
});

describe('the key of a delivery', () => {
  const key = (connection = 'c', moment = 'm', content = 'x', close: object = { conversationId: '1' }) =>
    deliveryKey(connection, { moment, content }, [close]);

  it('differs with the connection, the moment, the content and the ids', () => {
    const keys = [
      key(),
      key('d'),
      key('c', 'n'),
      key('c', 'm', 'y'),
      key('c', 'm', 'x', { conversationId: '2' }),
      key('c', 'm', 'x', { sharedId: '1' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key()).toBe(key());
  });
});

/** CRMs whose bodies have an id in each event. Other bodies tell events apart only by a time. */
const WITH_ID_IN_BODY = [
  ...['cloudevents', 'dynamics', 'front', 'gladly', 'hubspot', 'intercom', 'kustomer'],
  ...['salesforce-outbound-message', 'servicenow', 'twilio', 'zendesk'],
];

describe.each(Object.keys(CRMS).filter((name) => !CRMS[name]?.bus))('the body of %s', (name) => {
  it('tells two finishes apart only if each event has its own id or time', () => {
    const crm = CRMS[name] as Crm;
    for (const file of fixtureNames(name).filter((each) => each.startsWith('finished'))) {
      const fixture = readFixture(name, file);
      const settings = toConnection(connectionOf(name, fixture.connection));
      const headers = Object.entries(fixture.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value]);
      // Twilio's body is JSON if the URL has its hash.
      const isHashed = name === 'twilio' && /^[[{]/.test(textOf(fixture));
      const query = isHashed ? `bodySHA256=${'0'.repeat(64)}` : '';
      const received = delivery({ headers: Object.fromEntries(headers), query, body: textOf(fixture) });
      const content = readContent(received, crm.parse, settings);
      const connection: Connection = { ...settings, lookUp: 'sharedId' };
      const readings = crm.read({ body: content.body, headers: {}, query: {} }, connection);
      const hasTime = readings.every(
        ({ happenedAt, finishedAt }) => (happenedAt ?? finishedAt) !== undefined,
      );
      const told = hasTime || readings.every(({ deliveryId }) => deliveryId !== undefined);
      expect({ file, told: distinguishesFinishes(crm, connection, content) }).toEqual({ file, told });
      if (told && !hasTime) expect(WITH_ID_IN_BODY).toContain(name);
    }
  });
});

describe('the memory', () => {
  it('holds ten thousand deliveries and forgets the oldest first', async () => {
    const memory = createReplayMemory(() => NOW);
    let queued = 0;
    const queue = async () => {
      queued += 1;
    };
    for (let index = 0; index < 10_000; index += 1) await memory.once(`k${index}`, `r${index}`, queue);
    expect(await memory.once('k0', 'again', queue)).toEqual({ requestId: 'r0', repeated: true });
    await memory.once('one more', 'r', queue);
    expect(await memory.once('k1', 'again', queue)).toEqual({ requestId: 'r1', repeated: true });
    expect(await memory.once('k0', 'again', queue)).toEqual({ requestId: 'again', repeated: false });
    expect(queued).toBe(10_002);
  });

  it('counts the age of a delivery that was queued again from the second time', async () => {
    let at = NOW;
    const memory = createReplayMemory(() => at);
    const queue = async () => {};
    for (let index = 0; index < 10_000; index += 1) await memory.once(`k${index}`, `r${index}`, queue);
    at += 10 * MINUTE_MS;
    expect(await memory.once('k0', 'again', queue)).toEqual({ requestId: 'again', repeated: false });
    await memory.once('one more', 'r', queue);
    expect(await memory.once('k0', 'third', queue)).toEqual({ requestId: 'again', repeated: true });
  });
});
