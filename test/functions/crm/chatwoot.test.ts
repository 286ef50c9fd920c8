import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import chatwoot from '../../../functions/crm/chatwoot.ts';
import { changeByte, changeCharacter, type Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { anyChange, hmacVerdict } from '../../support/verdict.ts';

const SECRET = 'chatwoot_webhook_secret_for_tests';
const TIME = '1769089800';
const NOW = Number(TIME) * 1000;
const BODY = JSON.stringify(readFixture('chatwoot', 'finished.json').body);
const QUERY = { verify: { scheme: 'query', parameter: 'token' } };

function signed(body: string, { secret = SECRET, time = TIME } = {}): Headers {
  const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
  return { 'X-Chatwoot-Signature': `sha256=${signature}`, 'X-Chatwoot-Timestamp': time };
}

function start(settings: Record<string, unknown> = {}, now = NOW): Receiver {
  return startReceiver('chatwoot', settings, { signingSecret: SECRET, token: 'a-long-token' }, now);
}

describe('the vector', () => {
  // Made with the formula of five public receivers; Chatwoot publishes none.
  const body =
    '{"event":"conversation_status_changed","id":7,"status":"resolved","custom_attributes":{"polyai_conversation_id":"KpQx-polyai-0001"},"account":{"id":1,"name":"Acme"}}';
  const headers = {
    'x-chatwoot-signature': 'sha256=3b6d6a7f6802a42d040d338cecf449737fc4ff72f99734ce180578fdb6df8f62',
    'x-chatwoot-timestamp': TIME,
  };

  it('is accepted, and closes the chat', async () => {
    const { send, queued } = start();
    expect((await send({ headers, body })).status).toBe(200);
    expect(queued).toMatchObject([{ conversationId: 'KpQx-polyai-0001', crmRef: '7' }]);
  });

  it('is refused after any change of one byte of body, signature or time', () => {
    const verify = (changed: Headers, bytes: string | Buffer = body) =>
      hmacVerdict(chatwoot.verify, {
        headers: { ...headers, ...changed },
        body: bytes,
        secret: SECRET,
        now: NOW,
      });
    expect(verify({})).toBe('accepted');
    fc.assert(
      fc.property(fc.nat(), anyChange, (position, by) => {
        expect(verify({}, changeByte(Buffer.from(body), position, by))).toBe('signature_mismatch');
        for (const [name, value] of Object.entries(headers)) {
          expect(verify({ [name]: changeCharacter(value, position) })).toMatch(
            /_(mismatch|malformed|stale)$/,
          );
        }
      }),
    );
  });
});

describe('a forged delivery', () => {
  const { 'X-Chatwoot-Signature': signature = '', 'X-Chatwoot-Timestamp': time = '' } = signed(BODY);

  it.each<[string, Headers, string]>([
    ['no signature, as older releases send it', {}, 'signature_missing'],
    [
      'a token that the connection does not use',
      { authorization: 'Bearer a-long-token' },
      'signature_missing',
    ],
    ['no time', { 'X-Chatwoot-Signature': signature }, 'timestamp_missing'],
    ['no prefix', { ...signed(BODY), 'X-Chatwoot-Signature': signature.slice(7) }, 'signature_malformed'],
    ["another webhook's secret", signed(BODY, { secret: 'other' }), 'signature_mismatch'],
    ['a new time', { ...signed(BODY), 'X-Chatwoot-Timestamp': `${Number(time) + 1}` }, 'signature_mismatch'],
    ['an old time', signed(BODY, { time: `${Number(TIME) - 301}` }), 'timestamp_stale'],
    [
      'a signature over the body alone',
      {
        ...signed(BODY),
        'X-Chatwoot-Signature': `sha256=${createHmac('sha256', SECRET).update(BODY).digest('hex')}`,
      },
      'signature_mismatch',
    ],
  ])('is refused with %s', async (_what, headers, code) => {
    const { send, queued } = start();
    expect(await send({ headers, body: BODY, query: 'token=a-long-token' })).toMatchObject({
      status: 401,
      code,
    });
    expect(queued).toEqual([]);
  });
});

describe('a release that does not sign', () => {
  it.each([
    ['the token', 'token=a-long-token', 200],
    ['no token', '', 401],
    ['another token', 'token=a-long-tokem', 401],
    ['the token twice', 'token=a-long-token&token=a-long-token', 401],
  ])('is accepted by the token in the address alone: %s', async (_what, query, status) => {
    const { send, queued } = start(QUERY);
    expect((await send({ body: BODY, query })).status).toBe(status);
    expect(queued).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe('a look-up', () => {
  it.each([
    ['a list of changes', [{ status: { previous_value: 'open', current_value: 'resolved' } }], 1],
    ['an object of changes', { status: { previous_value: 'pending', current_value: 'resolved' } }, 1],
    ['a change from resolved', [{ status: { previous_value: 'resolved', current_value: 'resolved' } }], 0],
    ['a change without its old value', [{ status: { current_value: 'resolved' } }], 0],
    ['another change', [{ priority: { previous_value: 'low', current_value: 'high' } }], 0],
    ['no changes', null, 0],
    ['changes of another kind', ['status', null, 7], 0],
  ])('needs the change of the status: %s', async (_what, changed_attributes, closes) => {
    const { send, queued } = start({ lookUp: 'sharedId' });
    const { body: event } = readFixture('chatwoot', 'finished.json');
    const body = JSON.stringify({ ...(event as object), changed_attributes });
    expect((await send({ headers: signed(body), body })).status).toBe(200);
    expect(queued).toHaveLength(closes);
  });
});

describe('a connection', () => {
  it('is signed by default, and may use a token in the address, but nothing else', () => {
    expect(connectionOf('chatwoot').verify.scheme).toBe('hmac');
    expect(faultsOf('chatwoot', QUERY)).toEqual([]);
    for (const scheme of ['bearer', 'basic', 'standard-webhooks']) {
      expect(faultsOf('chatwoot', { verify: { scheme } })).toMatchObject([
        { path: 'connections.c.verify.scheme', fix: expect.stringContaining('query') },
      ]);
    }
  });
});
