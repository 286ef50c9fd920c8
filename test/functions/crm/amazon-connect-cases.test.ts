import { describe, expect, it } from 'vitest';
import cases from '../../../functions/crm/amazon-connect-cases.ts';
import { patternOf } from '../../../infra/config/bus.ts';
import { fixtureNames, readFixture } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';

const FIELD = 'b6c59e6c-4c2a-4b0a-9f2e-0d8f3c1f7a55';
const DOMAIN = '6d1f8e0c-3f0a-4d57-8f4b-1c2d3e4f5a6b';
const ARN = `arn:aws:cases:eu-west-2:111122223333:domain/${DOMAIN}`;

type Change = { status?: unknown; eventType?: unknown; changed?: unknown; finishedValues?: string[] };

function read({
  status = 'closed',
  eventType = 'CASE.UPDATED',
  changed = ['status'],
  finishedValues,
}: Change) {
  const fields = { status: { value: { stringValue: status } } };
  const body = { detail: { eventType, changedFieldIds: changed, case: { caseId: 'case-1', fields } } };
  const connection = {
    crm: 'amazon-connect-cases',
    project: 'support',
    verify: { scheme: 'event-bus' as const },
    ...(finishedValues && { finishedValues }),
  };
  return cases.read({ body, headers: {}, query: {} }, connection)[0];
}

describe('a case', () => {
  it.each(['closed', 'Closed', 'CLOSED'])('is finished when its status turns to %s', (status) => {
    expect(read({ status })).toMatchObject({ finished: true, provesChange: true, crmRef: 'case-1' });
  });

  it.each<[string, Change]>([
    ['another status', { status: 'open' }],
    ['no status', { status: null }],
    ['a status that is not text', { status: ['closed'] }],
    ['another event type', { eventType: 'CASE.CREATED' }],
    ['the event type in lower case', { eventType: 'case.updated' }],
    ['no event type', { eventType: null }],
    ['changed fields without the status', { changed: ['case_reason'] }],
    ['changed fields that are one text', { changed: 'status' }],
    ['no changed fields', { changed: null }],
    ['a status that the connection does not list', { finishedValues: ['resolved'] }],
  ])('is not finished with %s', (_what, change) => {
    expect(read(change)).toMatchObject({ finished: false });
  });

  it('does not prove a change to finished if several statuses mean finished', () => {
    expect(read({ finishedValues: ['closed', 'resolved'] })).toMatchObject({
      finished: true,
      provesChange: false,
    });
  });
});

describe('the rule', () => {
  it('lets only changes of the status in its own domain through', () => {
    const pattern = {
      source: ['aws.cases'],
      'detail-type': ['Amazon Connect Cases Change'],
      resources: [{ suffix: `:domain/${DOMAIN}` }],
      detail: { eventType: ['CASE.UPDATED'], changedFieldIds: ['status'] },
    };
    for (const sender of [ARN, DOMAIN]) {
      expect(patternOf('amazon-connect-cases', { field: FIELD, sender })).toEqual(pattern);
    }
  });

  it('lets everything of every domain through if the connection decides by itself', () => {
    expect(patternOf('amazon-connect-cases', { field: FIELD, finishedWhen: 'always' })).toEqual({
      source: ['aws.cases'],
      'detail-type': ['Amazon Connect Cases Change'],
    });
  });

  it.each(fixtureNames('amazon-connect-cases').filter((name) => name.startsWith('finished')))(
    'demands of a finished event what it has: %s',
    (name) => {
      const { connection = {}, body } = readFixture('amazon-connect-cases', name);
      const event = body as { source: string; resources: [string, string] };
      const pattern = patternOf('amazon-connect-cases', connection);
      expect(pattern.source).toEqual([event.source]);
      const [{ suffix } = { suffix: '' }] = (pattern.resources ?? []) as { suffix: string }[];
      expect(event.resources[0].endsWith(suffix)).toBe(true);
    },
  );
});

describe('the configuration', () => {
  it.each([
    ['the field', { field: FIELD }],
    ['the field and the ARN of a domain', { field: FIELD, sender: ARN }],
    ['a selector', { conversationId: 'detail.case.fields.reference_number.value.stringValue' }],
    ['the look-up', { lookUp: 'sharedId' }],
    ['another bus', { field: FIELD, bus: 'connect', sender: ARN }],
  ])('accepts %s', (_what, settings) => {
    expect(faultsOf('amazon-connect-cases', settings)).toEqual([]);
  });

  it('has the default bus if the connection names none', () => {
    expect(connectionOf('amazon-connect-cases', { field: FIELD }).bus).toBe('default');
    expect(connectionOf('amazon-connect-cases', { field: FIELD, bus: 'connect' }).bus).toBe('connect');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['nothing that gives the id', {}, 'connections.c needs field or conversationId or lookUp'],
    ['the field beside a look-up', { field: FIELD, lookUp: 'sharedId' }, 'connections.c.field has no effect'],
    [
      'the field beside a selector',
      { field: FIELD, conversationId: 'detail.id' },
      'connections.c.field has no effect',
    ],
    ['a field that is a number', { field: 7 }, 'connections.c.field'],
    [
      'an instance as the sender',
      { field: FIELD, sender: 'arn:aws:connect:eu-west-2:111122223333:instance/1' },
      'connections.c.sender',
    ],
    ['a case as the sender', { field: FIELD, sender: `${ARN}/case/1` }, 'connections.c.sender'],
    [
      'a look-up with several statuses',
      { lookUp: 'sharedId', finishedValues: ['closed', 'resolved'] },
      'connections.c.lookUp is not safe',
    ],
    [
      'an address',
      { field: FIELD, publicUrl: 'https://hooks.acme.example/' },
      'connections.c.publicUrl does not apply',
    ],
  ])('is a fault with %s', (_what, settings, fault) => {
    const faults = faultsOf('amazon-connect-cases', settings).map(
      ({ path, problem }) => `${path} ${problem}`,
    );
    expect(faults).toEqual([expect.stringContaining(fault)]);
  });
});
