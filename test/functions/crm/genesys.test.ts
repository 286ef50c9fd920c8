import { describe, expect, it } from 'vitest';
import genesys from '../../../functions/crm/genesys.ts';
import { basicAuthorization, type Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const TOKEN = 'the-token-of-the-data-action';
const BODY = JSON.stringify(readFixture('genesys', 'finished.json').body);
const BASIC = { verify: { scheme: 'basic' } };

function start(settings: Record<string, unknown> = {}): Receiver {
  return startReceiver('genesys', settings, { token: TOKEN, username: 'webhook', password: TOKEN }, NOW);
}

describe('a valid delivery', () => {
  it.each<[string, Record<string, unknown>, Headers]>([
    ['the header', {}, { 'X-PolyAI-Token': TOKEN }],
    ['a header of another name', { verify: { scheme: 'header', header: 'X-Key' } }, { 'x-key': TOKEN }],
    ['basic authentication', BASIC, basicAuthorization('webhook', TOKEN)],
  ])('closes the chat, verified by %s', async (_what, settings, headers) => {
    const { send, queued } = start(settings);
    expect((await send({ headers, body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([
      { conversationId: 'KpQx-polyai-0001', crmRef: '2f7bf00a-0fc2-4d6a-9b56-92238191433e' },
    ]);
  });

  it('is accepted with Unicode, escapes, tabs and CRLF in its body', async () => {
    const { send, queued } = start();
    const body = BODY.replace('"topic"', '"note":"\\u00fc \u{1f600} \\t\\"","topic"').replaceAll(
      ',',
      ',\r\n\t',
    );
    expect((await send({ headers: { 'x-polyai-token': TOKEN }, body: Buffer.from(body) })).status).toBe(200);
    expect(queued).toHaveLength(1);
  });

  it.each<[string, Record<string, unknown>, Headers, string]>([
    ['no header', {}, {}, 'credential_missing'],
    ['an empty header', {}, { 'x-polyai-token': '' }, 'credential_missing'],
    ['another token', {}, { 'x-polyai-token': 'other' }, 'credential_mismatch'],
    ['a space after the token', {}, { 'x-polyai-token': `${TOKEN} ` }, 'credential_mismatch'],
    ['the token as a bearer token', {}, { authorization: `Bearer ${TOKEN}` }, 'credential_missing'],
    ['another password', BASIC, basicAuthorization('webhook', 'other'), 'credential_mismatch'],
    ['another user', BASIC, basicAuthorization('root', TOKEN), 'credential_mismatch'],
  ])('is refused with %s', async (_what, settings, headers, code) => {
    const { send, queued } = start(settings);
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });
});

describe('the body of the data action', () => {
  const read = (body: unknown, finishedValues?: string[]) =>
    genesys.read(
      { body, headers: {}, query: {} },
      {
        crm: 'genesys',
        project: 'support',
        verify: { scheme: 'bearer' },
        ...(finishedValues && { finishedValues }),
      },
    )[0]?.finished;

  it.each(['VOICE', 'voice', 'CALLBACK'])(
    'is not finished if the medium is %s, whatever else it says',
    (mediaType) => {
      expect(read({ mediaType })).toBe(false);
      expect(read({ mediaType, status: 'disconnected' }, ['disconnected'])).toBe(false);
    },
  );

  it.each(['MESSAGE', 'CHAT', 'EMAIL', '', null, undefined, 7])(
    'is finished if the medium is %j',
    (mediaType) => {
      expect(read({ mediaType })).toBe(true);
    },
  );

  it('is judged by its status only if the connection lists statuses', () => {
    expect(read({ status: 'disconnected' })).toBe(true);
    expect(read({ status: 'wrapup' })).toBe(true);
    expect(read({ status: 'DISCONNECTED' }, ['disconnected'])).toBe(true);
    expect(read({ status: 'connected' }, ['disconnected'])).toBe(false);
    expect(read({}, ['disconnected'])).toBe(false);
  });
});

describe('a participant who is still there', () => {
  it.each(['connected', 'alerting', 'CONNECTED'])('is not finished: %s', async (status) => {
    const { send, queued } = start();
    const body = JSON.stringify({ ...JSON.parse(BODY), status });
    await send({ headers: { 'x-polyai-token': TOKEN }, body });
    expect(queued).toEqual([]);
  });
});

describe('a connection', () => {
  it('expects a header unless it says otherwise', () => {
    expect(connectionOf('genesys').verify).toEqual({ scheme: 'header', header: 'x-polyai-token' });
  });

  it.each(['hmac', 'bearer', 'query', 'standard-webhooks'])('cannot be verified by %s', (scheme) => {
    const own = { hmac: { header: 'x' }, query: { parameter: 'x' } }[scheme];
    expect(faultsOf('genesys', { verify: { scheme, ...own } })).toMatchObject([
      { path: 'connections.c.verify.scheme', problem: `is "${scheme}", which crm "genesys" cannot send` },
    ]);
  });
});
