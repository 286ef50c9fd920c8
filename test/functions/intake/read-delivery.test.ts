import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import type { Crm, Reading } from '../../../functions/crm/crm.ts';
import custom from '../../../functions/crm/custom.ts';
import { MAX_IGNORED, readDelivery, toRequestFields } from '../../../functions/intake/read-delivery.ts';
import { MINUTE_MS } from '../../../functions/time.ts';
import { readReasons } from '../../support/read-reasons.ts';

const CONNECTION: Connection = {
  crm: 'custom',
  project: 'support-uk',
  secretId: 'secret',
  verify: { scheme: 'bearer' },
  conversationId: 'body.id',
  finishedWhen: 'body.done',
};

function read(body: unknown, connection: Partial<Connection> = {}) {
  return readReasons(
    custom,
    { ...CONNECTION, ...connection },
    { body, headers: { 'x-a': 'h' }, query: { q: 'v' } },
  );
}

function idsOf(id: unknown): string[] {
  return read({ done: true, id }).closes.map(({ conversationId = '' }) => conversationId);
}

describe('finishedWhen', () => {
  it.each([
    [true, [], 1],
    [false, ['not_finished'], 0],
    ['true', ['finished_not_boolean'], 0],
    [1, ['finished_not_boolean'], 0],
    [null, ['finished_not_boolean'], 0],
    [[true], ['finished_not_boolean'], 0],
    [{}, ['finished_not_boolean'], 0],
    [undefined, ['finished_not_boolean'], 0],
  ])('with the result %j ignores the event with %j', (done, ignored, closes) => {
    const demand = read({ done, id: 'c1' });
    expect(demand.ignored).toEqual(ignored);
    expect(demand.closes).toHaveLength(closes);
  });

  it('can be "always"', () => {
    expect(read({ id: 'c1' }, { finishedWhen: 'always' }).closes).toEqual([{ conversationId: 'c1' }]);
  });

  it('closes nothing when it meets a type that it cannot work on', () => {
    const finishedWhen = "contains(body.tags, 'done')";
    expect(read({ id: 'c1', tags: ['done'] }, { finishedWhen }).closes).toHaveLength(1);
    expect(read({ id: 'c1' }, { finishedWhen }).ignored).toEqual(['finished_not_boolean']);
  });

  it('is applied to headers and query too', () => {
    const finishedWhen = "headers.\"x-a\" == 'h' && query.q == 'v'";
    expect(read({ id: 'c1' }, { finishedWhen }).closes).toHaveLength(1);
  });
});

describe('conversationId', () => {
  it.each([
    ['a string', 'c1', ['c1']],
    ['a safe integer', 42, ['42']],
    ['an array of them', ['c1', 42, 'c3'], ['c1', '42', 'c3']],
    ['duplicates, also across types', ['c1', 'c1', 42, '42'], ['c1', '42']],
    ['an array with gaps', ['c1', null, '', 'c2'], ['c1', 'c2']],
  ])('can give %s', (_what, id, expected) => {
    expect(idsOf(id)).toEqual(expected);
    expect(read({ done: true, id }).ignored).toEqual([]);
  });

  it.each([[undefined], [null], [''], [[]], [[null, '']]])(
    'with the result %j ignores the event with no_conversation_id',
    (id) => {
      expect(read({ done: true, id })).toEqual({ closes: [], ignored: ['no_conversation_id'] });
    },
  );

  it.each([[true], [1.5], [2 ** 53], [{ id: 'c1' }], [['c1'.repeat(200)]], ['line\nend'], [[['c1']]]])(
    'with the result %j ignores the event with unusable_conversation_id',
    (id) => {
      expect(read({ done: true, id })).toEqual({ closes: [], ignored: ['unusable_conversation_id'] });
    },
  );

  it('uses the usable ids of an array and reports the others', () => {
    expect(read({ done: true, id: ['c1', {}, false] })).toEqual({
      closes: [{ conversationId: 'c1' }],
      ignored: ['unusable_conversation_id', 'unusable_conversation_id'],
    });
  });

  it('is not applied when nothing is finished', () => {
    expect(read({ done: false, id: {} }).ignored).toEqual(['not_finished']);
  });
});

