import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, USUAL_ANSWER_MS, uuidForm } from './crm.ts';

const CLOSED = 'CONVERSATION_CLOSED';
const FINISHED = [CLOSED, 'CONVERSATION_ABANDONED'];
/** The status of a conversation that was opened again before the event was sent. */
const OPEN = ['OPEN'];

/**
 * Dixa: a webhook on conversations. Its signature covers the time and the body, both in one header, and its key is
 * decoded from hexadecimal. The captured event has none of a customer's own fields.
 *
 * @see https://docs.dixa.io/docs/webhooks/webhooks-security
 */
const dixa: Crm = {
  verify: {
    scheme: 'hmac',
    header: 'x-dixa-signature',
    signatureParameter: 'v1',
    timestampParameter: 't',
    algorithm: 'sha256',
    encoding: 'hex',
    keyEncoding: 'hex',
    signed: '{timestamp}.{body}',
    timestampUnit: 'ms',
    toleranceSeconds: 300,
  },
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP, 'sender'],
  requires: [],
  requiresOneOf: ['lookUp', 'conversationId'],
  senderForm: uuidForm('the organisation’s id (organization.id in the events)'),
  provesChange: ({ finishedValues = FINISHED }) => singleFinish(finishedValues) !== undefined,
  isFrom: (sender, { body }) => valueAt(body, 'organization', 'id') === sender,
  read({ body }, { finishedValues = FINISHED }) {
    const event = valueAt(body, 'event_fqn');
    const conversation = valueAt(body, 'data', 'conversation');
    const isOpen = isOneOf([CLOSED], event) && isOneOf(OPEN, valueAt(conversation, 'status'));
    return [
      {
        finished: !isOpen && isOneOf(finishedValues, event),
        provesChange: isOneOf([singleFinish(finishedValues) ?? ''], event),
        happenedAt: valueAt(body, 'event_timestamp'),
        crmRef: valueAt(conversation, 'csid'),
        deliveryId: valueAt(body, 'event_id'),
      },
    ];
  },
};

export default dixa;

/** The event that a conversation sends once until it is opened again. It may send both: abandoned, and later closed. */
function singleFinish(finishedValues: readonly string[]): string | undefined {
  return FINISHED.find((each) => isOneOf(finishedValues, each));
}
