import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import zendesk from '../../../functions/crm/zendesk.ts';
import type { HmacSettings } from '../../../functions/schemes/scheme.ts';
import {
  changeByte,
  changeCharacter,
  type Headers,
  signZendesk,
  zendeskEvent,
} from '../../../samples/delivery.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { anyBytes, hmacVerdict } from '../../support/verdict.ts';

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
  return hmacVerdict(SETTINGS, { headers, body, secret, now: Date.parse(now) });
}

function read(body: unknown, connection: Partial<Connection> = {}, headers: Headers = {}) {
  return readReasons(zendesk, { ...CONNECTION, ...connection }, { body, headers, query: {} });
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

  it('is accepted if it is made with the test secret', () => {
    expect(verify(vector)).toBe('accepted');
    expect(verify({ ...vector, body: '{"event":"ticket.updated","id":124}' })).toBe('signature_mismatch');
    expect(verify({ ...vector, now: '2021-03-25T05:14:28Z' })).toBe('timestamp_stale');
  });

  // An older page of the vendor signed the body before the timestamp. It printed this:
  // https://developer.zendesk.com/documentation/event-connectors/webhooks/verifying/
  const obsolete: Attempt = {
    secret: 'HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=',
    headers: zendeskHeaders('tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=', '2021-07-25T10:00:00Z'),
    body: '{"say": "hello"}',
    now: '2021-07-25T10:00:00Z',
  };

  it('is refused in the old order of bytes, and accepted in the current one', () => {
    expect(verify(obsolete)).toBe('signature_mismatch');
    const today = zendeskHeaders('Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk=', '2021-07-25T10:00:00Z');
    expect(verify({ ...obsolete, headers: today })).toBe('accepted');
  });

  it("is refused if it is the one of the vendor's sample request, which is over another body", () => {
    const sample = zendeskHeaders('EiqWE3SXTPQpPulBV6OSuuGziIishZNc1VwNZYqZrHU=', '2021-03-25T05:09:27Z');
    expect(verify({ ...vector, headers: sample })).toBe('signature_mismatch');
  });

  it('has the secret as text for its key, not decoded from base64', () => {
    const decoded = Buffer.from(vector.secret, 'base64').toString();
    const headers = signZendesk({ secret: decoded, body: vector.body, at: Date.parse(vector.now) });
    expect(verify({ ...vector, headers })).toBe('signature_mismatch');
  });

  it('is accepted over any body, and refused if any byte is changed', () => {
    const now = '2026-07-01T12:00:00Z';
    fc.assert(
      fc.property(fc.base64String({ minLength: 8 }), anyBytes, fc.nat(), (secret, body, position) => {
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

  it('is accepted over an empty body', () => {
    const headers = signZendesk({ secret: 'secret', body: '', at: Date.parse(vector.now) });
    expect(verify({ ...vector, secret: 'secret', headers, body: '' })).toBe('accepted');
  });

  it('has its test secret in the list of public secrets', () => {
    expect(zendesk.publicSecrets).toEqual([TEST_SECRET]);
  });
});

describe('a ticket event', () => {
  it.each(['SOLVED', 'CLOSED', 'solved', 'closed', 'Solved'])(
    'is finished if the status is now %s',
    (current) => {
      expect(read(zendeskEvent({ current })).closes).toHaveLength(1);
    },
  );

  it.each(['NEW', 'OPEN', 'PENDING', 'HOLD', 'DELETED', 'ARCHIVED', '', 'SOLVED ', 'UNSOLVED'])(
    'is not finished if the status is now %j',
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
  ])('is not finished if its type is %j, whatever its status', (type) => {
    expect(read(zendeskEvent({ type }))).toMatchObject({ closes: [], ignored: ['not_finished'] });
  });

  it('of a custom status is finished by the category in its detail', () => {
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
  ])('reads an external id that is %s', (_what, externalId, ignored, ids) => {
    const demand = read(zendeskEvent({ externalId }));
    expect(demand.ignored).toEqual(ignored);
    expect(demand.closes.map(({ conversationId }) => conversationId)).toEqual(ids);
  });

  it('is finished in the statuses that the connection lists, and in no other', () => {
    const finishedValues = ['pending', '8447320465999'];
    const count = (event: object) => read(event, { finishedValues }).closes.length;
    expect(count(zendeskEvent({ current: 'PENDING' }))).toBe(1);
    expect(count(zendeskEvent({ type: 'ticket.custom_status_changed', current: '8447320465999' }))).toBe(1);
    expect(count(zendeskEvent({ current: 'SOLVED' }))).toBe(0);
  });

  it("is read by the connection's selectors if it has them", () => {
    const event = zendeskEvent({ current: 'OPEN' });
    const selectors = { conversationId: 'body.subject', finishedWhen: "body.detail.status == 'OPEN'" };
    expect(read(event, selectors).closes).toMatchObject([{ conversationId: 'zen:ticket:5158' }]);
  });
});

describe("a trigger's body", () => {
  const BODY = { ticket_id: 5158, status: 'Gelöst', polyai_conversation_id: 'KpQx-polyai-0001' };

  it('is finished by default, whatever its status says', () => {
    expect(read(BODY).closes).toEqual([{ crmRef: '5158', conversationId: 'KpQx-polyai-0001' }]);
    expect(read({ ...BODY, status: undefined }).closes).toHaveLength(1);
  });

  it('is judged by its status if the connection lists statuses', () => {
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
  ])('is ignored if it has no id: %j', (body) => {
    expect(read(body)).toMatchObject({ closes: [], ignored: ['no_conversation_id'] });
  });

  it('may be a form', () => {
    const fields = Object.fromEntries(
      new URLSearchParams('ticket_id=5158&polyai_conversation_id=KpQx-polyai-0001'),
    );
    expect(read(fields).closes).toEqual([{ crmRef: '5158', conversationId: 'KpQx-polyai-0001' }]);
  });

  it('is not read from inherited properties', () => {
    expect(read(Object.create({ polyai_conversation_id: 'inherited' })).ignored).toEqual([
      'no_conversation_id',
    ]);
  });
});

describe('any body', () => {
  it('is finished or ignored, and never throws', () => {
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
    ['SOLVED to CLOSED if only CLOSED counts', 'SOLVED', 'CLOSED', { finishedValues: ['CLOSED'] }, true],
    ['an unknown status to SOLVED', undefined, 'SOLVED', {}, false],
    ['SOLVED to CLOSED if repeatedFinish allows it', 'SOLVED', 'CLOSED', { repeatedFinish: 'allow' }, true],
  ])('counts only the first finish: %s', (_what, previous, current, more, isTaken) => {
    const { closes, ignored } = read(changed(previous, current), { ...looksUp, ...more });
    expect(closes).toHaveLength(isTaken ? 1 : 0);
    expect(ignored).toEqual(isTaken ? [] : ['not_finished']);
  });

  it('has its custom statuses compared by id if the connection lists only ids', () => {
    const custom = (finishedValues: string[], previous: string, current: string) =>
      read(changed(previous, current, 'ticket.custom_status_changed'), { ...looksUp, finishedValues }).closes
        .length;
    expect(custom(['7', '8'], '6', '7')).toBe(1);
    expect(custom(['7', '8'], '7', '8')).toBe(0);
    expect(custom(['7', 'SOLVED'], '6', '7')).toBe(0);
  });

  it.each([['{{ticket.previous_status}}'], [''], ['None'], ['Solved'], [' closed '], [null]])(
    'is not finished by a trigger whose previous status is %j',
    (previous_status) => {
      expect(read({ ticket_id: '1', previous_status }, looksUp).ignored).toEqual(['not_finished']);
    },
  );
});
