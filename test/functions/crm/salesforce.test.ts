import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import salesforce from '../../../functions/crm/salesforce.ts';
import type { HmacSettings } from '../../../functions/schemes/scheme.ts';
import { ROOT } from '../../../infra/root.ts';
import {
  basicAuthorization,
  changeByte,
  changeCharacter,
  type Headers,
  signHmac,
} from '../../../samples/delivery.ts';
import { connectionOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';
import { anyChange, hmacVerdict } from '../../support/verdict.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = 'the-secret-of-this-organisation';
const CHAT = 'KpQx-polyai-0001';
const SETTINGS = salesforce.verify as HmacSettings;
const CONNECTION: Connection = { crm: 'salesforce', project: 'support', verify: SETTINGS };
const PAGE = readFileSync(join(ROOT, 'docs/crm/salesforce.md'), 'utf8');

/** The body that the page's class sends for one case. */
function closedCase(change: Record<string, unknown> = {}) {
  return {
    event: 'case.closed',
    organization_id: '00D000000000001EAA',
    case_id: '500000000000001AAA',
    case_number: '00001026',
    status: 'Closed',
    polyai_conversation_id: CHAT,
    ...change,
  };
}

/** Signs as the class does, with another library than the receiver's. Blob.valueOf is UTF-8, convertToHex lower case. */
async function signAsApex(timestamp: string, body: string, secret: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await webcrypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['sign']);
  const mac = await webcrypto.subtle.sign('HMAC', key, Buffer.from(`${timestamp}.${body}`));
  return Buffer.from(mac).toString('hex');
}

async function headersOf(body: string, at = NOW, secret = SECRET): Promise<Headers> {
  const timestamp = `${Math.floor(at / 1000)}`;
  return {
    'X-Adapter-Timestamp': timestamp,
    'X-Adapter-Signature': await signAsApex(timestamp, body, secret),
  };
}

function read(body: unknown, settings: Partial<Connection> = {}) {
  return readReasons(salesforce, { ...CONNECTION, ...settings }, { body, headers: {}, query: {} });
}

const receiver = (settings: Record<string, unknown> = {}) =>
  startReceiver('salesforce', settings, { signingSecret: SECRET }, NOW);

