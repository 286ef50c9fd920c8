import { describe, expect, it } from 'vitest';
import { ConfigurationError, type Fault } from '../../../infra/config/load.ts';
import { configurationOf, SMALLEST } from '../../support/configuration.ts';

const GENESYS = 'aws.partner/genesys.com/cloud/32aa07aa-db1b-4987-abd0-9483601ec29d/chat-closer';

const desk = {
  crm: 'eventbridge',
  polyai: 'support',
  bus: 'orders',
  eventPattern: { source: ['acme.desk'], account: ['111122223333'] },
  conversationId: 'detail.chat.id',
};
const genesys = { crm: 'genesys-eventbridge', polyai: 'support', bus: GENESYS, lookUp: 'sharedId' };
const salesforce = {
  crm: 'salesforce-event-relay',
  polyai: 'support',
  bus: 'aws.partner/salesforce.com/00D000000000001EAA/0YL000000000001AAA',
};

function faultsOf(connection: Record<string, unknown>): Fault[] {
  try {
    configurationOf({ ...SMALLEST, connections: { c: connection } });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
}

function without(connection: Record<string, unknown>, key: string) {
  const { [key]: _gone, ...rest } = connection;
  return rest;
}

describe('a connection on a bus', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a custom bus', desk],
    [
      'with a look-up',
      {
        ...without(desk, 'conversationId'),
        lookUp: 'sharedId',
        sharedId: 'detail.ticket',
        repeatedFinish: 'allow',
      },
    ],
    [
      'with a condition',
      { ...desk, finishedWhen: "detail.status == 'closed' && \"detail-type\" == 'Ticket'" },
    ],
    [
      'with a pattern of many kinds',
      {
        ...desk,
        eventPattern: {
          source: [{ prefix: 'acme.' }],
          account: ['111122223333', '444455556666'],
          $or: [{ detail: { a: ['b'] } }, { detail: { c: [{ exists: false }] } }],
        },
      },
    ],
    ['by ARN', { ...desk, bus: 'arn:aws:events:eu-west-1:111122223333:event-bus/orders' }],
    ['Genesys', genesys],
    ['Genesys by ARN', { ...genesys, bus: `arn:aws:events:eu-west-1:111122223333:event-bus/${GENESYS}` }],
    ['Genesys on a bus of another name', { ...genesys, bus: 'forwarded', source: GENESYS }],
    ['Salesforce', salesforce],
    [
      'Salesforce by AppFlow',
      { ...salesforce, bus: 'aws.partner/appflow/salesforce.com/111122223333/cases' },
    ],
  ])('is accepted: %s', (_, connection) => {
    expect(faultsOf(connection)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string, RegExp, RegExp]>([
    ['no bus', without(desk, 'bus'), 'bus', /is missing/, /requires it/],
    ['no pattern', without(desk, 'eventPattern'), 'eventPattern', /is missing/, /requires it/],
    [
      'no id',
      without(desk, 'conversationId'),
      '',
      /needs conversationId or sharedId/,
      /docs\/crm\/eventbridge\.md/,
    ],
    ['an invalid bus', { ...desk, bus: 'my bus' }, 'bus', /neither the name nor the ARN/, /name or the ARN/],
    [
      'a pattern without a source',
      { ...desk, eventPattern: { account: ['111122223333'] } },
      'eventPattern.source',
      /does not name the source/,
      /"source": \["your\.application"\]/,
    ],
    [
      'a pattern without an account',
      { ...desk, eventPattern: { source: ['acme.desk'] } },
      'eventPattern.account',
      /does not name the account/,
      /"account": \["111122223333"\]/,
    ],
    [
      'a pattern that matches any source',
      { ...desk, eventPattern: { ...desk.eventPattern, source: [{ exists: true }] } },
      'eventPattern.source',
      /does not name/,
      /List it/,
    ],
    [
      'a pattern with an empty prefix of the source',
      { ...desk, eventPattern: { ...desk.eventPattern, source: [{ prefix: '' }] } },
      'eventPattern.source',
      /does not name/,
      /List it/,
    ],
    [
      'a pattern with anything-but for the account',
      { ...desk, eventPattern: { ...desk.eventPattern, account: [{ 'anything-but': ['1'] }] } },
      'eventPattern.account',
      /does not name/,
      /List it/,
    ],
    [
      'a pattern with a value that is not a list',
      { ...desk, eventPattern: { ...desk.eventPattern, detail: { status: 'closed' } } },
      'eventPattern.detail.status',
      /is not a list/,
      /\["closed"\]/,
    ],
    [
      'a pattern that is not an object',
      { ...desk, eventPattern: 'any' },
      'eventPattern',
      /is a string/,
      /EventBridge pattern/,
    ],
    [
      'a webhook’s selector',
      { ...desk, conversationId: 'body.detail.id' },
      'conversationId',
      /like a webhook’s selector/,
      /detail/,
    ],
    [
      'a webhook’s condition',
      { ...desk, finishedWhen: "(headers.a == 'b')" },
      'finishedWhen',
      /like a webhook’s selector/,
      /detail/,
    ],
    [
      'a condition that is true for an empty event',
      { ...desk, finishedWhen: "detail.status != 'open'" },
      'finishedWhen',
      /empty delivery/,
      /always/,
    ],
    [
      'a shared id without a look-up',
      { ...desk, sharedId: 'detail.t' },
      'sharedId',
      /no effect without lookUp/,
      /Add "lookUp"/,
    ],
    [
      'verify',
      { ...desk, verify: { scheme: 'bearer' } },
      'verify',
      /does not apply to crm "eventbridge"/,
      /Remove it/,
    ],
    ['a secret', { ...desk, existingSecret: 'mine' }, 'existingSecret', /without a secret/, /Remove it/],
    [
      'a webhook’s setting',
      { ...desk, publicUrl: 'https://example.com' },
      'publicUrl',
      /does not apply to crm/,
      /This preset takes bus/,
    ],
    [
      'a source beside a pattern',
      { ...desk, source: 'acme.desk' },
      'source',
      /does not apply to crm/,
      /Remove it/,
    ],
    [
      'Genesys without an id',
      without(genesys, 'lookUp'),
      '',
      /needs lookUp or conversationId/,
      /genesys-eventbridge\.md/,
    ],
    [
      'a partner on a bus of another name',
      { ...genesys, bus: 'forwarded' },
      'source',
      /name of one of this partner’s sources/,
      /aws\.partner\/genesys\.com\/…/,
    ],
    [
      'a source that makes the pattern too long',
      { ...genesys, source: 'x'.repeat(2000) },
      'source',
      /has 2\d\d\d characters, but EventBridge allows 2048/,
      /as the events have it/,
    ],
    [
      'one partner on the bus of another',
      { ...salesforce, bus: GENESYS },
      'source',
      /name of one of this partner’s sources/,
      /aws\.partner\/salesforce\.com\/…/,
    ],
    [
      'a pattern for a partner',
      { ...genesys, eventPattern: desk.eventPattern },
      'eventPattern',
      /does not apply to crm/,
      /Remove it/,
    ],
  ])('is refused with one fault and its fix: %s', (_, connection, key, problem, fix) => {
    const path = ['connections.c', key].filter(Boolean).join('.');
    expect(faultsOf(connection)).toEqual([
      { path, problem: expect.stringMatching(problem), fix: expect.stringMatching(fix) },
    ]);
  });

  it('has all its faults reported at once', () => {
    const paths = faultsOf({ ...desk, eventPattern: {}, conversationId: 'body.id' }).map(({ path }) => path);
    expect(paths).toEqual([
      'connections.c.conversationId',
      'connections.c.eventPattern.account',
      'connections.c.eventPattern.source',
    ]);
  });
});

