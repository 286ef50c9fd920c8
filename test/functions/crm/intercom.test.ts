import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import XHubSignature from 'x-hub-signature';
import type { Connection } from '../../../functions/connections.ts';
import intercom from '../../../functions/crm/intercom.ts';
import { REFUSALS } from '../../../functions/refusal.ts';
import type { HmacSettings } from '../../../functions/schemes/scheme.ts';
import { changeByte, changeCharacter, isPlain } from '../../../samples/delivery.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';
import { anyBytes, anyChange, hmacVerdict } from '../../support/verdict.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = 'intercom_client_secret_for_tests';
const CHAT = 'KpQx-polyai-0001';
const SETTINGS = intercom.verify as HmacSettings;
const CONNECTION: Connection = { crm: 'intercom', project: 'support', verify: SETTINGS };

/** What Intercom sends when a conversation with a chat was closed. */
function notification(
  topic: unknown = 'conversation.admin.closed',
  item: unknown = { type: 'conversation', id: '123', custom_attributes: { polyai_conversation_id: CHAT } },
) {
  return {
    type: 'notification_event',
    app_id: 'vne310wv',
    topic,
    id: 'notif_1',
    data: { type: 'notification_event_data', item },
  };
}

const ticket = (state: unknown) => ({
  type: 'ticket',
  id: '494',
  ticket_state: state,
  ticket_attributes: { _default_title_: 'A ticket', polyai_conversation_id: CHAT },
});

function verify(header: string, body: string | Buffer, secret = SECRET): string {
  return hmacVerdict(SETTINGS, { headers: { 'x-hub-signature': header }, body, secret, now: NOW });
}

function read(body: unknown, settings: Partial<Connection> = {}) {
  return readReasons(intercom, { ...CONNECTION, ...settings }, { body, headers: {}, query: {} });
}

const sign = (body: string | Buffer, secret = SECRET) => new XHubSignature('sha1', secret).sign(body);
const receiver = (settings: Record<string, unknown> = {}) =>
  startReceiver('intercom', settings, { signingSecret: SECRET }, NOW);
const signed = (body: string) => ({ headers: { 'X-Hub-Signature': sign(body) }, body });

describe('the signature', () => {
  // Intercom publishes no signature with its secret. Both x-hub-signature and OpenSSL make this one.
  const header = 'sha1=8f70910c56fca13c45783c9d3c60b5719e43418a';
  const body =
    '{"type":"notification_event","app_id":"lkqcyt9t","topic":"conversation.admin.closed","id":"notif_2a8995f8-92cb-4edd-a38c-041f4cdbf659"}';

  it('is accepted over its own body and no other', () => {
    expect(verify(header, body)).toBe('accepted');
    expect(verify(header, `${body}\n`)).toBe('signature_mismatch');
    expect(verify(header, body, `${SECRET}x`)).toBe('signature_mismatch');
  });

  it("is refused if it is the example on Intercom's page, which is over another body", () => {
    expect(verify('sha1=21ff2e149e0fdcac6f947740f6177f6434bda921', body)).toBe('signature_mismatch');
  });

  it.each([
    ['with another hash', new XHubSignature('sha256', SECRET).sign(body), 'signature_malformed'],
    ['without its prefix', header.slice(5), 'signature_malformed'],
    ['too short', header.slice(0, -1), 'signature_malformed'],
    ['sent twice', `${header},${header}`, 'signature_malformed'],
    ['with its prefix in upper case', header.toUpperCase(), 'signature_malformed'],
    ['absent', '', 'signature_missing'],
  ])('is refused %s', (_how, given, code) => {
    expect(verify(given, body)).toBe(code);
  });

  it('is accepted and refused exactly as by x-hub-signature', () => {
    const secrets = fc.stringMatching(/^[\x21-\x7e]{1,40}$/).filter(isPlain);
    fc.assert(
      fc.property(secrets, anyBytes, fc.nat(), anyChange, (secret, body, position, by) => {
        const given = sign(body, secret);
        expect(verify(given, body, secret)).toBe('accepted');
        const forgeries: [string, Buffer, string][] = [
          [given, changeByte(body, position, by), secret],
          [changeCharacter(given, position), body, secret],
          [given, body, changeCharacter(secret, position)],
        ];
        for (const [signature, bytes, key] of forgeries) {
          expect(new XHubSignature('sha1', key).verify(signature, bytes)).toBe(false);
          expect(verify(signature, bytes, key)).toMatch(/^signature_/);
        }
      }),
    );
  });
});

