import { firstGiven } from '../conversation-id.ts';
import { at, type Crm, isOneOf, LOOK_UP, overBody, USUAL } from './crm.ts';

const STATE_UPDATED = 'ticket.state.updated';
const FINISHED = ['conversation.admin.closed', 'ticket.closed', 'ticket.resolved', STATE_UPDATED];

/**
 * Intercom's app webhooks for conversations and tickets. The signature is made with the app's client secret,
 * which is the same for every workspace that has installed the app; `sender` is the one that counts.
 *
 * @see https://developers.intercom.com/docs/references/webhooks/webhook-models
 * @see https://developers.intercom.com/docs/webhooks/webhook-notifications
 */
const intercom: Crm = {
  verify: overBody({ header: 'x-hub-signature', algorithm: 'sha1', encoding: 'hex', prefix: 'sha1=' }),
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP, 'sender'],
  requires: [],
  // Asked when the address is saved.
  greet: ({ method }) => (method === 'HEAD' ? { status: 200 } : undefined),
  isFrom: (sender, { body }) => at(body, 'app_id') === sender,
  read({ body }, { finishedValues = FINISHED }) {
    const topic = at(body, 'topic');
    const item = at(body, 'data', 'item');
    // `ticket.closed` has the ticket in a field of its item, `ticket.resolved` has it as the item.
    const subject = at(item, 'ticket') ?? item;
    const isFinished =
      isOneOf(finishedValues, topic) && (!isOneOf([STATE_UPDATED], topic) || isResolved(subject));
    return [
      {
        finished: topic === 'ping' ? 'test_event' : isFinished,
        conversationId: firstGiven(
          at(subject, 'custom_attributes', 'polyai_conversation_id'),
          at(subject, 'ticket_attributes', 'polyai_conversation_id'),
        ),
        crmRef: at(subject, 'id'),
        deliveryId: at(body, 'id'),
      },
    ];
  },
};

export default intercom;

/** The state of a ticket is an object with a category; in older API versions it is the category itself. */
function isResolved(ticket: unknown): boolean {
  const state = at(ticket, 'ticket_state');
  return isOneOf(['resolved'], at(state, 'category') ?? state);
}
