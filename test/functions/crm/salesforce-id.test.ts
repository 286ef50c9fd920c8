import { describe, expect, it } from 'vitest';
import type { Crm } from '../../../functions/crm/crm.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import { toLongId } from '../../../functions/crm/salesforce-id.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { connectionOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';

const LOOK_UP = { lookUp: 'sharedId', repeatedFinish: 'allow' };
const SHORT = '5003000000D8cuI';
const LONG = '5003000000D8cuIAAR';

describe('a Salesforce id', () => {
  it.each([
    // Salesforce's own examples.
    [SHORT, LONG],
    ['001A0000006Vm9r', '001A0000006Vm9rIAC'],
    ['00D000000000001', '00D000000000001EAA'],
    [` ${SHORT} `, LONG],
  ])('%j has the long form %j', (short, long) => {
    expect(toLongId(short)).toBe(long);
  });

  it.each([LONG, `${SHORT}-1`, '00001234', 'INC-1', '', 7, 123456789012345, null, undefined])(
    'is returned unchanged if it is not a short id: %j',
    (id) => {
      expect(toLongId(id)).toBe(id);
    },
  );
});

describe.each([
  ['salesforce', {}, { status: 'Closed', case_id: SHORT }],
  ['salesforce', {}, { status: 'Ended', case_id: '', messaging_session_id: SHORT }],
  [
    'salesforce-outbound-message',
    { sender: '00D000000000001' },
    { Notification: { sObject: { Id: SHORT } } },
  ],
  [
    'salesforce-event-relay',
    { bus: 'aws.partner/salesforce.com/a/b' },
    { 'detail-type': 'PolyAI_Chat_Finished__e', detail: { payload: { Case_Id__c: SHORT } } },
  ],
  [
    'salesforce-event-relay',
    { bus: 'aws.partner/salesforce.com/a/b' },
    {
      'detail-type': 'CaseChangeEvent',
      detail: {
        payload: { ChangeEventHeader: { changedFields: ['Status'], recordIds: [SHORT] }, Status: 'Closed' },
      },
    },
  ],
])('a record of %s', (name, settings, body) => {
  it('is looked up in the long form and logged as it was sent', () => {
    const connection = toConnection(connectionOf(name, { ...settings, ...LOOK_UP }));
    const content = { body, headers: {}, query: {} };
    const { closes } = readReasons(CRMS[name] as Crm, connection, content);
    expect(closes).toEqual([{ crmRef: SHORT, sharedId: LONG }]);
  });
});
