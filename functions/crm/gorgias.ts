import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, USUAL_ANSWER_MS } from './crm.ts';

const FINISHED = ['closed'];

/**
 * Gorgias: an HTTP integration. Its body is a template that the administrator writes, or the whole ticket with
 * `{{context}}`. Nothing is signed.
 *
 * @see https://docs.gorgias.com/en-US/http-integrations-81822
 * @see https://developers.gorgias.com/reference/the-tickethttpintegration-object
 */
const gorgias: Crm = {
  verify: { scheme: 'header', header: 'x-polyai-token' },
  schemes: ['header'],
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: false,
  takes: [...USUAL, ...LOOK_UP, 'verify'],
  requires: [],
  provesChange: true,
  read({ body }, { finishedValues = FINISHED }) {
    // The customer has an external id too; that one is not the ticket's.
    const conversationId = firstGiven(
      valueAt(body, 'polyai_conversation_id'),
      valueAt(body, 'meta', 'polyai_conversation_id'),
      valueAt(body, 'external_id'),
    );
    return [
      {
        finished: isOneOf(finishedValues, valueAt(body, 'status')),
        finishedAt: valueAt(body, 'closed_datetime'),
        conversationId,
        crmRef: valueAt(body, 'id'),
      },
    ];
  },
};

export default gorgias;
