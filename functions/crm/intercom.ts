import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, overBody, USUAL } from './crm.ts';

const STATE_UPDATED = 'ticket.state.updated';
const CONVERSATION_CLOSED = 'conversation.admin.closed';
const FINISHED = [CONVERSATION_CLOSED, 'ticket.closed', 'ticket.resolved', STATE_UPDATED];
/** A ticket may send both, days apart. Only the first of these that counts as finished proves a change. */
const TICKET_ENDS = ['ticket.resolved', 'ticket.closed'];
const OPEN_CATEGORIES = ['submitted', 'in_progress', 'waiting_on_customer'];

/**
 * Intercom's app webhooks for conversations and tickets. They are signed with the app's client secret, which is the
 * same for every workspace that has installed the app. `sender` is the workspace whose events count.
 *
 * @see https://developers.intercom.com/docs/references/webhooks/webhook-models
 * @see https://developers.intercom.com/docs/webhooks/webhook-notifications
 */
const intercom: Crm = {
  verify: overBody({ header: 'x-hub-signature', algorithm: 'sha1', encoding: 'hex', prefix: 'sha1=' }),
  // Intercom gives up after five seconds, and asks for half a second.
  answerWithinMs: 500,
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP, 'sender'],
  requires: [],
  senderForm: {
    pattern: /^[a-z0-9]{6,12}$/,
    fix: 'Write the workspace’s app_id, which has lower-case letters and digits, such as vne310wv',
  },
  provesChange: ({ finishedValues = FINISHED }) => singleFinishes(finishedValues).length > 0,
  // Intercom sends HEAD when the address is saved.
  greet: ({ method }) => (method === 'HEAD' ? { status: 200 } : undefined),
  isFrom: (sender, { body }) => valueAt(body, 'app_id') === sender,
  read({ body }, { finishedValues = FINISHED }) {
    const topic = valueAt(body, 'topic');
    const item = valueAt(body, 'data', 'item');
    // `ticket.closed` has the ticket in a field of its item, `ticket.resolved` has it as the item.
    const subject = valueAt(item, 'ticket') ?? item;
    const isFinished = isOneOf(finishedValues, topic) && isOver(topic, subject);
    return [
      {
        finished: topic === 'ping' ? 'test_event' : isFinished,
        provesChange: isOneOf(singleFinishes(finishedValues), topic),
        happenedAt: valueAt(body, 'created_at'),
        conversationId: firstGiven(
          valueAt(subject, 'custom_attributes', 'polyai_conversation_id'),
          valueAt(subject, 'ticket_attributes', 'polyai_conversation_id'),
        ),
        crmRef: valueAt(subject, 'id'),
        deliveryId: valueAt(body, 'id'),
      },
    ];
  },
};

export default intercom;

/** The topics that Intercom sends once for every finish. */
function singleFinishes(finishedValues: readonly string[]): string[] {
  const ends = TICKET_ENDS.filter((topic) => isOneOf(finishedValues, topic)).slice(0, 1);
  return isOneOf(finishedValues, CONVERSATION_CLOSED) ? [CONVERSATION_CLOSED, ...ends] : ends;
}

/** Whether the item is over. Its own state counts before the topic, because it may have been opened again. */
function isOver(topic: unknown, subject: unknown): boolean {
  const state = valueAt(subject, 'ticket_state');
  // Older API versions send the category itself as a ticket's state.
  const category = valueAt(state, 'category') ?? state;
  if (isOneOf([STATE_UPDATED], topic)) return isOneOf(['resolved'], category);
  if (isOneOf(['ticket.resolved'], topic)) return !isOneOf(OPEN_CATEGORIES, category);
  return !isOneOf(['open'], valueAt(subject, 'state'));
}
