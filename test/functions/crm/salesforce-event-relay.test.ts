import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import salesforce from '../../../functions/crm/salesforce-event-relay.ts';
import { patternOf } from '../../../infra/config/bus.ts';
import { fixtureNames, readFixture } from '../../../samples/fixture.ts';

const connection = (settings: Partial<Connection> = {}): Connection => ({
  crm: 'salesforce-event-relay',
  project: 'support',
  verify: { scheme: 'event-bus' },
  ...settings,
});

function read(body: unknown, settings?: Partial<Connection>) {
  return salesforce.read({ body, headers: {}, query: {} }, connection(settings))[0];
}

/** A change of a case, as Event Relay sends it. */
function changed(changedFields: unknown, payload: Record<string, unknown> = {}) {
  return {
    'detail-type': 'CaseChangeEvent',
    detail: {
      payload: { ChangeEventHeader: { changedFields, recordIds: ['500'] }, Status: 'Closed', ...payload },
    },
  };
}

describe('a change of a case', () => {
  it('is finished only if the status itself has changed', () => {
    expect(read(changed(['Status']))).toMatchObject({ finished: true, crmRef: '500' });
    for (const fields of [[], ['Description'], ['Status__c'], 'Status', { Status: true }, undefined, null]) {
      expect(read(changed(fields))).toMatchObject({ finished: false });
    }
  });

  it.each([
    ['closed', true],
    ['CLOSED', true],
    ['Closed ', false],
    ['Not Closed', false],
    ['', false],
    [undefined, false],
    [['Closed'], false],
    [{ value: 'Closed' }, false],
  ])('to the status %j is finished: %s', (Status, finished) => {
    expect(read(changed(['Status'], { Status }))).toMatchObject({ finished });
  });

  it('proves a change only if one status means finished', () => {
    expect(read(changed(['Status']))).toMatchObject({ provesChange: true });
    const several = { finishedValues: ['Closed', 'Solved'] };
    expect(read(changed(['Status']), several)).toMatchObject({ finished: true, provesChange: false });
    expect(read(changed(['Description']))).toMatchObject({ provesChange: false });
  });

  it('is finished in the statuses that the connection lists, and in no other', () => {
    const settings = { finishedValues: ['Gelöst'] };
    expect(read(changed(['Status'], { Status: 'gelöst' }), settings)).toMatchObject({ finished: true });
    expect(read(changed(['Status']), settings)).toMatchObject({ finished: false });
  });
});

describe('the platform event', () => {
  const event = (payload: Record<string, unknown>) => ({
    'detail-type': 'PolyAI_Chat_Finished__e',
    detail: { payload },
  });

  it.each([
    [undefined, undefined, true],
    [null, undefined, true],
    ['', undefined, true],
    ['Closed', undefined, true],
    ['Working', undefined, false],
    [{}, undefined, false],
    ['Resolved', ['Resolved'], true],
    ['Closed', ['Resolved'], false],
    [undefined, ['Resolved'], false],
  ])('with the status %j and finishedValues %j is finished: %s', (Status__c, finishedValues, finished) => {
    const settings = finishedValues ? { finishedValues } : {};
    expect(read(event({ Status__c }), settings)).toMatchObject({ finished });
  });

  it('may have the id in a field with the name of the case’s field', () => {
    expect(read(event({ PolyAI_Conversation_Id__c: 'c' }))).toMatchObject({ conversationId: 'c' });
    expect(read(event({ Conversation_Id__c: 'a', PolyAI_Conversation_Id__c: 'c' }))).toMatchObject({
      conversationId: 'a',
    });
  });
});

describe('the rule', () => {
  const names = fixtureNames('salesforce-event-relay').filter((name) => name.startsWith('finished'));

  it.each(names)('matches a finished event of its own organisation only: %s', (name) => {
    const { connection: settings = {}, body } = readFixture('salesforce-event-relay', name);
    const event = body as Record<string, string>;
    const pattern = patternOf('salesforce-event-relay', settings);
    expect(pattern.source).toEqual([event.source]);
    expect(pattern['detail-type']).toContain(event['detail-type']);
  });
});

describe('any other event', () => {
  it('is not finished', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (type, detail) => {
        fc.pre(!['PolyAI_Chat_Finished__e', 'CaseChangeEvent'].includes(type));
        expect(read({ 'detail-type': type, detail })).toEqual({ finished: false });
      }),
    );
  });
});