describe('a notification', () => {
  it('closes the chat of its conversation', async () => {
    const { send } = receiver();
    const { status, closes, line } = await send(signed(JSON.stringify(notification())));
    expect([status, closes, line?.delivery_id, line?.crm_ref]).toEqual([200, [CHAT], 'notif_1', '123']);
  });

  it('closes nothing when it is forged', async () => {
    const { send } = receiver();
    const { headers, body } = signed(JSON.stringify(notification()));
    const forged = body.replace('0001', '0002');
    expect(await send({ headers, body: forged })).toMatchObject({ code: 'signature_mismatch', closes: [] });
    expect(await send({ body })).toMatchObject({ code: 'signature_missing', closes: [] });
  });

  it('is verified by its exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const body = JSON.stringify(
      notification(undefined, { custom_attributes: { polyai_conversation_id: 'x' } }),
      null,
      '\t',
    )
      .replaceAll('\n', '\r\n')
      .replace('"x"', '"\\u4f1a話-\\ud83d\\udcac"');
    expect(body).toContain('\r\n\t"topic"');
    const { send } = receiver();
    expect(await send(signed(body))).toMatchObject({ status: 200, closes: ['会話-💬'] });
    const again = { ...signed(body), body: JSON.stringify(JSON.parse(body)) };
    expect(await send(again)).toMatchObject({ code: 'signature_mismatch', closes: [] });
  });

  it('is answered 200 and closes nothing if it is a ping', async () => {
    const ping = { ...notification('ping'), id: null };
    const { status, closes, line } = await receiver().send(signed(JSON.stringify(ping, null, '\t')));
    expect([status, closes, line?.ignored]).toMatchObject([200, [], [{ reason: 'test_event' }]]);
    expect(line?.delivery_id).toBeUndefined();
  });
});

describe('the workspace', () => {
  it('must be the sender if the connection names one', async () => {
    const { send } = receiver({ sender: 'vne310wv' });
    const { app_id: _, ...nameless } = notification();
    expect(await send(signed(JSON.stringify(notification())))).toMatchObject({ closes: [CHAT] });
    const others = [
      { ...nameless, app_id: 'other' },
      nameless,
      { ...nameless, app_id: ['vne310wv'] },
      [notification()],
    ];
    for (const other of others) {
      expect(await send(signed(JSON.stringify(other)))).toMatchObject({
        status: 401,
        code: 'sender_mismatch',
        closes: [],
      });
    }
  });

  it('may be any workspace if the connection names none', async () => {
    const body = JSON.stringify({ ...notification(), app_id: 'other' });
    expect(await receiver().send(signed(body))).toMatchObject({ closes: [CHAT] });
  });
});

describe('the address', () => {
  it('answers 200 to HEAD without a proof, and refuses other methods', async () => {
    const { send } = receiver();
    expect(await send({ method: 'HEAD' })).toMatchObject({ status: 200, body: '', closes: [] });
    for (const method of ['GET', 'PUT', 'OPTIONS', 'DELETE']) {
      expect(await send({ method })).toMatchObject({ status: 405 });
    }
  });

  it('never answers 410, which would switch the webhook off, or 429', async () => {
    expect(Object.values(REFUSALS)).not.toEqual(expect.arrayContaining([410]));
    expect(Object.values(REFUSALS)).not.toEqual(expect.arrayContaining([429]));
    const full = receiver();
    Object.freeze(full.queued);
    const answer = await full.send(signed(JSON.stringify(notification())));
    expect([answer.status, answer.code]).toEqual([503, 'queue_unavailable']);
  });
});

