import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toConversationId } from '../../../functions/conversation-id.ts';
import { SCHEMES } from '../../../functions/schemes/index.ts';
import { changeByte, changeCharacter, delivery, signStandardWebhooks } from '../../../samples/delivery.ts';
import { connectionOf } from '../../support/crm.ts';
import { startReceiver } from '../../support/receiver.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = `whsec_${Buffer.from('a key of this test, 32 bytes lng').toString('base64')}`;
const SETTINGS = { finishedValues: ['conversation.closed'] };
const BODY = JSON.stringify({
  type: 'conversation.closed',
  timestamp: '2026-07-01T12:00:00Z',
  data: { polyai_conversation_id: 'KpQx-polyai-0001' },
});

function receiver(secret: unknown = SECRET) {
  return startReceiver('standard-webhooks', SETTINGS, { signingSecret: secret }, NOW);
}

const signed = (body: string | Buffer = BODY, secret = SECRET) =>
  signStandardWebhooks({ secret, body, at: NOW });

describe('a delivery', () => {
  it.each(['webhook', 'svix'] as const)(
    'signed under the header names of %s closes its chat',
    async (names) => {
      const headers = signStandardWebhooks({ secret: SECRET, body: BODY, at: NOW, id: 'msg_7', names });
      const { status, closes, line } = await receiver().send({ headers, body: BODY });
      expect([status, closes, line?.delivery_id]).toEqual([200, ['KpQx-polyai-0001'], 'msg_7']);
    },
  );

  it.each([
    ['over another body', { body: BODY.replace('0001', '0002') }, 'signature_mismatch'],
    ['without a signature', { headers: { 'webhook-signature': undefined } }, 'signature_missing'],
    ['with another id', { headers: { 'webhook-id': 'msg_0002' } }, 'signature_mismatch'],
    ['with another time', { headers: { 'webhook-timestamp': `${NOW / 1000 - 1}` } }, 'signature_mismatch'],
    [
      'with another secret',
      { headers: signed(BODY, `${SECRET.slice(0, -8)}AAAAAAA=`) },
      'signature_mismatch',
    ],
  ])('%s closes nothing', async (_what, { headers, body }: { headers?: object; body?: string }, code) => {
    const request = { headers: { ...signed(), ...headers }, body: body ?? BODY };
    expect(await receiver().send(request)).toMatchObject({ status: 401, code, closes: [] });
  });

  it('is refused if the secret is printed in the standard or by Svix', async () => {
    for (const key of ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'plJ3nmyCDGBKInavdOK15jsl']) {
      const headers = signed(BODY, `whsec_${key}`);
      for (const secret of [key, `whsec_${key}`, [SECRET, `whsec_${key}`]]) {
        const answer = await receiver(secret).send({ headers, body: BODY });
        expect(answer).toMatchObject({ status: 503, code: 'secret_not_ready', closes: [] });
      }
    }
  });

  it('is verified by its exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const id = 'Ünï-会話-💬';
    const body = `{\r\n\t"type":\t"conversation.closed",\r\n"data": {"polyai_conversation_id": "\\u00dcnï-会話-\\ud83d\\udcac"}\r\n}\r\n`;
    expect(await receiver().send({ headers: signed(body), body })).toMatchObject({ closes: [id] });
    expect(await receiver().send({ headers: signed(body), body: Buffer.from(body) })).toMatchObject({
      closes: [id],
    });
    const unixed = body.replaceAll('\r\n', '\n');
    expect(await receiver().send({ headers: signed(body), body: unixed })).toMatchObject({ status: 401 });
  });
});

describe('any delivery', () => {
  const values = fc.record({
    id: fc.stringMatching(/^[\x21-\x7e]{1,40}$/),
    chat: fc.stringMatching(/^[\x21-\x7e]{1,40}$/).filter((id) => toConversationId(id) === id),
    text: fc.string({ unit: 'grapheme' }),
    position: fc.nat(),
    by: fc.integer({ min: 1, max: 255 }),
  });

  beforeEach(() => {
    // Both libraries read the clock.
    vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['standardwebhooks', (secret: string) => new Webhook(secret)],
    ['svix', (secret: string) => new SvixWebhook(secret)],
  ])('signed by %s closes its chat, and both refuse it after any change', async (_library, create) => {
    const library = create(SECRET);
    await fc.assert(
      fc.asyncProperty(values, async ({ id, chat, text, position, by }) => {
        const body = JSON.stringify({
          text,
          type: 'conversation.closed',
          data: { polyai_conversation_id: chat },
        });
        const headers = {
          'webhook-id': id,
          'webhook-timestamp': `${NOW / 1000}`,
          'webhook-signature': library.sign(id, new Date(NOW), body),
        };
        const { send } = receiver();
        expect(await send({ headers, body })).toMatchObject({ status: 200, closes: [chat] });

        const forged = changeByte(Buffer.from(body), position, by);
        expect(() => library.verify(forged, headers)).toThrow();
        expect(await send({ headers, body: forged })).toMatchObject({ status: 401, closes: [] });

        const signature = changeCharacter(headers['webhook-signature'], position);
        const changed = { ...headers, 'webhook-signature': signature };
        expect(await send({ headers: changed, body })).toMatchObject({ status: 401, closes: [] });
      }),
      { numRuns: 50 },
    );
  });
});

describe("Svix's printed example", () => {
  // https://docs.svix.com/receiving/verifying-payloads/how-manual
  it('is accepted by the scheme', () => {
    const scheme = SCHEMES['standard-webhooks'];
    const keys = scheme.readKeys({ signingSecret: 'whsec_plJ3nmyCDGBKInavdOK15jsl' });
    const headers = {
      'svix-id': 'msg_loFOjxBNrRLzqYUf',
      'svix-timestamp': '1731705121',
      'svix-signature': 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
    };
    const body = '{"event_type":"ping","data":{"success":true}}';
    const verify = (text: string) =>
      scheme.verify({ scheme: 'standard-webhooks' }, keys, delivery({ headers, body: text }), 1731705121_000);
    expect(verify(body)).toBeUndefined();
    expect(verify(`${body} `)?.code).toBe('signature_mismatch');
  });
});

describe('a connection', () => {
  it('is refused without the types that mean finished', () => {
    expect(() => connectionOf('standard-webhooks')).toThrow(
      /connections\.c\.finishedValues is missing\. Crm "standard-webhooks" requires it/,
    );
  });

  it.each([
    ['verify', { scheme: 'bearer' }],
    ['finishedWhen', 'always'],
    ['sender', 'acme'],
  ])('is refused with %s', (key, value) => {
    expect(() => connectionOf('standard-webhooks', { ...SETTINGS, [key]: value })).toThrow(
      `connections.c.${key} does not apply to crm "standard-webhooks"`,
    );
  });
});
