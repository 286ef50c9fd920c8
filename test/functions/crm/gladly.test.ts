import { describe, expect, it } from 'vitest';
import { basicAuthorization, type Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const PASSWORD = 'the-password-of-the-webhook';
const LOOK_UP = { lookUp: 'sharedId' };
const HEADER = { ...LOOK_UP, verify: { scheme: 'header', header: 'X-PolyAI-Token' } };
const BODY = JSON.stringify(readFixture('gladly', 'finished-by-look-up.json').body);

function start(settings: Record<string, unknown> = LOOK_UP): Receiver {
  return startReceiver('gladly', settings, { token: PASSWORD, username: 'webhook', password: PASSWORD }, NOW);
}

describe('a valid delivery', () => {
  it.each<[string, Record<string, unknown>, Headers]>([
    ['basic authentication', LOOK_UP, basicAuthorization('webhook', PASSWORD)],
    ['a header', HEADER, { 'x-polyai-token': PASSWORD }],
  ])('looks the chat up by its own conversation id, verified by %s', async (_what, settings, headers) => {
    const { send, queued } = start(settings);
    expect((await send({ headers, body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([
      { sharedId: 'aGaHXjD4li-moMR8LbULZb', deliveryId: 'yHaHXjD4SR-moMR9LbULDb', crm: 'gladly' },
    ]);
    expect(queued[0]).not.toHaveProperty('conversationId');
  });

  it('is accepted with Unicode, escapes, tabs and CRLF in its body', async () => {
    const { send, queued } = start();
    const body = BODY.replace('"AGENT"', '"\\u00fc \u{1f600} \\t\\""').replaceAll(',', ',\r\n\t');
    const headers = basicAuthorization('webhook', PASSWORD);
    expect((await send({ headers, body: Buffer.from(body) })).status).toBe(200);
    expect(queued).toHaveLength(1);
  });

  it.each<[string, Headers, string]>([
    ['no credential', {}, 'credential_missing'],
    ['another password', basicAuthorization('webhook', 'other'), 'credential_mismatch'],
    ['another user', basicAuthorization('root', PASSWORD), 'credential_mismatch'],
    ['the header of another scheme', { 'x-polyai-token': PASSWORD }, 'credential_missing'],
    [
      "a look-up adaptor's signature",
      { 'gladly-authorization': 'SigningAlgorithm=hmac-sha256' },
      'credential_missing',
    ],
  ])('is refused with %s', async (_what, headers, code) => {
    const { send, queued } = start();
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });
});

describe('an event that closes nothing', () => {
  it.each(['ping.json', 'reopened.json', 'status-updated.json', 'attribute-added.json', 'not-finished.json'])(
    'is answered 200, because Gladly would otherwise switch the webhook off: %s',
    async (file) => {
      const { send, queued } = start();
      const body = JSON.stringify(readFixture('gladly', file).body);
      expect((await send({ headers: basicAuthorization('webhook', PASSWORD), body })).status).toBe(200);
      expect(queued).toEqual([]);
    },
  );
});

describe('a connection', () => {
  it('needs a look-up or a selector, because no event has the id', () => {
    expect(faultsOf('gladly')).toEqual([
      {
        path: 'connections.c',
        problem: expect.stringContaining('needs lookUp or conversationId'),
        fix: expect.stringContaining('docs/crm/gladly.md'),
      },
    ]);
    expect(faultsOf('gladly', LOOK_UP)).toEqual([]);
    expect(faultsOf('gladly', { conversationId: 'body.content.conversationId' })).toEqual([]);
  });

  it('cannot look chats up if one of its finished types may come twice', () => {
    const settings = { ...LOOK_UP, finishedValues: ['CONVERSATION/CLOSED', 'CONVERSATION/STATUS_UPDATED'] };
    expect(faultsOf('gladly', settings)).toMatchObject([{ path: 'connections.c.lookUp' }]);
    expect(faultsOf('gladly', { ...settings, repeatedFinish: 'allow' })).toEqual([]);
  });

  it('expects basic authentication unless it says otherwise', () => {
    expect(connectionOf('gladly', LOOK_UP).verify).toEqual({ scheme: 'basic' });
    expect(faultsOf('gladly', { ...LOOK_UP, verify: { scheme: 'bearer' } })).toMatchObject([
      { path: 'connections.c.verify.scheme', problem: 'is "bearer", which crm "gladly" cannot send' },
    ]);
  });
});
