import { valueAt } from '../json.ts';
import { type Crm, isOneOf } from './crm.ts';

/**
 * Any sender that follows Standard Webhooks, such as Svix's customers. The body has `type`, `timestamp` and `data`,
 * and a delivery is one event.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const standardWebhooks: Crm = {
  verify: { scheme: 'standard-webhooks' },
  // The least that the specification asks senders to wait.
  answerWithinMs: 15_000,
  vendorIssuesSecret: true,
  // The specification's tests and Svix's documentation print them. The prefix is optional.
  publicSecrets: ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'plJ3nmyCDGBKInavdOK15jsl'].flatMap((key) => [
    key,
    `whsec_${key}`,
  ]),
  takes: ['conversationId', 'finishedValues', 'publicUrl', 'allowedSources'],
  requires: ['finishedValues'],
  read: ({ body, headers }, { finishedValues = [] }) => [
    {
      finished: isOneOf(finishedValues, valueAt(body, 'type')),
      conversationId: valueAt(body, 'data', 'polyai_conversation_id'),
      deliveryId: headers['webhook-id'] ?? headers['svix-id'],
    },
  ],
};

export default standardWebhooks;