describe("the page's Apex class", () => {
  const [source = '', test = ''] = [...PAGE.matchAll(/```apex\n([\s\S]*?)```/g)].map(([, code]) => code);

  it('signs the timestamp, a dot and the body that it sends, as the preset verifies', () => {
    expect(source).toMatch(
      /Crypto\.generateMac\('HmacSHA256', Blob\.valueOf\(timestamp \+ '\.' \+ body\), Blob\.valueOf\(secret\)\)/,
    );
    expect(source).toContain('return EncodingUtil.convertToHex(mac);');
    expect(source).toContain('String timestamp = String.valueOf(System.currentTimeMillis() / 1000);');
    expect(source).toContain('sign(timestamp, body, settings.Signing_Secret__c)');
    expect(source).toContain('request.setBody(body);');
    const headers = [...source.matchAll(/setHeader\('(X-[\w-]+)'/g)].map(([, name = '']) =>
      name.toLowerCase(),
    );
    expect(headers).toEqual([SETTINGS.timestampHeader, SETTINGS.header]);
    expect(SETTINGS).toMatchObject({ algorithm: 'sha256', encoding: 'hex', signed: '{timestamp}.{body}' });
  });

  it('sends the fields that the preset reads', () => {
    const fields = [...source.matchAll(/'(\w+)' =>/g)].map(([, name]) => name);
    expect(fields).toEqual(Object.keys(closedCase()));
    expect(source).toContain("'event' => 'case.closed'");
  });

  it('has a test whose expected signature is accepted', async () => {
    const [, timestamp = '', body = '', secret = ''] = /sign\('(\d+)', '(.+)', '(.+)'\)/.exec(test) ?? [];
    const [, signature = ''] = /assertEquals\('([0-9a-f]{64})', signature\)/.exec(test) ?? [];
    const headers = { 'x-adapter-timestamp': timestamp, 'x-adapter-signature': signature };
    const now = Number(timestamp) * 1000;
    expect(hmacVerdict(SETTINGS, { headers, body, secret, now })).toBe('accepted');
    expect(await signAsApex(timestamp, body, secret)).toBe(signature);
  });

  it('puts as many cases into one request as the receiver accepts', async () => {
    expect(source).toContain('CASES_IN_ONE_CALLOUT = 100;');
    const cases = Array.from({ length: 100 }, (_, index) =>
      closedCase({ polyai_conversation_id: `chat-${index}` }),
    );
    const body = JSON.stringify(cases);
    const { status, closes } = await receiver().send({ headers: await headersOf(body), body });
    expect([status, closes]).toEqual([200, cases.map((each) => each.polyai_conversation_id)]);
  });
});

describe('a delivery', () => {
  const body = JSON.stringify([closedCase()]);

  it('closes the chat of its case', async () => {
    const { status, closes, line } = await receiver().send({ headers: await headersOf(body), body });
    expect([status, closes, line?.crm_ref]).toEqual([200, [CHAT], '500000000000001AAA']);
  });

  it.each([
    ['over another body', {}, body.replace('0001"', '0002"'), 'signature_mismatch'],
    ['at another time', { 'X-Adapter-Timestamp': `${NOW / 1000 + 1}` }, body, 'signature_mismatch'],
    ['without a time', { 'X-Adapter-Timestamp': undefined }, body, 'timestamp_missing'],
    ['in milliseconds', { 'X-Adapter-Timestamp': `${NOW}` }, body, 'timestamp_stale'],
    ['without a signature', { 'X-Adapter-Signature': undefined }, body, 'signature_missing'],
    ['in base64', { 'X-Adapter-Signature': `${'A'.repeat(43)}=` }, body, 'signature_malformed'],
  ])('%s closes nothing', async (_what, change, sent, code) => {
    const headers = { ...(await headersOf(body)), ...change };
    expect(await receiver().send({ headers, body: sent })).toMatchObject({ status: 401, code, closes: [] });
  });

  it('is refused more than five minutes after it was signed', async () => {
    const send = async (at: number) => receiver().send({ headers: await headersOf(body, at), body });
    expect(await send(NOW - 300_000)).toMatchObject({ status: 200, closes: [CHAT] });
    expect(await send(NOW - 301_000)).toMatchObject({ code: 'timestamp_stale', closes: [] });
    expect(await send(NOW + 301_000)).toMatchObject({ code: 'timestamp_stale', closes: [] });
  });

  it('is verified by its exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const text = JSON.stringify([closedCase({ polyai_conversation_id: 'x' })], null, '\t')
      .replaceAll('\n', '\r\n')
      .replace('"x"', '"\\u4f1a話-\\ud83d\\udcac"');
    const headers = await headersOf(text);
    expect(await receiver().send({ headers, body: text })).toMatchObject({ closes: ['会話-💬'] });
    expect(await receiver().send({ headers, body: text.replaceAll('\r', '') })).toMatchObject({
      status: 401,
    });
  });

  it('is accepted as Apex signs it, and refused if any byte is changed', async () => {
    const verify = (headers: Headers, body: Buffer) =>
      hmacVerdict(SETTINGS, { headers, body, secret: SECRET, now: NOW });
    const bodies = fc.string({ unit: 'grapheme', minLength: 1 });
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat(), anyChange, async (text, position, by) => {
        const signed = await headersOf(text);
        const headers = Object.fromEntries(
          Object.entries(signed).map(([name, value]) => [name.toLowerCase(), value]),
        );
        expect(headers).toEqual(signHmac({ settings: SETTINGS, secret: SECRET, body: text, at: NOW }));
        expect(verify(headers, Buffer.from(text))).toBe('accepted');
        expect(verify(headers, changeByte(Buffer.from(text), position, by))).toBe('signature_mismatch');
        for (const [name, value] of Object.entries(headers)) {
          const changed = { ...headers, [name]: changeCharacter(value, position) };
          expect(verify(changed, Buffer.from(text))).toMatch(/_(mismatch|malformed)$/);
        }
      }),
    );
  });
});

describe('a token instead of a signature', () => {
  const body = JSON.stringify(closedCase());
  const token = 'the-token-of-this-connection';

  it.each([
    ['header', { scheme: 'header', header: 'X-PolyAI-Token' }, { 'x-polyai-token': token }],
    ['bearer', { scheme: 'bearer' }, { authorization: `Bearer ${token}` }],
    ['basic', { scheme: 'basic' }, basicAuthorization('webhook', token)],
  ])('may be chosen: %s', async (_scheme, verify, headers) => {
    const secret = { token, username: 'webhook', password: token };
    const { send } = startReceiver('salesforce', { verify }, secret, NOW);
    expect(await send({ headers, body })).toMatchObject({ status: 200, closes: [CHAT] });
    expect(await send({ body })).toMatchObject({ code: 'credential_missing', closes: [] });
  });
});