describe('a preset with several events in one delivery', () => {
  function readEvents(readings: Reading[]) {
    const crm: Crm = { ...custom, read: () => readings };
    const { conversationId: _, finishedWhen: __, ...bare } = CONNECTION;
    return readReasons(crm, bare, { body: {}, headers: {}, query: {} });
  }

  it('gives each close the references of its own event, and the result those of the first event', () => {
    const readings: Reading[] = [
      { finished: false, crmRef: 1, deliveryId: 'd1' },
      { finished: true, conversationId: 'c2', crmRef: 'T-2', deliveryId: 'd2' },
      { finished: true, conversationId: ['c3', 'c4'], crmRef: { not: 'an id' } },
      { finished: 'test_event' },
    ];
    expect(readEvents(readings)).toEqual({
      crmRef: '1',
      deliveryId: 'd1',
      closes: [
        { conversationId: 'c2', crmRef: 'T-2', deliveryId: 'd2' },
        { conversationId: 'c3' },
        { conversationId: 'c4' },
      ],
      ignored: ['not_finished', 'test_event'],
    });
  });

  it("applies the connection's selectors to each event, beside the headers and query of the delivery", () => {
    const events = [
      { id: 'c1', done: true },
      { id: 'c2', done: false },
    ];
    const crm: Crm = { ...custom, read: () => events.map((event) => ({ finished: false, event })) };
    const selectors = { conversationId: "join('-', [body.id, query.q])", finishedWhen: 'body.done' };
    const content = { body: events, headers: {}, query: { q: 'v' } };
    expect(readDelivery(crm, { ...CONNECTION, ...selectors }, content)).toEqual({
      closes: [{ conversationId: 'c1-v' }],
      ignored: [{ reason: 'not_finished', conversationId: 'c2-v' }],
    });
  });

  it('asks to close each conversation once', () => {
    const readings: Reading[] = [
      { finished: true, conversationId: 'c1' },
      { finished: true, conversationId: 'c1' },
    ];
    expect(readEvents(readings).closes).toEqual([{ conversationId: 'c1' }]);
  });

  it('reports at most 100 reasons for ignored events, and still every close', () => {
    const ignored = Array.from({ length: MAX_IGNORED + 1 }, () => ({ finished: false }));
    const result = readEvents([...ignored, { finished: true, conversationId: 'c1' }]);
    expect(result).toEqual({
      closes: [{ conversationId: 'c1' }],
      ignored: Array(100).fill('not_finished'),
    });
  });

  it('asks for nothing when there is no event', () => {
    expect(readEvents([])).toEqual({ closes: [], ignored: [] });
  });
});

it('never throws, whatever the body is', () => {
  const expressions = fc.constantFrom(
    'body',
    'body.id',
    'body[].id',
    '*.id',
    'sort_by(body.id, &a)',
    'length(body)',
  );
  fc.assert(
    fc.property(fc.jsonValue(), expressions, expressions, (body, conversationId, finishedWhen) => {
      expect(() => read(body, { conversationId, finishedWhen })).not.toThrow();
      expect(() => read(body, { conversationId, finishedWhen: 'always' })).not.toThrow();
    }),
    { numRuns: 500 },
  );
});

