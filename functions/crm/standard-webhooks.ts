import { valueAt } from '../json.ts';
import { type Crm, isOneOf } from './crm.ts';

/**
 * Any sender that follows Standard Webhooks, Svix's customers among them: `type`, `timestamp` and `data` in the
 * body, one event a delivery.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const standardWebhooks: Crm = {
  verify: { scheme: 'standard-webhooks' },
  vendorIssuesSecret: true,
  // In the tests of the specification and in Svix's documentation, with and without the prefix that may be missing.
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