describe('the organisation', () => {
  const SHORT = '00D000000000001';
  const LONG = '00D000000000001EAA';
  const send = async (sender: string, sent: unknown) => {
    const body = JSON.stringify(sent);
    return receiver({ sender }).send({ headers: await headersOf(body), body });
  };

  it.each([
    [SHORT, LONG],
    [LONG, SHORT],
    [SHORT, SHORT],
    [LONG, LONG],
  ])('is the sender %s in the form %s', async (sender, organization_id) => {
    expect(await send(sender, closedCase({ organization_id }))).toMatchObject({ closes: [CHAT] });
  });

  it.each([
    ['another one', '00D000000000002EAA'],
    ['one that differs in case', '00d000000000001'],
    ['a longer one', `${LONG}A`],
    ['a shorter one', SHORT.slice(0, 14)],
    ['one of 16 characters', `${SHORT}E`],
    ['none', undefined],
    ['an empty one', ''],
    ['a list of it', [LONG]],
  ])('is not the sender: %s', async (_what, organization_id) => {
    for (const sender of [SHORT, LONG]) {
      expect(await send(sender, closedCase({ organization_id }))).toMatchObject({
        status: 401,
        code: 'sender_mismatch',
        closes: [],
      });
    }
  });

  it('must be the sender of every case in a list', async () => {
    const cases = [closedCase(), closedCase({ organization_id: '00D000000000002EAA' })];
    expect(await send(SHORT, cases)).toMatchObject({ code: 'sender_mismatch', closes: [] });
    expect(await send(SHORT, [closedCase(), 'text'])).toMatchObject({ code: 'sender_mismatch', closes: [] });
  });
});

describe('a case', () => {
  it.each([
    ['closed by status', { event: undefined }],
    ['closed by event, whatever its status', { status: 'Abgeschlossen' }],
    ['closed in capitals', { event: undefined, status: 'CLOSED' }],
  ])('is finished: %s', (_what, change) => {
    expect(read(closedCase(change)).closes).toHaveLength(1);
  });

  it.each([
    ['reopened', { event: 'case.reopened', status: 'New' }],
    ['of another status alone', { event: undefined, status: 'Working' }],
    ['of no status', { event: undefined, status: undefined }],
    ['closed and more', { event: undefined, status: 'Closed - duplicate' }],
    ['with a status that is not text', { event: undefined, status: ['Closed'] }],
  ])('is not finished: %s', (_what, change) => {
    expect(read(closedCase(change)).ignored).toEqual(['not_finished']);
  });

  it('is finished by what finishedValues lists, and by nothing else', () => {
    expect(read(closedCase(), { finishedValues: ['Verified'] }).ignored).toEqual(['not_finished']);
    expect(read(closedCase({ status: 'verified' }), { finishedValues: ['Verified'] }).closes).toHaveLength(1);
    const session = closedCase({ event: 'messaging.ended', status: 'Ended' });
    expect(read(session, { finishedValues: ['messaging.ended'] }).closes).toHaveLength(1);
  });

  it('is what selectors see, one case of a list at a time', () => {
    const cases = [closedCase({ chat: 'a', open: false }), closedCase({ chat: 'b', open: true })];
    const { closes, ignored } = read(cases, {
      finishedWhen: 'body.open == `false`',
      conversationId: 'body.chat',
    });
    expect([closes.map(({ conversationId }) => conversationId), ignored]).toEqual([['a'], ['not_finished']]);
  });
});

describe('a connection', () => {
  it('expects a signature by default', () => {
    expect(connectionOf('salesforce')).toMatchObject({ verify: SETTINGS });
  });

  it.each([
    [{ dataCentre: 'eu' }, /connections\.c\.dataCentre does not apply to crm "salesforce"/],
    [{ sender: ' ' }, /connections\.c\.sender is empty/],
    [{ finishedValues: ['Closed'], finishedWhen: 'always' }, /has no effect beside finishedWhen/],
  ])('is refused as %j', (settings, message) => {
    expect(() => connectionOf('salesforce', settings)).toThrow(message);
  });
});
