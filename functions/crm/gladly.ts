import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL } from './crm.ts';

const FINISHED = ['CONVERSATION/CLOSED'];

/**
 * Gladly: a webhook on the events of conversations. The event of a closed conversation names only Gladly's
 * conversation and customer, so PolyAI's conversation must be looked up. Nothing is signed.
 *
 * @see https://developer.gladly.com/rest/
 */
const gladly: Crm = {
  verify: { scheme: 'basic' },
  schemes: ['basic', 'header'],
  answerWithinMs: 15_000,
  vendorIssuesSecret: false,
  takes: [...USUAL, ...LOOK_UP, 'verify'],
  requires: [],
  requiresOneOf: ['lookUp', 'conversationId'],
  provesChange: ({ finishedValues = FINISHED }) => finishedValues.every((each) => isOneOf(FINISHED, each)),
  read({ body }, { finishedValues = FINISHED }) {
    const type = valueAt(body, 'type');
    return [
      {
        finished: type === 'PING' ? 'test_event' : isOneOf(finishedValues, type),
        // A closed conversation must be opened again before it can be closed again.
        provesChange: isOneOf(FINISHED, type),
        happenedAt: valueAt(body, 'timestamp'),
        crmRef: valueAt(body, 'content', 'conversationId'),
        deliveryId: valueAt(body, 'id'),
      },
    ];
  },
};

export default gladly;
