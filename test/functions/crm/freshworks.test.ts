import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import type { Crm } from '../../../functions/crm/crm.ts';
import { CRMS, type CrmName } from '../../../functions/crm/index.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { initialSecret } from '../../../infra/initial-secret.ts';
import { basicAuthorization, changeCharacter } from '../../../samples/delivery.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const PASSWORD = 'q7HhB2n0mVdLx5sWcZr8aTyK4uEoPgJf';
const SECRET = { username: 'webhook', password: PASSWORD };

/** A body that the administrator wrote, with its placeholders filled. */
const advanced = (change: object = {}) => ({
  ticket_id: 'INC-123',
  status: 'Resolved',
  polyai_conversation_id: 'KpQx-polyai-0001',
  ...change,
});

/** The body that the product sends when the administrator ticks fields instead. */
const simple = (wrapper: string, change: object = {}) => ({
  [wrapper]: {
    ticket_id: 12345,
    ticket_status: 'Resolved',
    ticket_cf_polyai_conversation_id: 'KpQx-polyai-0001',
    triggered_event: '{ticket_status:{from:2,to:4}}',
    ...change,
  },
});

describe.each([
  ['freshdesk', ['freshdesk_webhook'], ['freshservice_webhook']],
  ['freshservice', ['freshservice_webhook', 'freshdesk_webhook'], []],
])('%s', (name, wrappers, others) => {
  const crm = CRMS[name] as Crm;
  const start = (settings = {}, secret: Record<string, unknown> = SECRET) =>
    startReceiver(name, settings, secret, NOW);

  function read(body: unknown, settings: Partial<Connection> = {}) {
    return readReasons(
      crm,
      { ...toConnection(connectionOf(name)), ...settings },
      { body, headers: {}, query: {} },
    );
  }

  const valid = {
    headers: basicAuthorization('webhook', PASSWORD),
    body: JSON.stringify(advanced()),
  };

  it('accepts a delivery with the user name and the password', async () => {
    const receiver = start();
    expect(await receiver.send(valid)).toMatchObject({ status: 200 });
    expect(receiver.queued).toMatchObject([{ conversationId: 'KpQx-polyai-0001', crmRef: 'INC-123' }]);
  });

  it('accepts a token in a header if the connection says so', async () => {
    const verify = { scheme: 'header', header: 'X-PolyAI-Token' };
    const receiver = start({ verify }, { token: PASSWORD });
    const headers = { 'x-polyai-token': PASSWORD };
    expect(await receiver.send({ ...valid, headers })).toMatchObject({ status: 200 });
    expect(await receiver.send(valid)).toMatchObject({ code: 'credential_missing' });
    for (const position of PASSWORD.split('').keys()) {
      const forged = { 'x-polyai-token': changeCharacter(PASSWORD, position) };
      expect(await receiver.send({ ...valid, headers: forged })).toMatchObject({
        code: 'credential_mismatch',
      });
    }
    expect(receiver.queued).toHaveLength(1);
  });

  it.each([
    ['nothing', {}, 'credential_missing'],
    ['another password', basicAuthorization('webhook', 'another'), 'credential_mismatch'],
    ['no password', basicAuthorization('webhook', ''), 'credential_mismatch'],
    ['another user name', basicAuthorization('admin', PASSWORD), 'credential_mismatch'],
    [
      'the password as a user name, as an API key is sent',
      basicAuthorization(PASSWORD, 'X'),
      'credential_mismatch',
    ],
    ['the password as a bearer token', { authorization: `Bearer ${PASSWORD}` }, 'credential_missing'],
    [
      'a signature, which the vendor does not document',
      { 'x-freshdesk-signature': 'sha256=00' },
      'credential_missing',
    ],
  ])('refuses a delivery with %s', async (_what, headers: Record<string, string>, code) => {
    const receiver = start();
    expect(await receiver.send({ ...valid, headers })).toMatchObject({ status: 401, code });
    expect(receiver.queued).toEqual([]);
  });

  it('refuses advanced content sent as a form', async () => {
    const receiver = start();
    const body = new URLSearchParams(advanced() as Record<string, string>).toString();
    const headers = { ...valid.headers, 'content-type': 'application/x-www-form-urlencoded' };
    expect(await receiver.send({ headers, body })).toMatchObject({ status: 400, code: 'body_unreadable' });
    expect(receiver.queued).toEqual([]);
  });

  it('refuses XML', async () => {
    const answer = await start().send({ ...valid, body: '<ticket><status>Resolved</status></ticket>' });
    expect(answer.code).toBe('body_unreadable');
  });

  it.each(['Resolved', 'Closed', 'resolved', 'CLOSED', 4, 5, '4', '5'])(
    'is finished in the status %j',
    (status) => {
      expect(read(advanced({ status })).closes).toHaveLength(1);
      for (const wrapper of wrappers) {
        expect(read(simple(wrapper, { ticket_status: status })).closes).toHaveLength(1);
      }
    },
  );

  it.each([
    undefined,
    null,
    '',
    'Open',
    'Pending',
    'Gelöst',
    2,
    3,
    6,
    45,
    '{{ticket.status}}',
    ['Resolved'],
    true,
  ])('is not finished in the status %j', (status) => {
    expect(read(advanced({ status })).ignored).toEqual(['not_finished']);
    for (const wrapper of wrappers) {
      expect(read(simple(wrapper, { ticket_status: status })).ignored).toEqual(['not_finished']);
    }
  });

  it('is finished in the statuses that the connection lists, and in no other', () => {
    const finishedValues = ['Gelöst'];
    expect(read(advanced({ status: 'GELÖST' }), { finishedValues }).closes).toHaveLength(1);
    expect(read(advanced(), { finishedValues }).ignored).toEqual(['not_finished']);
  });

  it('unwraps simple content only by its own names of the wrapping object', () => {
    for (const wrapper of wrappers) {
      expect(read(simple(wrapper)).closes).toEqual([{ crmRef: '12345', conversationId: 'KpQx-polyai-0001' }]);
    }
    for (const other of others) expect(read(simple(other)).ignored).toEqual(['not_finished']);
  });

  it.each([
    ['polyai_conversation_id', { cf_polyai_conversation_id: 'b' }, 'KpQx-polyai-0001'],
    ['the field’s own name', { polyai_conversation_id: '', cf_polyai_conversation_id: 'b' }, 'b'],
    [
      'the name of simple content',
      { polyai_conversation_id: null, ticket_cf_polyai_conversation_id: 'b' },
      'b',
    ],
    ['no field', { polyai_conversation_id: '' }, undefined],
  ])('has its id in %s', (_what, change, id) => {
    const ids = read(advanced(change)).closes.map(({ conversationId }) => conversationId);
    expect(ids).toEqual(id === undefined ? [] : [id]);
  });

  it.each([
    ['INC-123', '123'],
    ['SR-5', '5'],
    [' inc-7 ', '7'],
    [12345, '12345'],
    ['12345', '12345'],
    ['A-1-2', 'A-1-2'],
    ['INC-', 'INC-'],
  ])('looks the ticket %j up as the API writes it: %j', (ticket, sharedId) => {
    const { closes } = read(advanced({ ticket_id: ticket, previous_status: 'Open' }), {
      lookUp: 'sharedId',
    });
    expect(closes).toMatchObject([{ crmRef: String(ticket).trim(), sharedId }]);
  });

  it('looks a ticket up as the webhook writes it if the selector of the page says so', () => {
    const settings = { lookUp: 'sharedId', sharedId: 'body.ticket_id' } as const;
    const { closes } = read(advanced({ ticket_id: 'INC-123', previous_status: 'Open' }), settings);
    expect(closes).toMatchObject([{ crmRef: 'INC-123', sharedId: 'INC-123' }]);
  });

  it('lets selectors see the whole body', () => {
    const [wrapper = ''] = wrappers;
    const conversationId = `body.${wrapper}.ticket_cf_chat`;
    const { closes } = read(simple(wrapper, { ticket_cf_chat: 'c' }), { conversationId });
    expect(closes).toMatchObject([{ conversationId: 'c' }]);
  });

  it('finishes or ignores a body, whatever it is', () => {
    const keys = fc.constantFrom(
      ...wrappers,
      'status',
      'ticket_status',
      'ticket_id',
      'cf_polyai_conversation_id',
      '__proto__',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.jsonValue(),
        fc.constant('Resolved'),
        fc.dictionary(keys, tie('value')),
      ),
    }));
    fc.assert(
      fc.property(value, (body) => {
        const { closes, ignored } = read(body);
        expect(closes.length + ignored.length).toBeGreaterThan(0);
      }),
    );
  });

  it('needs no setting, and has a generated password', () => {
    expect(faultsOf(name)).toEqual([]);
    expect(connectionOf(name).verify).toEqual({ scheme: 'basic' });
    expect(initialSecret(name as CrmName, { scheme: 'basic' })).toEqual({
      template: '{"username":"webhook"}',
      key: 'password',
    });
  });

  it('accepts no scheme that its rules cannot send', () => {
    for (const verify of [{ scheme: 'hmac', header: 'x' }, { scheme: 'standard-webhooks' }]) {
      expect(faultsOf(name, { verify })).toMatchObject([{ path: 'connections.c.verify.scheme' }]);
    }
    expect(faultsOf(name, { sender: 'acme' })).toMatchObject([{ path: 'connections.c.sender' }]);
  });
});
