import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import zendesk from '../../../functions/crm/zendesk.ts';
import { readDelivery } from '../../../functions/intake/read-delivery.ts';
import hmac from '../../../functions/schemes/hmac.ts';
import type { HmacSettings } from '../../../functions/schemes/scheme.ts';
import {
  changeByte,
  changeCharacter,
  delivery,
  type Headers,
  signZendesk,
  zendeskEvent,
} from '../../../local/delivery.ts';

const SETTINGS = zendesk.verify as HmacSettings;
const TEST_SECRET = 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==';
const CONNECTION: Connection = {
  crm: 'zendesk',
  project: 'support-uk',
  secretId: 'stack/connections/zendesk-support/secret',
  verify: SETTINGS,
};

type Attempt = { secret: string; headers: Headers; body: string | Buffer; now: string };

function verify({ secret, headers, body, now }: Attempt): string {
  const keys = hmac.readKeys({ signingSecret: secret });
  return hmac.verify(SETTINGS, keys, delivery({ headers, body }), Date.parse(now))?.code ?? 'accepted';
}

function read(body: unknown, connection: Partial<Connection> = {}, headers: Headers = {}) {
  return readDelivery(zendesk, { ...CONNECTION, ...connection }, { body, headers, query: {} });
}

function zendeskHeaders(signature: string, timestamp: string): Headers {
  return {
    'x-zendesk-webhook-signature': signature,
    'x-zendesk-webhook-signature-timestamp': timestamp,
  };
}

describe("Zendesk's signature", () => {
  const vector: Attempt = {
    secret: TEST_SECRET,
    headers: zendeskHeaders('S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLM=', '2021-03-25T05:09:27Z'),
    body: '{"event":"ticket.updated","id":123}',
    now: '2021-03-25T05:09:27Z',
  };

  it('is accepted as its test secret makes it', () => {
    expect(verify(vector)).toBe('accepted');
    expect(verify({ ...vector, body: '{"event":"ticket.updated","id":124}' })).toBe('signature_mismatch');
    expect(verify({ ...vector, now: '2021-03-25T05:14:28Z' })).toBe('timestamp_stale');
  });

  // An older page of the vendor's signed the body before the timestamp and printed this:
  // https://developer.zendesk.com/documentation/event-connectors/webhooks/verifying/
  const obsolete: Attempt = {
    secret: 'HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=',
    headers: zendeskHeaders('tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=', '2021-07-25T10:00:00Z'),
    body: '{"say": "hello"}',
    now: '2021-07-25T10:00:00Z',
  };

  it('is refused in the obsolete order of bytes, and accepted in the order of today', () => {
    expect(verify(obsolete)).toBe('signature_mismatch');
    const today = zendeskHeaders('Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk=', '2021-07-25T10:00:00Z');
    expect(verify({ ...obsolete, headers: today })).toBe('accepted');
  });

  it("is refused where it is the one of the vendor's sample request, well-formed over another body", () => {
    const sample = zendeskHeaders('EiqWE3SXTPQpPulBV6OSuuGziIishZNc1VwNZYqZrHU=', '2021-03-25T05:09:27Z');
    expect(verify({ ...vector, headers: sample })).toBe('signature_mismatch');
  });

  it('takes the secret as text, never as the base64 that it looks like', () => {
    const decoded = Buffer.from(vector.secret, 'base64').toString();
    const headers = signZendesk({ secret: decoded, body: vector.body, at: Date.parse(vector.now) });
    expect(verify({ ...vector, headers })).toBe('signature_mismatch');
  });

  it('is accepted over any body, and refused after any one-byte change', () => {
    const now = '2026-07-01T12:00:00Z';
    const bodies = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.base64String({ minLength: 8 }), bodies, fc.nat(), (secret, body, position) => {
        const headers = signZendesk({ secret, body, at: Date.parse(now) });
        const attempt = { secret, headers, body, now };
        expect(verify(attempt)).toBe('accepted');
        expect(verify({ ...attempt, body: changeByte(body, position, 1) })).toBe('signature_mismatch');
        expect(verify({ ...attempt, secret: changeCharacter(secret, position) })).toBe('signature_mismatch');
        for (const [name, value] of Object.entries(headers)) {
          const changed = { ...headers, [name]: changeCharacter(value, position) };
          expect(verify({ ...attempt, headers: changed })).toMatch(/_(mismatch|malformed)$/);
        }
      }),
    );
  });

  it('is accepted over no body at all', () => {
    const headers = signZendesk({ secret: 'secret', body: '', at: Date.parse(vector.now) });
    expect(verify({ ...vector, secret: 'secret', headers, body: '' })).toBe('accepted');
  });

  it('has its test secret listed as public', () => {
    expect(zendesk.publicSecrets).toEqual([TEST_SECRET]);
  });
});

