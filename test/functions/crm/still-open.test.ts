import { describe, expect, it } from 'vitest';
import type { Crm } from '../../../functions/crm/crm.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { connectionOf } from '../../support/crm.ts';

// A sender that has decided may still say that a record is open, if it was opened again before it was sent.

const FRONT = (status: string) => ({ type: 'archive', conversation: { id: 'cnv_1', status } });
const IMAGE = (state: number) => ({
  MessageName: 'CloseIncident',
  PrimaryEntityName: 'incident',
  PostEntityImages: [
    { key: 'PostImage', value: { Attributes: [{ key: 'statecode', value: { Value: state } }] } },
  ],
});
const CHANGE = (IsClosed: boolean) => ({
  'detail-type': 'CaseChangeEvent',
  detail: { payload: { ChangeEventHeader: { changedFields: ['Status'] }, Status: 'Closed', IsClosed } },
});
const RECORD = (IsClosed: string) => ({ Notification: { sObject: { Id: '500', IsClosed } } });
/** Settings that a connection must have. */
const SETTINGS: Record<string, Record<string, unknown>> = {
  'salesforce-outbound-message': { sender: '00D000000000001' },
  'salesforce-event-relay': { bus: 'aws.partner/salesforce.com/1/2' },
};
const TOPIC = (topic: string, item: object) => ({ topic, data: { item } });

function finished(crm: string, body: unknown, settings: Record<string, unknown> = {}): unknown {
  const connection = toConnection(connectionOf(crm, { ...SETTINGS[crm], ...settings }));
  const content = { body, headers: {}, query: {} };
  return (CRMS[crm] as Crm).read(content, connection)[0]?.finished;
}

describe('an event that decides', () => {
  it.each<[string, unknown, unknown]>([
    ['salesforce-outbound-message', RECORD('false'), RECORD('true')],
    ['salesforce-event-relay', CHANGE(false), CHANGE(true)],
    ['salesforce', { event: 'case.closed', is_closed: false }, { event: 'case.closed', is_closed: true }],
    ['salesforce', { event: 'case.closed', is_closed: 'false' }, { event: 'case.closed' }],
    ['zendesk', { ticket_id: 1, status: 'Open' }, { ticket_id: 1, status: 'Pending' }],
    ['zendesk', { ticket_id: 1, status: 'new' }, { ticket_id: 1 }],
    ['genesys', { status: 'connected' }, { status: 'disconnected' }],
    ['jira', { event: 'issue.done', status: 'In Progress' }, { event: 'issue.done', status: 'Shipped' }],
    ['jira', { event: 'issue.done', status_category: 'new' }, { event: 'issue.done' }],
    ['front', FRONT('unassigned'), FRONT('archived')],
    ['dynamics', IMAGE(0), IMAGE(1)],
    [
      'intercom',
      TOPIC('conversation.admin.closed', { state: 'open' }),
      TOPIC('conversation.admin.closed', { state: 'closed' }),
    ],
    [
      'intercom',
      TOPIC('ticket.resolved', { ticket_state: { category: 'in_progress' } }),
      TOPIC('ticket.resolved', { ticket_state: { category: 'resolved' } }),
    ],
  ])('is not finished if its record says that it is open: %s %j', (crm, open, over) => {
    expect(finished(crm, open)).toBe(false);
    expect(finished(crm, over)).toBe(true);
  });

  it('is finished in the statuses that the connection lists, open or not', () => {
    expect(finished('zendesk', { status: 'Open' }, { finishedValues: ['open'] })).toBe(true);
    expect(finished('salesforce', { status: 'Done', is_closed: false }, { finishedValues: ['done'] })).toBe(
      true,
    );
  });
});
