import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, overBody, USUAL, USUAL_ANSWER_MS, wasOpen } from './crm.ts';

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
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP],
  requires: [],
  provesChange: true,
  read({ body }, { finishedValues = FINISHED }) {
    const status = valueAt(body, 'changes', 'attributes', 'status');
    const isFinished = (value: unknown) => isOneOf(finishedValues, value);
    return [
      {
        finished:
          valueAt(body, 'name') === 'kustomer.conversation.update' &&
          isFinished(valueAt(status, 'after')) &&
          !isFinished(valueAt(status, 'before')),
        provesChange: wasOpen(finishedValues, valueAt(status, 'before')),
        happenedAt: valueAt(body, 'createdAt'),
        conversationId: valueAt(body, 'data', 'attributes', 'custom', 'polyaiConversationIdStr'),
        crmRef: valueAt(body, 'data', 'id'),
        deliveryId: valueAt(body, 'id'),
      },
    ];
  },
};

export default kustomer;