describe('a ticket event', () => {
  it.each(['SOLVED', 'CLOSED', 'solved', 'closed', 'Solved'])(
    'is a finish when the status is now %s',
    (current) => {
      expect(read(zendeskEvent({ current })).closes).toHaveLength(1);
    },
  );

  it.each(['NEW', 'OPEN', 'PENDING', 'HOLD', 'DELETED', 'ARCHIVED', '', 'SOLVED ', 'UNSOLVED'])(
    'is none when the status is now %j',
    (current) => {
      expect(read(zendeskEvent({ current }))).toMatchObject({ closes: [], ignored: ['not_finished'] });
    },
  );

  it.each([
    'ticket.created',
    'ticket.external_id_changed',
    'ticket.merged',
    'ticket.soft_deleted',
    'ticket.Status_changed',
    'ticket.status_changed.more',
    'constructor',
    '__proto__',
    '',
  ])('is none when its type is %j, whatever its status', (type) => {
    expect(read(zendeskEvent({ type }))).toMatchObject({ closes: [], ignored: ['not_finished'] });
  });

  it('of a custom status is a finish by the category in its detail', () => {
    const event = zendeskEvent({ type: 'ticket.custom_status_changed', current: '8447320465999' });
    const solved = { ...event, detail: { ...event.detail, status: 'solved' } };
    expect(read(solved).closes).toHaveLength(1);
    expect(read(event).ignored).toEqual(['not_finished']);
  });

  it.each([
    ['null', null, ['no_conversation_id'], []],
    ['empty', '', ['no_conversation_id'], []],
    ['an id', 'KpQx-polyai-0001', [], ['KpQx-polyai-0001']],
    ['a number', 123, [], ['123']],
    [
      'the address of the conversation in Studio',
      'https://studio.uk-1.poly.ai/acme/PROJECT-1/conversations/KpQx-polyai-0001?tab=chat',
      [],
      ['KpQx-polyai-0001'],
    ],
    ['too long', 'x'.repeat(257), ['unusable_conversation_id'], []],
    ['an object', { id: 'x' }, ['unusable_conversation_id'], []],
  ])('with an external id that is %s', (_what, externalId, ignored, ids) => {
    const demand = read(zendeskEvent({ externalId }));
    expect(demand.ignored).toEqual(ignored);
    expect(demand.closes.map(({ conversationId }) => conversationId)).toEqual(ids);
  });

  it('takes the values that mean finished from the connection, instead of its own', () => {
    const finishedValues = ['pending', '8447320465999'];
    const count = (event: object) => read(event, { finishedValues }).closes.length;
    expect(count(zendeskEvent({ current: 'PENDING' }))).toBe(1);
    expect(count(zendeskEvent({ type: 'ticket.custom_status_changed', current: '8447320465999' }))).toBe(1);
    expect(count(zendeskEvent({ current: 'SOLVED' }))).toBe(0);
  });

  it("takes the connection's selectors, instead of its own", () => {
    const event = zendeskEvent({ current: 'OPEN' });
    const selectors = { conversationId: 'body.subject', finishedWhen: "body.detail.status == 'OPEN'" };
    expect(read(event, selectors).closes).toMatchObject([{ conversationId: 'zen:ticket:5158' }]);
  });
});

