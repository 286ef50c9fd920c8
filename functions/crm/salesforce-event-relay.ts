import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, type Reading } from './crm.ts';
import { toLongId } from './salesforce-id.ts';

const FINISHED_EVENT = 'PolyAI_Chat_Finished__e';
const CASE_CHANGED = 'CaseChangeEvent';
const FINISHED = ['Closed'];
/** The status of a messaging session, which the same platform event may report. */
const ENDED = 'Ended';
const ID_OF_CASE = 'PolyAI_Conversation_Id__c';

/**
 * Salesforce's Event Relay: a platform event that a flow publishes, or change events of cases, which are enriched
 * with the id's field. AppFlow's older events, which have no `payload`, are read too.
 *
 * @see https://developer.salesforce.com/docs/platform/event-relay/guide/event-relay-config.html
 * @see https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_enrich_intro.htm
 */
const salesforceEventRelay: Crm = {
  bus: {
    sourcePrefixes: ['aws.partner/salesforce.com/', 'aws.partner/appflow/salesforce.com/'],
    detailTypes: [FINISHED_EVENT, CASE_CHANGED],
  },
  verify: { scheme: 'event-bus' },
  vendorIssuesSecret: false,
  takes: [
    'bus',
    'source',
    'conversationId',
    'finishedWhen',
    'finishedValues',
    'lookUp',
    'sharedId',
    'repeatedFinish',
  ],
  requires: ['bus'],
  // A change event does not have the previous status. A case that turns to the only finished one had another.
  provesChange: ({ finishedValues = FINISHED }) => finishedValues.length === 1,
  read({ body }, { finishedValues }) {
    const payload = valueAt(body, 'detail', 'payload') ?? valueAt(body, 'detail');
    switch (valueAt(body, 'detail-type')) {
      case FINISHED_EVENT:
        return [readFinished(payload, finishedValues)];
      case CASE_CHANGED:
        return [readChange(payload, finishedValues ?? FINISHED)];
      default:
        return [{ finished: false }];
    }
  },
};

export default salesforceEventRelay;

/** Reads the platform event. The flow has decided, unless the event has a status or the connection lists some. */
function readFinished(payload: unknown, finishedValues?: readonly string[]): Reading {
  const status = valueAt(payload, 'Status__c') ?? '';
  return {
    finished:
      status === '' && !finishedValues ? true : isOneOf(finishedValues ?? [...FINISHED, ENDED], status),
    conversationId: firstGiven(valueAt(payload, 'Conversation_Id__c'), valueAt(payload, ID_OF_CASE)),
    crmRef: valueAt(payload, 'Case_Id__c'),
    finishedAt: valueAt(payload, 'Closed_At__c'),
    happenedAt: valueAt(payload, 'CreatedDate'),
    sharedId: toLongId(valueAt(payload, 'Case_Id__c')),
  };
}

/** Reads a change event. It repeats the id at every later edit of a closed case, so the status must have changed. */
function readChange(payload: unknown, finishedValues: readonly string[]): Reading {
  const changed = valueAt(payload, 'ChangeEventHeader', 'changedFields');
  const hasTurned = Array.isArray(changed) && changed.includes('Status');
  const cases = valueAt(payload, 'ChangeEventHeader', 'recordIds');
  const isOpen = finishedValues === FINISHED && valueAt(payload, 'IsClosed') === false;
  return {
    finished: hasTurned && !isOpen && isOneOf(finishedValues, valueAt(payload, 'Status')),
    provesChange: hasTurned && finishedValues.length === 1,
    happenedAt: valueAt(payload, 'ChangeEventHeader', 'commitTimestamp'),
    conversationId: valueAt(payload, ID_OF_CASE),
    // Salesforce sends one event if several cases change in the same way.
    crmRef: Array.isArray(cases) && cases.length === 1 ? cases[0] : cases,
    sharedId: Array.isArray(cases) ? cases.map(toLongId) : cases,
  };
}
