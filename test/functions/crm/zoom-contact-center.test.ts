import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import zoom from '../../../functions/crm/zoom-contact-center.ts';
import { changeByte, changeCharacter, type Headers } from '../../../samples/delivery.ts';
import { faultsOf } from '../../support/crm.ts';
import { startReceiver } from '../../support/receiver.ts';

const SECRET = 'zoom_secret_token_for_tests';
const TIME = '1779785508';
const NOW = Number(TIME) * 1000;
const BODY =
  '{"event":"contact_center.engagement_ended","event_ts":1779785508649,"payload":{"account_id":"AAAAAABBBBB","object":{"engagement_id":"abcdEFGH1234567890AAAA"}}}';
const SIGNATURE = 'v0=0e0eab6398f3b9a66396bfc5f95cc3a602cd70450a1cccea4c6df1394de53e3f';
const ENGAGEMENT = 'abcdEFGH1234567890AAAA';
const LOOK_UP = { lookUp: 'sharedId' };

const sign = (body: string | Buffer, time = TIME, secret = SECRET) =>
  `v0=${createHmac('sha256', secret).update(`v0:${time}:`).update(body).digest('hex')}`;

type Sent = {
  body?: string | Buffer;
  headers?: Headers;
  settings?: Record<string, unknown>;
  secret?: string | string[];
  at?: number;
  method?: string;
};

/** Sends a delivery that is signed, unless its headers say otherwise. */
async function send({ body = BODY, headers = {}, settings = {}, secret = SECRET, at = NOW, method }: Sent) {
  const receiver = startReceiver(
    'zoom-contact-center',
    { ...LOOK_UP, ...settings },
    { signingSecret: secret },
    at,
  );
  const proof = { 'x-zm-request-timestamp': TIME, 'x-zm-signature': sign(body) };
  const answer = await receiver.send({ body, headers: { ...proof, ...headers }, ...(method && { method }) });
  return { ...answer, queued: receiver.queued };
}

const challenge = (plainToken: unknown) =>
  JSON.stringify({ event: 'endpoint.url_validation', event_ts: 1, payload: { plainToken } });

describe('Zoom’s signature', () => {
  it('is accepted with the known values', async () => {
    expect(sign(BODY)).toBe(SIGNATURE);
    const { status, queued } = await send({ headers: { 'x-zm-signature': SIGNATURE } });
    expect(status).toBe(200);
    expect(queued).toMatchObject([{ sharedId: ENGAGEMENT, crmRef: ENGAGEMENT }]);
  });

  it.each<[string, Sent, string]>([
    ['no signature', { headers: { 'x-zm-signature': '' } }, 'signature_missing'],
    ['no version', { headers: { 'x-zm-signature': SIGNATURE.slice(3) } }, 'signature_malformed'],
    [
      'another version',
      { headers: { 'x-zm-signature': SIGNATURE.replace('v0', 'v1') } },
      'signature_malformed',
    ],
    ['another body', { body: `${BODY} `, headers: { 'x-zm-signature': SIGNATURE } }, 'signature_mismatch'],
    ['another secret', { secret: 'another' }, 'signature_mismatch'],
    ['no time', { headers: { 'x-zm-request-timestamp': '' } }, 'timestamp_missing'],
    ['another time', { headers: { 'x-zm-request-timestamp': '1779785509' } }, 'signature_mismatch'],
    ['a time in milliseconds', { headers: { 'x-zm-request-timestamp': `${TIME}000` } }, 'timestamp_stale'],
    ['a time that is too old', { at: NOW + 301_000 }, 'timestamp_stale'],
    [
      'the old verification token alone',
      { headers: { 'x-zm-signature': '', authorization: SECRET } },
      'signature_missing',
    ],
  ])('is refused with %s', async (_what, sent, code) => {
    const answer = await send(sent);
    expect([answer.status, answer.code, answer.queued]).toEqual([401, code, []]);
  });

  it('is refused after any change of a byte of the body', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (position, by) => {
        const body = changeByte(Buffer.from(BODY), position, by);
        const { status, queued } = await send({ body, headers: { 'x-zm-signature': SIGNATURE } });
        expect([status, queued]).toEqual([401, []]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a challenge', () => {
  const token = 'qgg8vlvZRS6UYooatFL8Aw';

  it('that is signed is answered with the token and its hash', async () => {
    const { status, headers, body, queued, line } = await send({ body: challenge(token) });
    expect(status).toBe(200);
    expect(headers).toEqual({ 'content-type': 'application/json' });
    const encryptedToken = createHmac('sha256', SECRET).update(token).digest('hex');
    expect(JSON.parse(body)).toEqual({ plainToken: token, encryptedToken });
    expect(queued).toEqual([]);
    expect(line).toMatchObject({ answer: 200 });
  });

  it('is answered with the secret that has signed it, during a rotation', async () => {
    const both = ['the-new-one', SECRET];
    for (const secret of both) {
      const body = challenge(token);
      const signed = { 'x-zm-signature': sign(body, TIME, secret) };
      const answer = await send({ body, secret: both, headers: signed });
      const encryptedToken = createHmac('sha256', secret).update(token).digest('hex');
      expect(JSON.parse(answer.body)).toEqual({ plainToken: token, encryptedToken });
    }
  });

  it.each<[string, Headers]>([
    ['not signed', { 'x-zm-signature': '', 'x-zm-request-timestamp': '' }],
    ['signed with another secret', { 'x-zm-signature': sign(challenge(token), TIME, 'another') }],
    ['signed at another time', { 'x-zm-signature': sign(challenge(token), '1779785000') }],
  ])('is not answered if it is %s', async (_what, headers) => {
    const { status, body } = await send({ body: challenge(token), headers });
    expect(status).toBe(401);
    expect(body).not.toContain('encryptedToken');
  });

  it.each<[string, unknown]>([
    ['the text that a signature covers', `v0:${TIME}:{}`],
    ['the beginning of such a text', 'v0:'],
    ['a space', 'a b'],
    ['a line break at its end', 'abc\n'],
    ['more than 64 characters', 'a'.repeat(65)],
    ['no character', ''],
    ['a number', 7],
    ['a list', ['abc']],
    ['nothing', null],
  ])('with a token that is %s is not answered, although it is signed', async (_what, plainToken) => {
    const { status, code, body } = await send({ body: challenge(plainToken) });
    expect([status, code]).toEqual([400, 'body_unreadable']);
    expect(body).not.toContain('encryptedToken');
  });

  it('is never answered with a signature of a delivery', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 80 }), async (plainToken) => {
        const { body } = await send({ body: challenge(plainToken) });
        const given = JSON.parse(body).encryptedToken;
        if (given === undefined) return;
        expect(plainToken).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
        expect(`v0=${given}`).not.toBe(sign(''));
      }),
      { numRuns: 60 },
    );
  });

  it('is not answered to another method', async () => {
    for (const method of ['GET', 'PUT', 'HEAD']) {
      const { status } = await send({ body: challenge(token), method });
      expect(status).toBe(405);
    }
  });

  it('in a larger body, or beside another event, is read as a delivery', async () => {
    const large = challenge(token).replace('{', `{"note":"${'x'.repeat(1024)}",`);
    for (const body of [large, challenge(token).replace('url_validation', 'other')]) {
      const answer = await send({ body });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ accepted: 0, ignored: [{ reason: 'not_finished' }] });
    }
  });
});