describe("a trigger's body", () => {
  const BODY = { ticket_id: 5158, status: 'Gelöst', polyai_conversation_id: 'KpQx-polyai-0001' };

  it('is a finish by itself, whatever its status says', () => {
    expect(read(BODY).closes).toEqual([{ crmRef: '5158', conversationId: 'KpQx-polyai-0001' }]);
    expect(read({ ...BODY, status: undefined }).closes).toHaveLength(1);
  });

  it('is judged by its status where the connection says which values count', () => {
    expect(read(BODY, { finishedValues: ['GELÖST'] }).closes).toHaveLength(1);
    expect(read({ ...BODY, status: 'Offen' }, { finishedValues: ['Gelöst'] }).ignored).toEqual([
      'not_finished',
    ]);
    expect(read({ ...BODY, status: {} }, { finishedValues: [''] }).ignored).toEqual(['not_finished']);
    expect(read({ ...BODY, status: undefined }, { finishedValues: ['Gelöst'] }).ignored).toEqual([
      'not_finished',
    ]);
  });

  it.each([
    [{}],
    [[]],
    [null],
    ['text'],
    [42],
    [{ polyai_conversation_id: null }],
    [{ type: 'ticket.solved' }],
  ])('without an id is ignored: %j', (body) => {
    expect(read(body)).toMatchObject({ closes: [], ignored: ['no_conversation_id'] });
  });

  it('may come as a form', () => {
    const fields = Object.fromEntries(
      new URLSearchParams('ticket_id=5158&polyai_conversation_id=KpQx-polyai-0001'),
    );
    expect(read(fields).closes).toEqual([{ crmRef: '5158', conversationId: 'KpQx-polyai-0001' }]);
  });

  it('does not take an inherited property for an id', () => {
    expect(read(Object.create({ polyai_conversation_id: 'inherited' })).ignored).toEqual([
      'no_conversation_id',
    ]);
  });
});

describe('any body', () => {
  it('is read without throwing', () => {
    const keys = fc.constantFrom(
      'type',
      'detail',
      'event',
      'external_id',
      'current',
      'status',
      'id',
      '__proto__',
    );
    const values = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.constantFrom('zen:event-type:ticket.status_changed', 'zen:event-type:', 'SOLVED'),
        fc.dictionary(keys, tie('value')),
        fc.array(tie('value')),
      ),
    }));
    fc.assert(
      fc.property(values.value, (body) => {
        const { closes, ignored } = read(body);
        expect(closes.length + ignored.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a ticket that is looked up', () => {
  const changed = (previous: unknown, current: string, type = 'ticket.status_changed') => {
    const event = zendeskEvent({ type, current, externalId: null });
    return { ...event, event: { previous, current } };
  };
  const looksUp: Partial<Connection> = { lookUp: 'sharedId' };

  it.each<[string, unknown, string, Partial<Connection>, boolean]>([
    ['OPEN to SOLVED', 'OPEN', 'SOLVED', {}, true],
    ['OPEN to CLOSED', 'OPEN', 'CLOSED', {}, true],
    ['SOLVED to CLOSED, as Zendesk’s automation does', 'SOLVED', 'CLOSED', {}, false],
    ['SOLVED to CLOSED where only CLOSED counts', 'SOLVED', 'CLOSED', { finishedValues: ['CLOSED'] }, true],
    ['nothing known to SOLVED', undefined, 'SOLVED', {}, false],
    ['SOLVED to CLOSED where that is allowed', 'SOLVED', 'CLOSED', { repeatedFinish: 'allow' }, true],
  ])('finishes by its event alone: %s', (_what, previous, current, more, isTaken) => {
    const { closes, ignored } = read(changed(previous, current), { ...looksUp, ...more });
    expect(closes).toHaveLength(isTaken ? 1 : 0);
    expect(ignored).toEqual(isTaken ? [] : ['not_finished']);
  });

  it('has custom statuses compared by their ids, where the connection lists nothing else', () => {
    const custom = (finishedValues: string[], previous: string, current: string) =>
      read(changed(previous, current, 'ticket.custom_status_changed'), { ...looksUp, finishedValues }).closes
        .length;
    expect(custom(['7', '8'], '6', '7')).toBe(1);
    expect(custom(['7', '8'], '7', '8')).toBe(0);
    expect(custom(['7', 'SOLVED'], '6', '7')).toBe(0);
  });

  it.each([['{{ticket.previous_status}}'], [''], ['None'], ['Solved'], [' closed '], [null]])(
    'is not finished by a trigger that says it was %j before',
    (previous_status) => {
      expect(read({ ticket_id: '1', previous_status }, looksUp).ignored).toEqual(['not_finished']);
    },
  );
});
