import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import webex from '../../../functions/crm/webex-contact-center.ts';
import { initialSecret } from '../../../infra/initial-secret.ts';
import { changeByte, changeCharacter, type Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { anyChange, hmacVerdict } from '../../support/verdict.ts';

const NOW = 1779785508649;
const SECRET = 'webex-subscription-secret-for-tests';
const LOOK_UP = { lookUp: 'sharedId' };
const EVENT = readFixture('webex-contact-center', 'finished-by-look-up.json').body as Record<string, unknown>;
const BODY = JSON.stringify(EVENT);
const ORGANISATION = 'cb5901fb-ab66-4377-a7bc-5f0b21896952';

/** Signs as Webex does, sharing no code with the scheme. `time` is the header of a subscription of version 2. */
function signed(
  body: string | Buffer,
  { secret = SECRET, time }: { secret?: string; time?: string } = {},
): Headers {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return {
    'X-WebexCC-Signature': signature,
    ...(time !== undefined && { 'X-WebExCC-Timestamp': time, 'X-WebexCC-Webhook-Version': 'task:1.0.0' }),
  };
}

function start(settings: Record<string, unknown> = LOOK_UP, now = NOW): Receiver {
  return startReceiver('webex-contact-center', settings, { signingSecret: SECRET }, now);
}

describe('a valid delivery', () => {
  it('looks the chat up by the task', async () => {
    const { send, queued } = start();
    expect((await send({ headers: signed(BODY, { time: `${NOW}` }), body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([{ sharedId: '044ea619-a0ad-41a3-9ed9-c2563a9bd6b7' }]);
    expect(queued[0]).not.toHaveProperty('conversationId');
  });

  it('is verified by its exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const { send, queued } = start();
    const body = BODY.replace('digitalmm', '\\u00fc \u{1f600} \\t').replaceAll(',', ',\r\n\t');
    expect((await send({ headers: signed(body), body: Buffer.from(body) })).status).toBe(200);
    expect(queued).toHaveLength(1);
    const written = JSON.stringify(JSON.parse(body));
    expect(await send({ headers: signed(body), body: written })).toMatchObject({
      code: 'signature_mismatch',
    });
  });

  it.each([
    ['five minutes later', NOW + 300_000, 200],
    ['more than five minutes later', NOW + 300_001, 401],
    ['more than five minutes too early', NOW - 300_001, 401],
  ])('%s is answered %s', async (_when, now, status) => {
    const { send } = start(LOOK_UP, now as number);
    expect((await send({ headers: signed(BODY), body: BODY })).status).toBe(status);
  });
});

describe('a forged delivery', () => {
  const { comciscotimestamp: _time, ...untimed } = EVENT;
  const old = JSON.stringify({ ...EVENT, comciscotimestamp: NOW - 300_001 });
  const first = JSON.stringify(untimed);

  it.each<[string, Headers, string, string]>([
    ['no signature', {}, BODY, 'signature_missing'],
    ['the header of Webex Messaging', { 'X-Spark-Signature': '0'.repeat(40) }, BODY, 'signature_missing'],
    ["another subscription's secret", signed(BODY, { secret: 'other' }), BODY, 'signature_mismatch'],
    ['a prefix', { 'X-WebexCC-Signature': `sha256=${'0'.repeat(64)}` }, BODY, 'signature_malformed'],
    [
      'a recorded body with a new time in its header',
      signed(old, { time: `${NOW}` }),
      old,
      'timestamp_stale',
    ],
    ['a recorded body with a new time in it', signed(old), BODY, 'signature_mismatch'],
    ['another time in the header', signed(BODY, { time: `${NOW + 1}` }), BODY, 'timestamp_malformed'],
    ['no time, as version 1 sends it', signed(first), first, 'timestamp_missing'],
  ])('is refused with %s', async (_what, headers, body, code) => {
    const { send, queued } = start();
    expect(await send({ headers, body })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });

  it('is refused after any change of one byte of the body or one character of the signature', () => {
    const { 'X-WebexCC-Signature': signature = '' } = signed(BODY);
    const verify = (given: string, body: string | Buffer) =>
      hmacVerdict(webex.verify, {
        headers: { 'x-webexcc-signature': given },
        body,
        secret: SECRET,
        now: NOW,
      });
    expect(verify(signature, BODY)).toBe('accepted');
    fc.assert(
      fc.property(fc.nat(), anyChange, (position, by) => {
        expect(verify(signature, changeByte(Buffer.from(BODY), position, by))).toBe('signature_mismatch');
        expect(verify(changeCharacter(signature, position), BODY)).toMatch(/^signature_m/);
      }),
    );
  });
});

describe('the organisation', () => {
  it.each([
    [ORGANISATION, 200],
    ['00000000-0000-4000-8000-000000000000', 401],
  ])('%s as sender is answered %s', async (sender, status) => {
    const { send, queued } = start({ ...LOOK_UP, sender });
    expect((await send({ headers: signed(BODY), body: BODY })).status).toBe(status);
    expect(queued).toHaveLength(status === 200 ? 1 : 0);
  });

  it('must be there if the connection has a sender', async () => {
    const { comciscoorgid: _, ...rest } = EVENT;
    const body = JSON.stringify(rest);
    const answer = await start({ ...LOOK_UP, sender: ORGANISATION }).send({ headers: signed(body), body });
    expect(answer).toMatchObject({ code: 'sender_mismatch' });
  });

  it.each(['acme', ORGANISATION.toUpperCase(), `${ORGANISATION}0`])('cannot be %s', (sender) => {
    expect(faultsOf('webex-contact-center', { ...LOOK_UP, sender })).toMatchObject([
      { path: 'connections.c.sender', fix: expect.stringContaining('UUID') },
    ]);
  });
});

describe('a connection', () => {
  it('needs a look-up or a selector, and takes no other proof', () => {
    expect(faultsOf('webex-contact-center')).toMatchObject([
      { problem: expect.stringContaining('needs lookUp or conversationId') },
    ]);
    expect(faultsOf('webex-contact-center', { ...LOOK_UP, verify: { scheme: 'bearer' } })).toMatchObject([
      { path: 'connections.c.verify' },
    ]);
  });

  it('cannot look chats up by a type that does not prove the end of a task', () => {
    const settings = { ...LOOK_UP, finishedValues: ['task:ended', 'task:failed'] };
    expect(faultsOf('webex-contact-center', settings)).toMatchObject([{ path: 'connections.c.lookUp' }]);
  });

  it('gets a generated secret, because whoever subscribes chooses it', () => {
    const { verify } = connectionOf('webex-contact-center', LOOK_UP);
    expect(initialSecret('webex-contact-center', verify)).toEqual({ template: '{}', key: 'signingSecret' });
  });
});
