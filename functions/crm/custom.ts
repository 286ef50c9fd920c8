import { parseForm, parseJson } from '../parse-body.ts';
import { type Crm, USUAL_ANSWER_MS } from './crm.ts';

/**
 * Any sender. The connection says how deliveries are verified, what is finished and where the id is. Both selectors
 * are required, so this preset decides nothing.
 */
const custom: Crm = {
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: false,
  takes: ['verify', 'conversationId', 'finishedWhen', 'format', 'publicUrl', 'allowedSources'],
  requires: ['verify', 'conversationId', 'finishedWhen'],
  parse: (text, _delivery, { format }) => (format === 'form' ? parseForm(text) : parseJson(text)),
  read: ({ headers }, { verify }) => [
    {
      finished: 'not_finished',
      deliveryId:
        headers[(verify.scheme === 'hmac' && verify.idHeader) || 'webhook-id'] ?? headers['svix-id'],
    },
  ],
};

export default custom;
