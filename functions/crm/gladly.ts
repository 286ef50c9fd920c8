import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL } from './crm.ts';

const FINISHED = ['CONVERSATION/CLOSED'];

/**
 * Gladly: a webhook on the events of conversations. The event of a closed one names Gladly's conversation
 * and customer and nothing else, so PolyAI's must be looked up. Nothing is signed.
 *
 * @see https://developer.gladly.com/rest/
 */
const gladly: Crm = {
  verify: { scheme: 'basic' },
  schemes: ['basic', 'header'],
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
        // A conversation is closed once until it is opened again.
        provesChange: isOneOf(FINISHED, type),
        happenedAt: valueAt(body, 'timestamp'),
        crmRef: valueAt(body, 'content', 'conversationId'),
        deliveryId: valueAt(body, 'id'),
      },
    ];
  },
};

export default gladly;
