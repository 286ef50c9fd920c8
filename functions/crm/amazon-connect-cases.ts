import { valueAt } from '../json.ts';
import { type Crm, isOneOf } from './crm.ts';

const CHANGED = 'Amazon Connect Cases Change';
const UPDATED = 'CASE.UPDATED';
const STATUS = 'status';
const FINISHED = ['closed'];

/**
 * Amazon Connect Cases: a case's status changes to closed. The event has the fields that
 * `PutCaseEventConfiguration` lists, as they are after the change. A custom field has a UUID instead of a name, so
 * the connection says which one holds the conversation id. A closed case is reported again at every later edit, so
 * the status must be among the changed fields.
 *
 * @see https://docs.aws.amazon.com/connect/latest/adminguide/case-event-streams.html
 * @see https://docs.aws.amazon.com/connect/latest/APIReference/API_connect-cases_PutCaseEventConfiguration.html
 */
const amazonConnectCases: Crm = {
  bus: {
    service: 'aws.cases',
    detailTypes: [CHANGED],
    narrow: ({ sender, finishedWhen }) => ({
      // The first resource is the domain. The second one, the case, has another end.
      ...(sender && { resources: [{ suffix: `:domain/${idOf(sender)}` }] }),
      ...(finishedWhen === undefined && {
        detail: { eventType: [UPDATED], changedFieldIds: [STATUS] },
      }),
    }),
  },
  verify: { scheme: 'event-bus' },
  vendorIssuesSecret: false,
  takes: [
    'bus',
    'source',
    'sender',
    'field',
    'conversationId',
    'finishedWhen',
    'finishedValues',
    'lookUp',
    'sharedId',
    'repeatedFinish',
  ],
  requires: [],
  requiresOneOf: ['field', 'conversationId', 'lookUp'],
  senderForm: {
    pattern: /^(arn:aws[a-z-]*:cases:[a-z0-9-]+:\d{12}:domain\/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    fix: 'Write the ARN or the id of the cases domain, such as arn:aws:cases:eu-west-2:111122223333:domain/…',
  },
  // An event does not have the previous status. A case that turns to the only finished one had another.
  provesChange: ({ finishedValues = FINISHED }) => finishedValues.length === 1,
  read({ body }, { finishedValues = FINISHED, field = '' }) {
    const detail = valueAt(body, 'detail');
    const changed = valueAt(detail, 'changedFieldIds');
    const hasTurned =
      valueAt(detail, 'eventType') === UPDATED && Array.isArray(changed) && changed.includes(STATUS);
    return [
      {
        finished: hasTurned && isOneOf(finishedValues, fieldOf(detail, STATUS)),
        provesChange: hasTurned && finishedValues.length === 1,
        happenedAt: valueAt(detail, 'approximateChangeTime'),
        conversationId: fieldOf(detail, field),
        crmRef: valueAt(detail, 'case', 'caseId'),
      },
    ];
  },
};

export default amazonConnectCases;

/** A text field's value. Every other type of field has its value under another key, and cannot hold an id. */
function fieldOf(detail: unknown, id: string): unknown {
  return valueAt(detail, 'case', 'fields', id, 'value', 'stringValue');
}

function idOf(arn: string): string {
  return arn.replace(/^.*\//, '');
}
