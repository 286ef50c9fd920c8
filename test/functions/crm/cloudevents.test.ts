import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import cloudevents from '../../../functions/crm/cloudevents.ts';
import { readContent } from '../../../functions/delivery.ts';
import { delivery, type Headers, signStandardWebhooks } from '../../../samples/delivery.ts';
import { connectionOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const TOKEN = 'mF_9.B5f-4.1JqM';
const CLOSED = 'com.example.chat.closed';
const CHAT = 'KpQx-polyai-0001';
const SETTINGS = { finishedValues: [CLOSED] };
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const BATCHED = { 'content-type': 'application/cloudevents-batch+json' };
const BINARY = {
  'content-type': 'application/json',
  'ce-specversion': '1.0',
  'ce-type': CLOSED,
  'ce-source': '/desk',
  'ce-id': 'e1',
};
const DATA = { polyai_conversation_id: CHAT };
const EVENT = { specversion: '1.0', type: CLOSED, source: '/desk', id: 'e1', data: DATA };
const CONNECTION: Connection = {
  crm: 'cloudevents',
  project: 'support',
  verify: { scheme: 'bearer' },
  ...SETTINGS,
};

/** The events that selectors see as `body`. */
function eventsOf(headers: Headers, body: string): Record<string, unknown>[] {
  const content = readContent(delivery({ headers, body }), cloudevents.parse);
  return cloudevents.read(content, CONNECTION).map(({ event }) => event as Record<string, unknown>);
}

function demand(headers: Headers, body: string, settings: Partial<Connection> = {}) {
  const content = readContent(delivery({ headers, body }), cloudevents.parse);
  return readReasons(cloudevents, { ...CONNECTION, ...settings }, content);
}

function receiver(verify?: object, secret: object = { token: TOKEN }) {
  return startReceiver('cloudevents', { ...SETTINGS, ...(verify && { verify }) }, { ...secret }, NOW);
}

describe('the token', () => {
  const body = JSON.stringify(EVENT);

  it('verifies a delivery in the header by default', async () => {
    const { send } = receiver();
    const authorized = { ...STRUCTURED, authorization: `Bearer ${TOKEN}` };
    expect(await send({ headers: authorized, body })).toMatchObject({ status: 200, closes: [CHAT] });
    const wrong = { ...STRUCTURED, authorization: `Bearer ${TOKEN}x` };
    expect(await send({ headers: wrong, body })).toMatchObject({ code: 'credential_mismatch', closes: [] });
    expect(await send({ headers: STRUCTURED, body })).toMatchObject({ code: 'credential_missing' });
    const query = `access_token=${TOKEN}`;
    expect(await send({ headers: STRUCTURED, body, query })).toMatchObject({ code: 'credential_missing' });
  });

  it('verifies a delivery in the address if the connection says so', async () => {
    const { send } = receiver({ scheme: 'query', parameter: 'access_token' });
    const ask = (query: string) => send({ headers: STRUCTURED, body, query });
    expect(await ask(`access_token=${TOKEN}&p=q`)).toMatchObject({ status: 200, closes: [CHAT] });
    expect(await ask(`access_token=${TOKEN}x`)).toMatchObject({ code: 'credential_mismatch', closes: [] });
    expect(await ask(`access_token=${TOKEN}&access_token=${TOKEN}`)).toMatchObject({ status: 401 });
    expect(await ask('')).toMatchObject({ code: 'credential_missing' });
  });
});

describe('a Standard Webhooks signature', () => {
  const secret = `whsec_${Buffer.from('a key of this test, 32 bytes lng').toString('base64')}`;
  const signing = receiver({ scheme: 'standard-webhooks' }, { signingSecret: secret });
  const sign = (body: string) => signStandardWebhooks({ secret, body, at: NOW });

  it('verifies structured and batched events', async () => {
    const one = JSON.stringify(EVENT);
    const headers = { ...STRUCTURED, ...sign(one) };
    expect(await signing.send({ headers, body: one })).toMatchObject({ status: 200, closes: [CHAT] });
    const forged = one.replace('0001', '0002');
    expect(await signing.send({ headers, body: forged })).toMatchObject({ code: 'signature_mismatch' });
    const batch = JSON.stringify([EVENT]);
    const batched = { ...BATCHED, ...sign(batch) };
    expect(await signing.send({ headers: batched, body: batch })).toMatchObject({ closes: [CHAT] });
  });

  it('does not cover the attributes of a binary event, so they close nothing', async () => {
    const body = JSON.stringify(DATA);
    const updated = { ...BINARY, 'ce-type': 'com.example.chat.updated', ...sign(body) };
    expect(await signing.send({ headers: updated, body })).toMatchObject({
      line: { ignored: [{ reason: 'not_finished' }] },
    });
    const forged = { ...updated, 'ce-type': CLOSED };
    expect(await signing.send({ headers: forged, body })).toMatchObject({
      status: 200,
      closes: [],
      line: { ignored: [{ reason: 'not_finished' }] },
    });
  });

  it('does not let the data of a binary event pass as a structured event', async () => {
    const body = JSON.stringify({ ...DATA, type: CLOSED });
    const headers = { ...STRUCTURED, ...sign(body) };
    expect(await signing.send({ headers, body })).toMatchObject({
      line: { ignored: [{ reason: 'not_finished' }] },
      closes: [],
    });
  });
});

describe('the handshake', () => {
  const ask = (headers: Headers, method = 'OPTIONS') => receiver().send({ method, headers });
  const origin = { 'WebHook-Request-Origin': 'eventemitter.example.com' };

  it('is answered without a proof, with the origin that asks', async () => {
    const { status, headers, closes } = await ask({ ...origin, 'WebHook-Request-Rate': '120' });
    expect([status, closes]).toEqual([200, []]);
    expect(headers).toEqual({
      allow: 'POST',
      'webhook-allowed-origin': 'eventemitter.example.com',
      'webhook-allowed-rate': '120',
    });
  });

  it.each([undefined, '0', '-1', '1.5', 'abc', '', '٣'])(
    'grants any rate if the requested rate is %j',
    async (rate) => {
      const { headers } = await ask({
        ...origin,
        ...(rate !== undefined && { 'webhook-request-rate': rate }),
      });
      expect(headers?.['webhook-allowed-rate']).toBe('*');
    },
  );

  it('does not call the callback address', async () => {
    const { headers } = await ask({ ...origin, 'WebHook-Request-Callback': 'https://example.com/confirm' });
    expect(headers?.['webhook-allowed-origin']).toBe('eventemitter.example.com');
  });

  it.each([
    ['without an origin', {}],
    ['with an empty origin', { 'webhook-request-origin': '' }],
    ['with a second header in its origin', { 'webhook-request-origin': 'a\r\nset-cookie: b' }],
    ['with spaces in its origin', { 'webhook-request-origin': 'you and me' }],
  ])('is refused %s', async (_what, headers) => {
    expect(await ask(headers)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('is refused by %s', async (method) => {
    expect(await ask(origin, method)).toMatchObject({ status: 405 });
  });

  it('does not verify a later delivery', async () => {
    const { send } = receiver();
    await send({ method: 'OPTIONS', headers: origin });
    const headers = { ...STRUCTURED, ...origin };
    expect(await send({ headers, body: JSON.stringify(EVENT) })).toMatchObject({ status: 401, closes: [] });
  });
});

describe('a structured event', () => {
  it.each([
    'application/cloudevents+json',
    'application/cloudevents+json; charset=utf-8',
    'Application/CloudEvents+JSON;charset=UTF-8',
    'application/json',
    '',
  ])('is read under the content type %j', (type) => {
    expect(demand({ 'content-type': type }, JSON.stringify(EVENT)).closes).toHaveLength(1);
  });

  it.each([
    ['another type', { type: 'com.example.chat.updated' }],
    ['no type', { type: undefined }],
    ['a type that is not text', { type: [CLOSED] }],
    ['no specversion', { specversion: undefined }],
  ])('with %s is not finished', (_what, change) => {
    expect(demand(STRUCTURED, JSON.stringify({ ...EVENT, ...change })).ignored).toEqual(['not_finished']);
  });

  it('keeps its attributes if headers say otherwise', () => {
    const headers = { ...BINARY, ...STRUCTURED };
    const body = JSON.stringify({ ...EVENT, type: 'com.example.chat.updated' });
    expect(demand(headers, body).ignored).toEqual(['not_finished']);
  });

  it.each(['application/cloudevents+xml', 'application/cloudevents+avro'])(
    'is refused in the format %s',
    async (type) => {
      const headers = { 'content-type': type, authorization: `Bearer ${TOKEN}` };
      expect(await receiver().send({ headers, body: '<event/>' })).toMatchObject({ code: 'body_unreadable' });
    },
  );

  it.each([
    [
      'JSON',
      'application/json',
      '{"polyai_conversation_id":"KpQx-会話"}',
      { polyai_conversation_id: 'KpQx-会話' },
    ],
    ['JSON with a suffix', 'application/vnd.chat+json; v=1', '[1]', [1]],
    ['JSON without a media type', undefined, '{"a":1}', { a: 1 }],
    ['text', 'text/plain', '{"a":1}', '{"a":1}'],
    ['text if the JSON is broken', 'application/json', '{"a":', '{"a":'],
  ])('has data_base64 that is decoded as %s', (_what, datacontenttype, text, data) => {
    const { data: _, ...rest } = EVENT;
    const body = { ...rest, datacontenttype, data_base64: Buffer.from(text).toString('base64') };
    expect(eventsOf(STRUCTURED, JSON.stringify(body))[0]?.data).toEqual(data);
  });
});

describe('an event with data and data_base64', () => {
  it('keeps its data', () => {
    const body = JSON.stringify({ ...EVENT, data_base64: 'e30=' });
    expect(eventsOf(STRUCTURED, body)[0]?.data).toEqual(DATA);
  });
});

describe('a binary event', () => {
  it.each([
    ['a space, a euro and a face', 'Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['lower-case hexadecimal', '%e2%82%ac', '€'],
    ['characters that need no escape', '%41%42', 'AB'],
    ['an escaped percent sign, once', '%2541', '%41'],
    ['text without escapes', 'plain-text_1.0~', 'plain-text_1.0~'],
    ['percent signs that escape nothing', '100% of 5%zz', '100% of 5%zz'],
    ['a quoted string, as older senders write it', '"a \\"b\\" \\\\ %20"', 'a "b" \\  '],
  ])('has percent-decoded attributes: %s', (_what, value, decoded) => {
    const [event] = eventsOf({ ...BINARY, 'ce-subject': value }, JSON.stringify(DATA));
    expect(event?.subject).toBe(decoded);
  });

  it.each(['%C0%A0', '%ff', '%E2%82', '%ED%A0%80'])(
    'is refused with %s, which is not UTF-8',
    async (value) => {
      const headers = { ...BINARY, 'ce-subject': value, authorization: `Bearer ${TOKEN}` };
      const answer = await receiver().send({ headers, body: JSON.stringify(DATA) });
      expect(answer).toMatchObject({ status: 400, code: 'body_unreadable', closes: [] });
    },
  );

  it('has its type percent-decoded before the type is compared', () => {
    const headers = { ...BINARY, 'ce-type': CLOSED.replace('chat', '%63hat') };
    expect(demand(headers, JSON.stringify(DATA)).closes).toHaveLength(1);
  });

  it.each([
    ['another type', { 'ce-type': 'com.example.chat.updated' }],
    ['its type twice', { 'ce-type': `${CLOSED},${CLOSED}` }],
  ])('with %s is not finished', (_what, headers) => {
    expect(demand({ ...BINARY, ...headers }, JSON.stringify(DATA)).ignored).toEqual(['not_finished']);
  });

  it('has its data in the body, whatever headers say', () => {
    const headers = { ...BINARY, 'ce-data': '{"polyai_conversation_id":"x"}', 'ce-data_base64': 'e30=' };
    expect(eventsOf(headers, JSON.stringify(DATA))[0]).toMatchObject({ data: DATA });
    expect(demand(headers, '').ignored).toEqual(['no_conversation_id']);
    expect(eventsOf({ ...headers, 'content-type': 'text/plain' }, 'hello')[0]).toMatchObject({
      data: 'hello',
    });
  });

  it('is one event to selectors, with attributes and data', () => {
    const headers = { ...BINARY, 'ce-subject': 'chats%2FKpQx-2' };
    const found = demand(headers, '{}', { conversationId: "split(body.subject, '/')[1]" });
    expect(found.closes).toEqual([{ deliveryId: 'e1', conversationId: 'KpQx-2' }]);
  });

  it('is refused when its JSON data is cut off', async () => {
    const headers = { ...BINARY, authorization: `Bearer ${TOKEN}` };
    expect(await receiver().send({ headers, body: '{"a":' })).toMatchObject({ code: 'body_unreadable' });
  });
});

describe('a batch', () => {
  it('is read as a batch if headers of a binary event are there too', () => {
    expect(demand({ ...BINARY, ...BATCHED }, '[]').closes).toEqual([]);
    expect(demand({ ...BINARY, ...BATCHED }, JSON.stringify([EVENT])).closes).toHaveLength(1);
  });

  it('closes a chat for each of its events', async () => {
    const events = Array.from({ length: 100 }, (_, index) => ({
      ...EVENT,
      id: `e${index}`,
      data: { polyai_conversation_id: `chat-${index}` },
    }));
    const headers = { ...BATCHED, authorization: `Bearer ${TOKEN}` };
    const { status, closes } = await receiver().send({ headers, body: JSON.stringify(events) });
    expect(status).toBe(200);
    expect(closes).toEqual(events.map(({ data }) => data.polyai_conversation_id));
  });

  it('may hold anything; parts that are not events are ignored', () => {
    const body = JSON.stringify([null, 1, 'x', [EVENT], {}, EVENT]);
    const { closes, ignored } = demand(BATCHED, body);
    expect([closes.length, ignored]).toEqual([1, Array(5).fill('not_finished')]);
  });
});

describe("the CloudEvents project's own library", () => {
  // It does not encode or decode values of headers, so the tests above cover the values that need it.
  const text = fc.stringMatching(/^[!#$&-~]{1,30}$/);
  const extension = fc
    .stringMatching(/^[a-z][a-z0-9]{3,12}$/)
    .map((name) => `x${name}`)
    .filter((name) => !Object.hasOwn(Object.prototype, name));
  const events = fc.record({
    id: text,
    source: fc.stringMatching(/^\/[a-z0-9._~-]{1,30}$/),
    subject: text,
    type: fc.oneof(text, fc.constant(CLOSED)),
    time: fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((date) => date.toISOString()),
    datacontenttype: fc.constantFrom('application/json', 'application/json; charset=utf-8'),
    extensions: fc.dictionary(extension, text, { maxKeys: 3 }),
    data: fc
      .dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue())
      .map((rest) => JSON.parse(JSON.stringify({ ...rest, polyai_conversation_id: CHAT }))),
  });
  type Generated = typeof events extends fc.Arbitrary<infer Value> ? Value : never;
  const eventOf = ({ extensions, ...rest }: Generated) => new CloudEvent({ ...extensions, ...rest });
  const lowered = (headers: object): Headers =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));

  it.each(['structured', 'binary'] as const)('sends %s events that are read unchanged', (mode) => {
    fc.assert(
      fc.property(events, (generated) => {
        const event = eventOf(generated);
        const { headers, body } = HTTP[mode](event);
        const [seen] = eventsOf(lowered(headers), String(body));
        expect(seen).toEqual(JSON.parse(event.toString()));
        const isFinished = generated.type.toLowerCase() === CLOSED;
        expect(demand(lowered(headers), String(body)).closes).toHaveLength(isFinished ? 1 : 0);
      }),
    );
  });

  it.each([
    ['structured', STRUCTURED],
    ['batched', BATCHED],
  ])('reads %s events as the preset does', (mode, headers) => {
    fc.assert(
      fc.property(fc.array(events, { minLength: 1, maxLength: 4 }), (generated) => {
        const plain = generated.map(({ extensions, ...rest }) => ({
          specversion: '1.0',
          ...extensions,
          ...rest,
          datacontenttype: 'application/json',
        }));
        const body = JSON.stringify(mode === 'batched' ? plain : plain[0]);
        const theirs = [HTTP.toEvent({ headers, body })].flat() as CloudEvent<unknown>[];
        expect(eventsOf(headers, body)).toEqual(theirs.map((event) => JSON.parse(event.toString())));
      }),
    );
  });

  it('decodes the same bytes from data_base64', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (content) => {
        const { data: _, ...rest } = EVENT;
        const bytes = Buffer.from(content);
        const body = JSON.stringify({
          ...rest,
          datacontenttype: 'text/plain',
          data_base64: bytes.toString('base64'),
        });
        const theirs = HTTP.toEvent({ headers: STRUCTURED, body }) as CloudEvent<Uint32Array>;
        expect(Buffer.from(theirs.data ?? [])).toEqual(bytes);
        expect(eventsOf(STRUCTURED, body)[0]?.data).toBe(content);
      }),
    );
  });
});

describe('any delivery', () => {
  it('is answered 200 or 400 whatever it holds, and closes nothing without a finished type', async () => {
    const { send } = receiver();
    const other = 'com.example.chat.updated';
    const names = fc.constantFrom(
      'ce-type',
      'ce-specversion',
      'ce-id',
      'ce-__proto__',
      'ce-',
      'content-type',
    );
    const values = fc.oneof(
      fc.string(),
      fc.constantFrom('application/cloudevents+json', 'application/cloudevents-batch', '%', '"', '"\\"'),
      fc.constantFrom('application/json', '1.0', other),
    );
    const unfinished = [DATA, { ...EVENT, type: other }, [{ ...EVENT, type: other }, DATA]];
    const bodies = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom(...unfinished).map((body) => JSON.stringify(body)),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, values), bodies, async (headers, body) => {
        const answer = await send({ headers: { ...headers, authorization: `Bearer ${TOKEN}` }, body });
        expect([200, 400]).toContain(answer.status);
        expect(answer.closes).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a connection', () => {
  it.each([
    [{}, /connections\.c\.finishedValues is missing\. Crm "cloudevents" requires it/],
    [
      { ...SETTINGS, verify: { scheme: 'basic' } },
      /connections\.c\.verify\.scheme is "basic", which crm "cloudevents" cannot send/,
    ],
    [{ ...SETTINGS, finishedWhen: 'always' }, /finishedWhen does not apply to crm "cloudevents"/],
    [{ finishedValues: [] }, /finishedValues is empty/],
  ])('is refused as %j', (settings, message) => {
    expect(() => connectionOf('cloudevents', settings)).toThrow(message);
  });
});
