import { valueAt } from '../json.ts';
import { type Crm, echo, isOneOf, LOOK_UP, namesConversationId, USUAL } from './crm.ts';

/** The event of an application's webhook, the event of a rule's webhook, and the state of a ticket. */
const FINISHED = ['conversation_archived', 'archive', 'resolved'];
/** The events that prove a change. A ticket has several states that mean resolved, and its event omits the old one. */
const ARCHIVED = ['conversation_archived', 'archive'];
/** Statuses of a conversation that was opened again before the event was sent. */
const OPEN = ['assigned', 'unassigned'];
const TICKET_STATUS = 'ticket_status_update';

/**
 * Front, with both kinds of its webhooks. An application's webhook wraps the event in `payload` and signs it with
 * its time. A rule's webhook is the event itself, signed with SHA-1 over the body alone; the connection's `verify`
 * must say so.
 *
 * @see https://dev.frontapp.com/docs/application-webhooks
 * @see https://dev.frontapp.com/docs/rule-webhooks
 */
const front: Crm = {
  verify: {
    scheme: 'hmac',
    header: 'x-front-signature',
    algorithm: 'sha256',
    encoding: 'base64',
    signed: '{timestamp}:{body}',
    timestampHeader: 'x-front-request-timestamp',
    timestampUnit: 'ms',
    toleranceSeconds: 300,
  },
  schemes: ['hmac'],
  answerWithinMs: 5000,
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP, 'verify'],
  requires: [],
  provesChange: ({ finishedValues = FINISHED }) => finishedValues.some((each) => isOneOf(ARCHIVED, each)),
  confirm: ({ headers }) => echo(headers['x-front-challenge'] ?? ''),
  read({ body }, { finishedValues = FINISHED }) {
    const event = valueAt(body, 'payload') ?? body;
    const conversation = valueAt(event, 'conversation');
    const types = [valueAt(body, 'type'), valueAt(event, 'type')];
    // Any event may show a ticket's state. Only this one says that the state has changed.
    const states = types.includes(TICKET_STATUS) ? [valueAt(conversation, 'status_category')] : [];
    const isArchived = types.some((type) => isOneOf(ARCHIVED, type));
    const isOpen = isArchived && isOneOf(OPEN, valueAt(conversation, 'status'));
    return [
      {
        finished: !isOpen && [...types, ...states].some((each) => isOneOf(finishedValues, each)),
        provesChange: isArchived,
        happenedAt: valueAt(event, 'emitted_at'),
        conversationId: customField(valueAt(conversation, 'custom_fields')),
        crmRef: valueAt(conversation, 'id'),
        deliveryId: valueAt(event, 'id'),
      },
    ];
  },
};

export default front;

function customField(fields: unknown): unknown {
  return Object.entries(fields ?? {}).find(([name]) => namesConversationId(name))?.[1];
}
