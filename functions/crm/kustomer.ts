import { at, type Crm, isOneOf, LOOK_UP, overBody, USUAL, wasOpen } from './crm.ts';

const FINISHED = ['done'];

/**
 * Kustomer: a webhook on updates of conversations. Kustomer sends one for every update, so only a change of the
 * status counts, not the status itself.
 *
 * @see https://developer.kustomer.com/docs/events/outbound-webhooks
 * @see https://developer.kustomer.com/docs/events/event-catalog
 */
const kustomer: Crm = {
  verify: overBody({ header: 'x-kustomer-webhook-signature', algorithm: 'sha256', encoding: 'hex' }),
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP],
  requires: [],
  provesChange: true,
  read({ body }, { finishedValues = FINISHED }) {
    const status = at(body, 'changes', 'attributes', 'status');
    const isFinished = (value: unknown) => isOneOf(finishedValues, value);
    return [
      {
        finished:
          at(body, 'name') === 'kustomer.conversation.update' &&
          isFinished(at(status, 'after')) &&
          !isFinished(at(status, 'before')),
        provesChange: wasOpen(finishedValues, at(status, 'before')),
        happenedAt: at(body, 'createdAt'),
        conversationId: at(body, 'data', 'attributes', 'custom', 'polyaiConversationIdStr'),
        crmRef: at(body, 'data', 'id'),
        deliveryId: at(body, 'id'),
      },
    ];
  },
};

export default kustomer;