describe('a topic', () => {
  const resolved = ticket({ type: 'ticket_state', category: 'resolved' });

  it.each([
    ['conversation.admin.closed', undefined],
    ['ticket.closed', { type: 'ticket_event', ticket: resolved }],
    ['ticket.closed', resolved],
    ['ticket.resolved', resolved],
    ['ticket.resolved', { ticket: resolved }],
    ['ticket.state.updated', resolved],
    ['ticket.state.updated', { ticket: resolved }],
    ['ticket.state.updated', ticket('resolved')],
  ])('%s is finished', (topic, item) => {
    const { closes } = read(notification(topic, item));
    expect(closes).toEqual([expect.objectContaining({ conversationId: CHAT })]);
  });

  it.each([
    ['conversation.admin.opened', undefined],
    ['conversation.admin.replied', undefined],
    ['conversation.admin.snoozed', undefined],
    ['conversation.deleted', undefined],
    ['ticket.created', resolved],
    ['ticket.state.updated', ticket({ category: 'in_progress' })],
    ['ticket.state.updated', ticket({ category: 'waiting_on_customer' })],
    ['ticket.state.updated', { ticket: ticket('submitted') }],
    ['ticket.state.updated', ticket(undefined)],
    ['TICKET.STATE.UPDATED', ticket({ category: 'in_progress' })],
    [null, undefined],
    [['conversation.admin.closed'], undefined],
  ])('%s is not finished', (topic, item) => {
    expect(read(notification(topic, item))).toMatchObject({ closes: [], ignored: ['not_finished'] });
  });

  it('is finished only if finishedValues lists it, and a state only if it is resolved', () => {
    const finishedValues = ['ticket.state.updated'];
    expect(read(notification(), { finishedValues }).ignored).toEqual(['not_finished']);
    expect(read(notification('ticket.state.updated', resolved), { finishedValues }).closes).toHaveLength(1);
    const open = notification('ticket.state.updated', ticket({ category: 'submitted' }));
    expect(read(open, { finishedValues }).ignored).toEqual(['not_finished']);
  });
});

describe('the conversation id', () => {
  it('may be in an attribute of any name that the selector names', () => {
    const conversationId = 'body.data.item.custom_attributes."Chat 💬 (PolyAI)"';
    const body = notification(undefined, { id: '1', custom_attributes: { 'Chat 💬 (PolyAI)': CHAT } });
    expect(read(body, { conversationId }).closes).toEqual([
      { crmRef: '1', deliveryId: 'notif_1', conversationId: CHAT },
    ]);
    expect(connectionOf('intercom', { conversationId })).toMatchObject({ conversationId });
  });

  it.each([
    ['no attributes', { id: '1' }],
    ['attributes of another name', { id: '1', custom_attributes: { chat: CHAT } }],
    ['an empty attribute', { id: '1', custom_attributes: { polyai_conversation_id: '' } }],
    ['an attribute that is null', { id: '1', custom_attributes: { polyai_conversation_id: null } }],
    ['no item', null],
  ])('is absent if there is %s', (_what, item) => {
    expect(read(notification(undefined, item)).ignored).toEqual(['no_conversation_id']);
  });
});

describe('a connection', () => {
  it('cannot look chats up if no topic of its finishedValues comes once for each finish', () => {
    const settings = { lookUp: 'sharedId', finishedValues: ['ticket.state.updated'] };
    expect(faultsOf('intercom', settings)).toMatchObject([{ path: 'connections.c.lookUp' }]);
    const both = { ...settings, finishedValues: ['ticket.state.updated', 'ticket.closed'] };
    expect(faultsOf('intercom', both)).toEqual([]);
  });

  it.each([
    [{ verify: { scheme: 'bearer' } }, /connections\.c\.verify does not apply to crm "intercom"/],
    [{ sender: '' }, /connections\.c\.sender is empty/],
    [{ finishedValues: ['ticket.closed'], finishedWhen: 'always' }, /has no effect beside finishedWhen/],
  ])('is refused as %j', (settings, message) => {
    expect(() => connectionOf('intercom', settings)).toThrow(message);
  });
});
