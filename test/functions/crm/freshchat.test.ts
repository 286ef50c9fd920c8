import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import freshchat from '../../../functions/crm/freshchat.ts';
import type { VerifySettings } from '../../../functions/schemes/scheme.ts';
import { initialSecret } from '../../../infra/initial-secret.ts';
import { changeByte, type Headers, makeRsaSecret, signRsa } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { faultsOf } from '../../support/crm.ts';
import { FRESHCHAT_BODY, FRESHCHAT_KEY, FRESHCHAT_SIGNATURE } from '../../support/freshchat-vector.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

const NOW = Date.parse('2019-06-21T17:44:00Z');
const OWN = makeRsaSecret();
const OTHER = makeRsaSecret();
const LOOK_UP = { lookUp: 'sharedId' };
const APP = '55b190fa-5d3c-45c4-bc49-74ddcfcf53d7';
const BODY = JSON.stringify(readFixture('freshchat', 'finished-by-look-up.json').body);

function signed(body: string | Buffer, { privateKey } = OWN): Headers {
  const settings = { scheme: 'rsa', header: 'X-Freshchat-Signature', encoding: 'base64' } as const;
  return signRsa({ settings, privateKey, body });
}

function start(settings: Record<string, unknown> = LOOK_UP, publicKey = OWN.publicKey): Receiver {
  return startReceiver('freshchat', settings, { publicKey }, NOW);
}

describe('a real delivery', () => {
  const headers = { 'x-freshchat-signature': FRESHCHAT_SIGNATURE };

  it('is verified with the key as Freshchat shows it, and closes nothing, because it is a message', async () => {
    const { send, queued, lines } = start(LOOK_UP, FRESHCHAT_KEY);
    expect((await send({ headers, body: FRESHCHAT_BODY })).status).toBe(200);
    expect(queued).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ ignored: [{ reason: 'not_finished' }] });
  });

  it('is refused with another body or another key', async () => {
    const changed = FRESHCHAT_BODY.replace('message_create', 'conversation_resolution');
    expect(await start(LOOK_UP, FRESHCHAT_KEY).send({ headers, body: changed })).toMatchObject({
      code: 'signature_mismatch',
    });
    expect(await start().send({ headers, body: FRESHCHAT_BODY })).toMatchObject({
      code: 'signature_mismatch',
    });
  });

  it('comes from its app', async () => {
    for (const [sender, status] of [
      [APP, 200],
      ['00000000-0000-4000-8000-000000000000', 401],
    ] as const) {
      const { send } = start({ ...LOOK_UP, sender }, FRESHCHAT_KEY);
      expect((await send({ headers, body: FRESHCHAT_BODY })).status).toBe(status);
    }
  });
});

describe('a resolved conversation', () => {
  it('is looked up by its id, from the time of the event', async () => {
    const { send, queued } = start();
    expect((await send({ headers: signed(BODY), body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([
      { sharedId: 'c327498e-f713-481e-8d83-0603e03d2521', receivedAt: '2019-06-21T17:43:20.875Z' },
    ]);
  });

  it.each<[string, Headers, string]>([
    ['no signature', {}, 'signature_missing'],
    ["another account's key", signed(BODY, OTHER), 'signature_mismatch'],
    ['the signature of another body', signed(`${BODY} `), 'signature_mismatch'],
    [
      'an HMAC, as some notes say',
      { 'X-Freshchat-Signature': 'A'.repeat(43).concat('=') },
      'signature_malformed',
    ],
  ])('is refused with %s', async (_what, headers, code) => {
    const { send, queued } = start();
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });

  it('is refused after any change of one byte', async () => {
    const headers = signed(BODY);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (position, by) => {
        const body = changeByte(Buffer.from(BODY), position, by);
        expect(await start().send({ headers, body })).toMatchObject({ code: 'signature_mismatch' });
      }),
      { numRuns: 20 },
    );
  });

  it.each(['reopened.json', 'not-finished.json'])(
    'of another app is refused in every event: %s',
    async (file) => {
      const body = JSON.stringify(readFixture('freshchat', file).body);
      const answers = await Promise.all(
        [APP, '00000000-0000-4000-8000-000000000000'].map((sender) =>
          start({ ...LOOK_UP, sender }).send({ headers: signed(body), body }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 401]);
    },
  );

  it('must name its app if the connection has a sender', async () => {
    const body =
      '{"action":"conversation_resolution","data":{"resolve":{"conversation":{"conversation_id":"c"}}}}';
    const { send } = start({ ...LOOK_UP, sender: APP });
    expect(await send({ headers: signed(body), body })).toMatchObject({ code: 'sender_mismatch' });
  });
});

describe('a connection', () => {
  it('needs a look-up or a selector, and cannot look up by another action', () => {
    expect(faultsOf('freshchat')).toMatchObject([
      { problem: expect.stringContaining('needs lookUp or conversationId') },
    ]);
    expect(faultsOf('freshchat', { ...LOOK_UP, finishedValues: ['conversation_assignment'] })).toMatchObject([
      { path: 'connections.c.lookUp' },
    ]);
  });

  it('waits for the public key, and until then answers 503', async () => {
    const waiting = '{"publicKey":""}';
    expect(initialSecret('freshchat', freshchat.verify as VerifySettings)).toEqual({ waiting });
    expect(await start(LOOK_UP, '').send({ headers: signed(BODY), body: BODY })).toMatchObject({
      status: 503,
      code: 'secret_not_ready',
    });
  });
});
