import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import front from '../../../functions/crm/front.ts';
import { changeByte, type Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { anyBytes, anyChange, hmacVerdict } from '../../support/verdict.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const KEY = 'the-signing-key-of-the-application';
const RULE = {
  verify: { scheme: 'hmac', header: 'x-front-signature', algorithm: 'sha1', encoding: 'base64' },
};
const BODY = JSON.stringify(readFixture('front', 'finished.json').body);
const RULE_BODY = JSON.stringify(readFixture('front', 'finished-rule.json').body);

/** @see https://dev.frontapp.com/docs/application-webhooks */
function signed(body: string | Buffer, { key = KEY, at = `${NOW}` } = {}): Headers {
  const signature = createHmac('sha256', key).update(`${at}:`).update(body).digest('base64');
  return { 'X-Front-Signature': signature, 'X-Front-Request-Timestamp': at };
}

/** @see https://dev.frontapp.com/docs/rule-webhooks */
function signedByRule(body: string): Headers {
  return { 'X-Front-Signature': createHmac('sha1', KEY).update(body).digest('base64') };
}

function start(settings: Record<string, unknown> = {}): Receiver {
  return startReceiver('front', settings, { signingSecret: KEY }, NOW);
}

describe("an application's delivery", () => {
  it('closes the chat', async () => {
    const { send, queued } = start();
    expect((await send({ headers: signed(BODY), body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([{ conversationId: 'KpQx-polyai-0001', crmRef: 'cnv_keo696' }]);
  });

  it('is verified by its exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const { send, queued } = start();
    const body = Buffer.from(
      BODY.replace('Your next', '\\u00fc \u{1f600} \\t\\"').replaceAll(',', ',\r\n\t'),
    );
    expect((await send({ headers: signed(body), body })).status).toBe(200);
    expect(queued).toHaveLength(1);
    const retyped = JSON.stringify(JSON.parse(body.toString()));
    expect(await send({ headers: signed(body), body: retyped })).toMatchObject({
      code: 'signature_mismatch',
    });
  });

  it.each<[string, Headers, string]>([
    ['another key', signed(BODY, { key: 'other' }), 'signature_mismatch'],
    ['seconds for milliseconds', signed(BODY, { at: `${NOW / 1000}` }), 'timestamp_stale'],
    ['a time 5 minutes ago', signed(BODY, { at: `${NOW - 300_001}` }), 'timestamp_stale'],
    ['a time in 5 minutes', signed(BODY, { at: `${NOW + 300_001}` }), 'timestamp_stale'],
    [
      'another time than was signed',
      { ...signed(BODY), 'X-Front-Request-Timestamp': `${NOW + 1}` },
      'signature_mismatch',
    ],
    ['no time', { 'X-Front-Signature': signed(BODY)['X-Front-Signature'] ?? '' }, 'timestamp_missing'],
    ['no signature', { 'X-Front-Request-Timestamp': `${NOW}` }, 'signature_missing'],
    ["a rule's signature", { ...signed(BODY), ...signedByRule(BODY) }, 'signature_malformed'],
    [
      'the hexadecimal form',
      {
        ...signed(BODY),
        'X-Front-Signature': createHmac('sha256', KEY).update(`${NOW}:${BODY}`).digest('hex'),
      },
      'signature_malformed',
    ],
  ])('is refused with %s', async (_what, headers, code) => {
    const { send, queued } = start();
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });

  it('is refused if any byte is changed', () => {
    const verify = (headers: Headers, body: Buffer) =>
      hmacVerdict(front.verify, { headers, body, secret: KEY, now: NOW });
    fc.assert(
      fc.property(anyBytes, fc.nat(), anyChange, (body, position, by) => {
        const headers = Object.fromEntries(
          Object.entries(signed(body)).map(([name, value]) => [name.toLowerCase(), value]),
        );
        expect(verify(headers, body)).toBe('accepted');
        expect(verify(headers, changeByte(body, position, by))).toBe('signature_mismatch');
      }),
    );
  });
});

describe("a rule's delivery", () => {
  it('closes the chat if the connection says that a rule sends', async () => {
    const { send, queued } = start(RULE);
    expect((await send({ headers: signedByRule(RULE_BODY), body: RULE_BODY })).status).toBe(200);
    expect(queued).toHaveLength(1);
  });

  it.each(['x', ' '])('is refused if %j is appended to its body', async (more) => {
    const { send } = start(RULE);
    expect(await send({ headers: signedByRule(RULE_BODY), body: RULE_BODY + more })).toMatchObject({
      code: 'signature_mismatch',
    });
  });

  it('is refused if the connection does not say that a rule sends', async () => {
    const headers = { ...signedByRule(RULE_BODY), 'X-Front-Request-Timestamp': `${NOW}` };
    expect(await start().send({ headers, body: RULE_BODY })).toMatchObject({ code: 'signature_malformed' });
  });
});

describe('an event that was archived', () => {
  const read = (body: object) =>
    front.read(
      { body, headers: {}, query: {} },
      { crm: 'front', project: 'support', verify: { scheme: 'bearer' } },
    )[0];

  it.each([
    ['the type of the delivery', { type: 'conversation_archived', payload: { id: 'evt_1' } }],
    ['the type of its payload', { type: 'sync', payload: { type: 'archive' } }],
  ])('is finished and proves the change by %s alone', (_what, body) => {
    expect(read(body)).toMatchObject({ finished: true, provesChange: true });
  });
});

describe("Front's challenge", () => {
  const SYNC = JSON.stringify({ type: 'sync', authorization: { id: 'cmp_abc' } });
  const challenge = (text: string) => ({ ...signed(SYNC), 'X-Front-Challenge': text });

  it('is echoed as plain text if the request is verified', async () => {
    const { send, queued, lines } = start();
    expect(await send({ headers: challenge('c1f5aae0-82'), body: SYNC })).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      body: 'c1f5aae0-82',
    });
    expect(queued).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain('c1f5aae0-82');
  });

  it('is not echoed if the signature is wrong', async () => {
    const headers = { ...challenge('c1f5aae0-82'), ...signed(SYNC, { key: 'other' }) };
    const { status, body } = await start().send({ headers, body: SYNC });
    expect(status).toBe(401);
    expect(body).not.toContain('c1f5aae0-82');
  });

  it.each(['<script>alert(1)</script>', 'a b', 'é', '"', '', 'x'.repeat(257)])(
    'is not echoed if it is %j',
    async (text) => {
      const { status, body } = await start().send({ headers: challenge(text), body: SYNC });
      expect(status).toBe(200);
      expect(JSON.parse(body)).toMatchObject({ accepted: 0, ignored: [{ reason: 'not_finished' }] });
    },
  );
});

describe('a custom field', () => {
  const idOf = (custom_fields: unknown) =>
    front.read(
      { body: { type: 'archive', conversation: { custom_fields } }, headers: {}, query: {} },
      { crm: 'front', project: 'support', verify: { scheme: 'bearer' } },
    )[0]?.conversationId;

  it.each([
    'PolyAI conversation id',
    'polyai_conversation_id',
    'POLYAI-CONVERSATION-ID',
    'PolyAI Conversation ID',
  ])('holds the id under the name %s', (name) => {
    expect(idOf({ City: 'Paris', [name]: 'x' })).toBe('x');
  });

  it.each([[null], ['text'], [7], [[]], [{}], [{ 'PolyAI conversation': 'x', 'conversation id': 'y' }]])(
    'is not found in %j',
    (fields) => {
      expect(idOf(fields)).toBeUndefined();
    },
  );
});

describe('a connection', () => {
  it('expects an application’s signature unless it says otherwise', () => {
    expect(connectionOf('front').verify).toBe(front.verify);
    expect(connectionOf('front', RULE).verify).toMatchObject({ algorithm: 'sha1', signed: '{body}' });
  });

  it.each<[string, object, string]>([
    ['verify.scheme', { verify: { scheme: 'bearer' } }, 'which crm "front" cannot send'],
    ['sender', { sender: 'cmp_abc' }, 'does not apply to crm "front"'],
    ['finishedValues', { finishedValues: [] }, 'is empty'],
  ])('is refused with a wrong %s', (key, settings, problem) => {
    expect(faultsOf('front', settings as Record<string, unknown>)).toMatchObject([
      { path: `connections.c.${key}`, problem: expect.stringContaining(problem) },
    ]);
  });
});
