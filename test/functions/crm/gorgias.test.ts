import { describe, expect, it } from 'vitest';
import gorgias from '../../../functions/crm/gorgias.ts';
import type { Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const TOKEN = 'the-token-of-the-integration';
const BODY = JSON.stringify(readFixture('gorgias', 'finished.json').body);

function start(settings: Record<string, unknown> = {}): Receiver {
  return startReceiver('gorgias', settings, { token: TOKEN }, NOW);
}

function read(body: unknown) {
  return gorgias.read(
    { body, headers: {}, query: {} },
    { crm: 'gorgias', project: 'support', verify: { scheme: 'bearer' } },
  )[0];
}

describe('a valid delivery', () => {
  it.each<[string, Record<string, unknown>, Headers]>([
    ['the header', {}, { 'X-PolyAI-Token': TOKEN }],
    [
      'a header of another name',
      { verify: { scheme: 'header', header: 'Authorization' } },
      { authorization: TOKEN },
    ],
  ])('closes the chat, verified by %s', async (_what, settings, headers) => {
    const { send, queued } = start(settings);
    expect((await send({ headers, body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([{ conversationId: 'KpQx-polyai-0001', crmRef: '86538410' }]);
  });

  it('is accepted with Unicode, escapes, tabs and CRLF in its body', async () => {
    const { send, queued } = start();
    const body = BODY.replace('"event"', '"subject":"\\u00fc \u{1f600} \\t\\"","event"').replaceAll(
      ',',
      ',\r\n\t',
    );
    expect((await send({ headers: { 'x-polyai-token': TOKEN }, body: Buffer.from(body) })).status).toBe(200);
    expect(queued).toHaveLength(1);
  });

  it('is refused as a form', async () => {
    const { send, queued } = start();
    const headers = { 'x-polyai-token': TOKEN, 'content-type': 'application/x-www-form-urlencoded' };
    const body = 'id=86538410&status=closed&external_id=KpQx-polyai-0001';
    expect(await send({ headers, body })).toMatchObject({ status: 400, code: 'body_unreadable' });
    expect(queued).toEqual([]);
  });

  it.each<[string, Headers, string]>([
    ['no header', {}, 'credential_missing'],
    ['another token', { 'x-polyai-token': 'other' }, 'credential_mismatch'],
    ['the start of the token', { 'x-polyai-token': TOKEN.slice(0, -1) }, 'credential_mismatch'],
    ['the token of another header', { authorization: TOKEN }, 'credential_missing'],
  ])('is refused with %s', async (_what, headers, code) => {
    const { send, queued } = start();
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });
});

describe('a ticket', () => {
  it.each(['open', '', 'Closed?', null, undefined, 1, ['closed'], 'None'])(
    'is not finished if its status is %j',
    (status) => {
      expect(read({ status })?.finished).toBe(false);
    },
  );

  it.each([
    ['absent', {}],
    ['empty', { external_id: '' }],
    ['null', { external_id: null, meta: null }],
    ["a template's word for nothing", { external_id: 'None', polyai_conversation_id: 'None' }],
    ["the customer's", { customer: { external_id: 'shopify-7', meta: { polyai_conversation_id: 'x' } } }],
  ])('has no id if its external id is %s', (_what, fields) => {
    expect(read({ status: 'closed', ...fields })?.conversationId).toBeUndefined();
  });

  it('has its id in the first field: polyai_conversation_id, meta, external_id', () => {
    const [external_id, meta] = ['a', { polyai_conversation_id: 'b' }];
    expect(read({ external_id })?.conversationId).toBe('a');
    expect(read({ external_id, meta })?.conversationId).toBe('b');
    expect(read({ external_id, meta, polyai_conversation_id: 'c' })?.conversationId).toBe('c');
    expect(read({ external_id, meta, polyai_conversation_id: 'None' })?.conversationId).toBe('b');
  });
});

describe('a connection', () => {
  it('can be verified only by a header', () => {
    expect(connectionOf('gorgias').verify).toEqual({ scheme: 'header', header: 'x-polyai-token' });
    expect(faultsOf('gorgias', { verify: { scheme: 'basic' } })).toMatchObject([
      { path: 'connections.c.verify.scheme', problem: 'is "basic", which crm "gorgias" cannot send' },
    ]);
  });
});