describe('a look-up', () => {
  const NOW = Date.parse('2026-08-01T12:00:00Z');
  const at = (minutes: number) => new Date(NOW - minutes * MINUTE_MS).toISOString();
  const looksUp: Connection = {
    crm: 'made-up',
    project: 'support-uk',
    verify: { scheme: 'standard-webhooks' },
    lookUp: 'sharedId',
  };
  const readings = (all: Partial<Reading>[], connection: Partial<Connection> = {}, headers = {}) => {
    const crm = { read: () => all.map((each) => ({ finished: true, crmRef: '7', ...each })) };
    return readReasons(crm, { ...looksUp, ...connection }, { body: {}, headers, query: {} }, NOW);
  };

  it.each<[Partial<Reading>, Partial<Connection>, boolean]>([
    [{}, {}, false],
    [{ provesChange: false }, {}, false],
    [{ provesChange: true }, {}, true],
    [{ finishedAt: at(5) }, {}, true],
    [{ finishedAt: at(5.1) }, {}, false],
    [{ finishedAt: at(-5.1) }, {}, false],
    [{ finishedAt: 'just now' }, {}, false],
    [{ provesChange: true }, { finishedWhen: 'always' }, false],
    [{}, { finishedWhen: 'always', repeatedFinish: 'allow' }, true],
    [{}, { repeatedFinish: 'allow' }, true],
    [{ finished: false, provesChange: true }, { repeatedFinish: 'allow' }, false],
  ])('needs an event that proves the change to finished: %j with %j', (reading, connection, isTaken) => {
    const { closes, ignored } = readings([reading], connection);
    expect(closes).toHaveLength(isTaken ? 1 : 0);
    expect(ignored).toEqual(isTaken ? [] : ['not_finished']);
  });

  it('needs proof of the change, but a close by conversation id does not', () => {
    const { lookUp: _none, ...own } = looksUp;
    const crm = { read: () => [{ finished: true, conversationId: 'c', happenedAt: at(3) }] };
    expect(readReasons(crm, own, { body: {}, headers: {}, query: {} }, NOW)).toEqual({
      closes: [{ conversationId: 'c' }],
      ignored: [],
    });
  });

  it('has the earliest time that the event or its signature gives', () => {
    const proof = { provesChange: true };
    const signed = { 'webhook-timestamp': `${(NOW - 4 * MINUTE_MS) / 1000}` };
    const timeOf = (reading: object, headers = {}) =>
      readings([{ ...proof, ...reading }], {}, headers).happenedAt;
    expect(timeOf({})).toBeUndefined();
    expect(timeOf({ happenedAt: at(3) })).toBe(at(3));
    expect(timeOf({ happenedAt: at(3) }, signed)).toBe(at(4));
    expect(timeOf({ happenedAt: at(20), finishedAt: at(3) }, signed)).toBe(at(20));
  });

  it('of a batch has the time of its own event, and of a repeated ticket the latest one', () => {
    const proof = { provesChange: true };
    const { closes, happenedAt } = readings([
      { ...proof, crmRef: '7', happenedAt: at(1) },
      { ...proof, crmRef: '7', happenedAt: at(60) },
      { ...proof, crmRef: '8', happenedAt: at(30) },
    ]);
    expect(closes).toEqual([
      { crmRef: '7', sharedId: '7', happenedAt: at(1) },
      { crmRef: '8', sharedId: '8', happenedAt: at(30) },
    ]);
    expect(happenedAt).toBe(at(30));
  });

  it('counts as received when its event happened, but never in the future', () => {
    const [late = {}, early = {}, timeless = {}] = [at(30), at(-30), undefined].map((happenedAt) => ({
      sharedId: '7',
      ...(happenedAt && { happenedAt }),
    }));
    expect(toRequestFields(late, NOW)).toEqual({ sharedId: '7', receivedAt: at(30) });
    expect(toRequestFields(early, NOW)).toEqual({ sharedId: '7', receivedAt: at(0) });
    expect(toRequestFields(timeless, NOW)).toEqual({ sharedId: '7', receivedAt: at(0) });
  });
});

describe('what is ignored', () => {
  const ignoredOf = (reading: Reading, own: Partial<Connection> = {}, body: unknown = {}) => {
    const { conversationId: _, finishedWhen: __, ...connection } = CONNECTION;
    const crm: Pick<Crm, 'read'> = { read: () => [reading] };
    return readDelivery(crm, { ...connection, ...own }, { body, headers: {}, query: {} }).ignored;
  };
  const open = { finished: false, conversationId: 'c1', crmRef: 7, sharedId: 'AAA-7' } as const;

  it('has the ids that were read, so that its ticket can be found', () => {
    expect(ignoredOf(open)).toEqual([{ reason: 'not_finished', conversationId: 'c1', crmRef: '7' }]);
  });

  it('has the id that the connection’s own selector gives', () => {
    expect(ignoredOf(open, { conversationId: 'body.own' }, { own: 'c2' })).toEqual([
      { reason: 'not_finished', conversationId: 'c2', crmRef: '7' },
    ]);
  });

  it('has the shared id where ids are looked up', () => {
    const expected = { reason: 'not_finished', crmRef: '7' };
    expect(ignoredOf(open, { lookUp: 'sharedId' })).toEqual([{ ...expected, sharedId: 'AAA-7' }]);
    // It is finished, but nothing proves that it was not finished before.
    const again = { ...open, finished: true };
    expect(ignoredOf(again, { lookUp: 'sharedId' })).toEqual([{ ...expected, sharedId: 'AAA-7' }]);
  });

  it('has the first usable id of several', () => {
    expect(ignoredOf({ ...open, conversationId: ['a b', 'c2', 'c3'] })).toEqual([
      { reason: 'not_finished', conversationId: 'c2', crmRef: '7' },
    ]);
  });

  it.each<[unknown, string]>([
    [undefined, 'no_conversation_id'],
    ['None', 'no_conversation_id'],
    ['two words', 'unusable_conversation_id'],
    [{ id: 'c1' }, 'unusable_conversation_id'],
  ])('has no conversation id if it is %j, and never an unusable one', (conversationId, reason) => {
    expect(ignoredOf({ ...open, finished: true, conversationId })).toEqual([{ reason, crmRef: '7' }]);
    expect(ignoredOf({ ...open, conversationId })).toEqual([{ reason: 'not_finished', crmRef: '7' }]);
  });

  it('has no reference that is not usable as an id', () => {
    expect(ignoredOf({ finished: 'test_event', crmRef: { id: 7 } })).toEqual([{ reason: 'test_event' }]);
  });
});
