import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, namesConversationId, overBody, USUAL, USUAL_ANSWER_MS } from './crm.ts';

const FINISHED = ['closed'];

/**
 * Help Scout: a webhook on conversations. The event's name is in a header, which the signature does not cover. The
 * status is in the body, which the signature covers.
 *
 * @see https://developer.helpscout.com/webhooks/
 */
const helpScout: Crm = {
  verify: overBody({ header: 'x-helpscout-signature', algorithm: 'sha1', encoding: 'base64' }),
  // The administrator chooses it. It may have 40 characters, fewer than the stack would generate.
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP],
  requires: [],
  provesChange: true,
  read({ body, headers }, { finishedValues = FINISHED }) {
    const event = headers['x-helpscout-event'];
    const isFinished = event === 'convo.status' && isOneOf(finishedValues, valueAt(body, 'status'));
    return [
      {
        finished: event === 'helpscout.test' ? 'test_event' : isFinished,
        finishedAt: valueAt(body, 'closedAt'),
        conversationId: customField(valueAt(body, 'customFields')),
        crmRef: valueAt(body, 'id'),
      },
    ];
  },
};

export default helpScout;

/** The id in a custom field. Newer payloads have a `text` besides the `value`. */
function customField(fields: unknown): unknown {
  const field = Array.isArray(fields) && fields.find((each) => namesConversationId(valueAt(each, 'name')));
  return firstGiven(valueAt(field, 'value'), valueAt(field, 'text'));
}