describe('a connection of a webhook', () => {
  it.each(['bus', 'source', 'eventPattern'])('is refused with the setting %s of a bus', (key) => {
    const value = key === 'eventPattern' ? desk.eventPattern : 'x';
    expect(faultsOf({ ...SMALLEST.connections['zendesk-support'], [key]: value })).toEqual([
      {
        path: `connections.c.${key}`,
        problem: expect.stringContaining('does not apply to crm'),
        fix: expect.anything(),
      },
    ]);
  });
});

describe('the pattern of a connection on a bus', () => {
  const withPattern = (own: Record<string, unknown>) => ({
    ...desk,
    eventPattern: { ...desk.eventPattern, ...own },
  });

  it.each<[string, Record<string, unknown>]>([
    ['values', { detail: { a: ['x', 1, true, null] } }],
    ['a prefix, a suffix', { detail: { a: [{ prefix: 'x' }, { suffix: { 'equals-ignore-case': 'y' } }] } }],
    ['any case', { detail: { a: [{ 'equals-ignore-case': 'Closed' }] } }],
    ['a wildcard', { detail: { a: [{ wildcard: 'chat-*-end' }] } }],
    ['a network', { detail: { ip: [{ cidr: '10.0.0.0/24' }] } }],
    ['presence', { detail: { a: [{ exists: false }] } }],
    ['numbers', { detail: { n: [{ numeric: ['>', 0, '<=', 5] }] } }],
    ['anything but', { detail: { a: [{ 'anything-but': ['x', 3] }], b: [{ 'anything-but': 'y' }] } }],
    ['anything but a prefix', { detail: { a: [{ 'anything-but': { prefix: ['x', 'y'] } }] } }],
    ['a choice', { $or: [{ detail: { a: ['x'] } }, { 'detail-type': ['b'] }] }],
  ])('may use %s', (_, own) => {
    expect(faultsOf(withPattern(own))).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string, RegExp, RegExp]>([
    ['a misspelt key', { detailType: ['x'] }, '.detailType', /is not a key of an event/, /"detail-type"/],
    ['a list for the detail', { detail: ['closed'] }, '.detail', /is not an object/, /its fields/],
    ['an empty list', { detail: { a: [] } }, '.detail.a', /is not a list/, /\["closed"\]/],
    ['an empty object', { detail: {} }, '.detail', /is not a list/, /\["closed"\]/],
    [
      'a list in a list',
      { detail: { a: [['x']] } },
      '.detail.a[0]',
      /neither a value nor an object with one operator/,
      /prefix/,
    ],
    [
      'an unknown operator',
      { detail: { a: ['x', { starts: 'y' }] } },
      '.detail.a[1]',
      /neither a value/,
      /prefix/,
    ],
    [
      'two operators',
      { detail: { a: [{ prefix: 'a', suffix: 'b' }] } },
      '.detail.a[0]',
      /an object with one operator/,
      /prefix/,
    ],
    [
      'an inherited name',
      { detail: { a: [{ toString: 'x' }] } },
      '.detail.a[0]',
      /neither a value/,
      /prefix/,
    ],
    [
      'an empty prefix',
      { detail: { a: [{ prefix: '' }] } },
      '.detail.a[0]',
      /"prefix" does not take/,
      /operators|patterns/,
    ],
    [
      'existence by text',
      { detail: { a: [{ exists: 'no' }] } },
      '.detail.a[0]',
      /"exists" does not take/,
      /form/,
    ],
    [
      'half a comparison',
      { detail: { n: [{ numeric: ['>', 0, '<'] }] } },
      '.detail.n[0]',
      /"numeric" does/,
      /form/,
    ],
    [
      'a number as text',
      { detail: { n: [{ numeric: ['>', '0'] }] } },
      '.detail.n[0]',
      /"numeric" does/,
      /form/,
    ],
    [
      'anything but nothing',
      { detail: { a: [{ 'anything-but': [] }] } },
      '.detail.a[0]',
      /"anything-but" does/,
      /form/,
    ],
    ['two stars', { detail: { a: [{ wildcard: 'a**b' }] } }, '.detail.a[0]', /"wildcard" does not/, /form/],
    ['one choice', { $or: [{ detail: { a: ['x'] } }] }, '.$or', /two or more patterns/, /two or more/],
    ['a choice of texts', { $or: ['a', 'b'] }, '.$or', /two or more patterns/, /two or more/],
    [
      'a faulty choice',
      { $or: [{ detail: { a: ['x'] } }, { detail: { b: 'y' } }] },
      '.$or[1].detail.b',
      /is not a list/,
      /\["closed"\]/,
    ],
  ])('is refused with %s', (_, own, below, problem, fix) => {
    expect(faultsOf(withPattern(own))).toEqual([
      {
        path: `connections.c.eventPattern${below}`,
        problem: expect.stringMatching(problem),
        fix: expect.stringMatching(fix),
      },
    ]);
  });

  it('may have 2,048 characters and no more', () => {
    const empty = JSON.stringify(withPattern({ detail: { a: [''] } }).eventPattern).length;
    const ofLength = (length: number) => withPattern({ detail: { a: ['x'.repeat(length - empty)] } });
    expect(faultsOf(ofLength(2048))).toEqual([]);
    expect(faultsOf(ofLength(2049))).toEqual([
      {
        path: 'connections.c.eventPattern',
        problem: 'has 2049 characters, but EventBridge allows 2048',
        fix: expect.stringContaining('several connections'),
      },
    ]);
  });
});
