import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, eventsOf, isOneOf, LOOK_UP, USUAL } from './crm.ts';
import { toLongId } from './salesforce-id.ts';

/** A case's status and the flow's word for it, and the same for a messaging session. */
const FINISHED = ['Closed', 'case.closed', 'Ended', 'messaging.ended'];
/** An id of 18 characters is the id of 15 and three more, which only say which letters are capitals. */
const ID_LENGTH = 15;

/**
 * Salesforce Service Cloud, with a flow that calls out. Salesforce itself does not sign: the Apex class on this
 * preset's page does, over a timestamp and the body. That class also defines the body: one case or messaging session,
 * or a list of them.
 *
 * @see https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_classes_restful_crypto.htm
 */
const salesforce: Crm = {
  verify: {
    scheme: 'hmac',
    header: 'x-adapter-signature',
    algorithm: 'sha256',
    encoding: 'hex',
    signed: '{timestamp}.{body}',
    timestampHeader: 'x-adapter-timestamp',
    timestampUnit: 's',
    toleranceSeconds: 300,
  },
  // The default of Apex. A flow waits longer.
  answerWithinMs: 10_000,
  vendorIssuesSecret: false,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP, 'verify', 'sender'],
  requires: [],
  senderForm: {
    pattern: /^00D[A-Za-z0-9]{12}([A-Z0-5]{3})?$/,
    fix: 'Write the 15 or 18 letters and digits of the organisation’s id, such as 00D000000000001',
  },
  provesChange: true,
  isFrom: (sender, { body }) =>
    eventsOf(body).every((event) => isSameId(sender, valueAt(event, 'organization_id'))),
  read: ({ body }, { finishedValues }) =>
    eventsOf(body).map((event) => {
      const record = firstGiven(valueAt(event, 'case_id'), valueAt(event, 'messaging_session_id'));
      return {
        finished:
          ['status', 'event'].some((key) => isOneOf(finishedValues ?? FINISHED, valueAt(event, key))) &&
          !(finishedValues === undefined && isOpen(event)),
        finishedAt: valueAt(event, 'closed_at'),
        conversationId: valueAt(event, 'polyai_conversation_id'),
        crmRef: record,
        sharedId: toLongId(record),
        event,
      };
    }),
};

export default salesforce;

/** Whether the case was opened again before the flow could send it. */
function isOpen(event: unknown): boolean {
  return isOneOf(['false'], String(valueAt(event, 'is_closed')));
}

function isSameId(one: string, other: unknown): boolean {
  return (
    typeof other === 'string' &&
    [one, other].every((id) => /^[A-Za-z0-9]{15}([A-Z0-5]{3})?$/.test(id)) &&
    one.slice(0, ID_LENGTH) === other.slice(0, ID_LENGTH)
  );
}
