import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import dixa from '../../../functions/crm/dixa.ts';
import type { VerifySettings } from '../../../functions/schemes/scheme.ts';
import { initialSecret } from '../../../infra/initial-secret.ts';
import { changeByte, changeCharacter, type Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { anyChange, hmacVerdict } from '../../support/verdict.ts';

const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const NOW = 1769089800000;
const LOOK_UP = { lookUp: 'sharedId' };
const EVENT = readFixture('dixa', 'finished-by-look-up.json').body as Record<string, unknown>;
const BODY = JSON.stringify(EVENT);

function signed(
  body: string,
  { key = Buffer.from(KEY, 'hex') as Buffer | string, time = NOW } = {},
): Headers {
  const signature = createHmac('sha256', key).update(`${time}.${body}`).digest('hex');
  return { 'X-DIXA-SIGNATURE': `t=${time},v1=${signature}` };
}

function start(settings: Record<string, unknown> = LOOK_UP): Receiver {
  return startReceiver('dixa', settings, { signingSecret: KEY }, NOW);
}

describe('the vector', () => {
  // Made with the formula of https://docs.dixa.io/docs/webhooks/webhooks-security, whose own example is not hexadecimal.
  const body =
    '{"event_id":"12345678-1234-1234-1234-123456789012","event_fqn":"CONVERSATION_CLOSED","event_version":"1","event_timestamp":"2026-01-22T13:50:00.000Z","organization":{"id":"12345678-1234-1234-1234-123456789012","name":"Org Name"},"data":{"conversation":{"csid":2,"channel":"CHAT","status":"CLOSED"}}}';
  const v1 = '9f1857ce98dab2ff707b739a18e05d37ce63795c3d02ce735585d906dfc125f6';
  const header = `t=${NOW},v1=${v1}`;
  const verify = (given: string, bytes: string | Buffer = body) =>
    hmacVerdict(dixa.verify, { headers: { 'x-dixa-signature': given }, body: bytes, secret: KEY, now: NOW });

  it('is accepted with the decoded key, and looks the chat up by the csid', async () => {
    const { send, queued } = start();
    expect((await send({ headers: { 'x-dixa-signature': header }, body })).status).toBe(200);
    expect(queued).toMatchObject([{ sharedId: '2', crmRef: '2', receivedAt: '2026-01-22T13:50:00.000Z' }]);
  });

  it('is refused with the signature of the key as text', () => {
    const text = '93e4e1d2c9744c9ba58f88cbd84db848e9f1dfc71354a1c2a6016fe35549974c';
    expect(createHmac('sha256', KEY).update(`${NOW}.${body}`).digest('hex')).toBe(text);
    expect(verify(`t=${NOW},v1=${text}`)).toBe('signature_mismatch');
  });

  it('is refused after any change of one byte of the body or one character of the header', () => {
    expect(verify(header)).toBe('accepted');
    fc.assert(
      fc.property(fc.nat(), anyChange, (position, by) => {
        expect(verify(header, changeByte(Buffer.from(body), position, by))).toBe('signature_mismatch');
        expect(verify(changeCharacter(header, position))).toMatch(/_(missing|mismatch|malformed|stale)$/);
      }),
    );
  });
});

describe('a forged delivery', () => {
  const { 'X-DIXA-SIGNATURE': header = '' } = signed(BODY);

  it.each<[string, Headers, string]>([
    ['no signature', {}, 'signature_missing'],
    [
      'the signature without its time',
      { 'X-DIXA-SIGNATURE': header.replace(/^t=\d+,/, '') },
      'timestamp_missing',
    ],
    ['the time alone', { 'X-DIXA-SIGNATURE': `t=${NOW}` }, 'signature_missing'],
    ['an empty signature', { 'X-DIXA-SIGNATURE': `t=${NOW},v1=` }, 'signature_missing'],
    ['a new time', { 'X-DIXA-SIGNATURE': header.replace(`${NOW}`, `${NOW + 1}`) }, 'signature_mismatch'],
    ['an old time', signed(BODY, { time: NOW - 300_001 }), 'timestamp_stale'],
    ['a time in the future', signed(BODY, { time: NOW + 300_001 }), 'timestamp_stale'],
    ['a time in seconds', signed(BODY, { time: NOW / 1000 }), 'timestamp_stale'],
    ['another key', signed(BODY, { key: 'another' }), 'signature_mismatch'],
    ['the time and signature sent twice', { 'X-DIXA-SIGNATURE': `${header},${header}` }, 'timestamp_missing'],
    [
      'the example of the documentation',
      { 'X-DIXA-SIGNATURE': `t=${NOW},v1=g${'0'.repeat(63)}` },
      'signature_malformed',
    ],
  ])('is refused with %s', async (_what, headers, code) => {
    const { send, queued } = start();
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });

  it('is refused by another organisation, if the connection has a sender', async () => {
    const own = start({ ...LOOK_UP, sender: '12345678-1234-1234-1234-123456789012' });
    expect((await own.send({ headers: signed(BODY), body: BODY })).status).toBe(200);
    const other = start({ ...LOOK_UP, sender: '00000000-0000-4000-8000-000000000000' });
    expect(await other.send({ headers: signed(BODY), body: BODY })).toMatchObject({
      code: 'sender_mismatch',
    });
  });
});

describe('the key', () => {
  it.each(['not-hexadecimal', `${KEY}0`, `0x${KEY}`])('is not ready as %s', async (signingSecret) => {
    const { send } = startReceiver('dixa', LOOK_UP, { signingSecret }, NOW);
    expect(await send({ headers: signed(BODY), body: BODY })).toMatchObject({ code: 'secret_not_ready' });
  });

  it('waits for the one that Dixa shows', () => {
    expect(initialSecret('dixa', dixa.verify as VerifySettings)).toEqual({ waiting: '{"signingSecret":""}' });
  });
});

describe('a look-up', () => {
  it.each([
    [undefined, 'CONVERSATION_CLOSED', 1],
    [undefined, 'CONVERSATION_ABANDONED', 0],
    [['CONVERSATION_ABANDONED'], 'CONVERSATION_ABANDONED', 1],
    [['CONVERSATION_ABANDONED'], 'CONVERSATION_CLOSED', 0],
    [['conversation_closed'], 'CONVERSATION_CLOSED', 1],
  ])('with the finished values %j, %s asks for %i closes', async (finishedValues, event_fqn, closes) => {
    const { send, queued } = start({ ...LOOK_UP, ...(finishedValues && { finishedValues }) });
    const body = JSON.stringify({ ...EVENT, event_fqn });
    expect((await send({ headers: signed(body), body })).status).toBe(200);
    expect(queued).toHaveLength(closes);
  });

  it('is refused where no event proves a change', () => {
    expect(faultsOf('dixa', { ...LOOK_UP, finishedValues: ['CONVERSATION_PENDING'] })).toMatchObject([
      { path: 'connections.c.lookUp' },
    ]);
    expect(faultsOf('dixa')).toMatchObject([
      { problem: expect.stringContaining('needs lookUp or conversationId') },
    ]);
  });
});