function read(body: unknown, finishedValues?: string[]) {
  const connection = {
    crm: 'zoom-contact-center',
    project: 'support',
    verify: { scheme: 'event-bus' as const },
    ...(finishedValues && { finishedValues }),
  };
  return zoom.read({ body, headers: {}, query: {} }, connection)[0];
}

const ended = (object: object = {}, event = 'contact_center.engagement_ended') => ({
  event,
  event_ts: NOW,
  payload: { account_id: 'AAAAAABBBBB', object: { engagement_id: ENGAGEMENT, ...object } },
});

describe('an engagement', () => {
  it.each(['messaging', 'chat', 'sms', 'video', '', undefined])(
    'on the channel %j is finished',
    (channel) => {
      expect(read(ended({ channel }))).toEqual({
        finished: true,
        provesChange: true,
        happenedAt: NOW,
        crmRef: ENGAGEMENT,
      });
    },
  );

  it.each(['voice', 'Voice', ['voice']])('on the channel %j is a call, which is not finished', (channel) => {
    expect(read(ended({ channel }))).toMatchObject({ finished: false });
  });

  it.each([
    'contact_center.engagement_user_ended',
    'contact_center.engagement_started',
    'endpoint.url_validation',
    '',
  ])('is not finished by the event %j', (event) => {
    expect(read(ended({}, event))).toMatchObject({ finished: false, provesChange: false });
  });

  it('is not proven to end by another event that the connection counts', () => {
    const event = 'contact_center.engagement_user_ended';
    expect(read(ended({}, event), [event])).toMatchObject({ finished: true, provesChange: false });
  });
});

describe('the configuration', () => {
  it.each([
    ['the look-up', LOOK_UP],
    ['a selector', { conversationId: 'body.payload.object.variables.polyai' }],
    ['the account', { ...LOOK_UP, sender: 'AAAAAABBBBB' }],
  ])('accepts %s', (_what, settings) => {
    expect(faultsOf('zoom-contact-center', settings)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['nothing that gives the id', {}, 'connections.c needs lookUp or conversationId'],
    [
      'a look-up by an agent’s end',
      { ...LOOK_UP, finishedValues: ['contact_center.engagement_user_ended'] },
      'connections.c.lookUp is not safe',
    ],
    ['another scheme', { ...LOOK_UP, verify: { scheme: 'bearer' } }, 'connections.c.verify does not apply'],
  ])('is a fault with %s', (_what, settings, fault) => {
    const faults = faultsOf('zoom-contact-center', settings).map(({ path, problem }) => `${path} ${problem}`);
    expect(faults).toEqual([expect.stringContaining(fault)]);
  });

  it('accepts only the account that it names', async () => {
    expect((await send({ settings: { sender: 'AAAAAABBBBB' } })).status).toBe(200);
    const other = await send({ settings: { sender: changeCharacter('AAAAAABBBBB', 3) } });
    expect([other.status, other.code, other.queued]).toEqual([401, 'sender_mismatch', []]);
  });
});
