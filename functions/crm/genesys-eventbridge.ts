import { valueAt } from '../json.ts';
import { type Crm, isOneOf } from './crm.ts';

/** The topic as Genesys writes it, with a literal `{id}`. The conversation's own id is in `topicName`. */
const CUSTOMER_END = 'v2.detail.events.conversation.{id}.customer.end';
/** A call, an e-mail or a callback may end while the chat of the same conversation goes on. */
const CHATS = ['CHAT', 'MESSAGE'];

/**
 * Genesys Cloud's EventBridge integration: the customer's session is over. The event has no participant
 * attributes, so it does not have PolyAI's id. The connection looks it up by Genesys's conversation id, or says
 * where else it is.
 *
 * @see https://github.com/GenesysCloudBlueprints/genesys-cloud-event-streaming-blueprint
 */
const genesysEventbridge: Crm = {
  bus: { sourcePrefixes: ['aws.partner/genesys.com/'], detailTypes: [CUSTOMER_END] },
  verify: { scheme: 'event-bus' },
  vendorIssuesSecret: false,
  takes: [
    'bus',
    'source',
    'conversationId',
    'finishedWhen',
    'finishedValues',
    'lookUp',
    'sharedId',
    'repeatedFinish',
  ],
  requires: ['bus'],
  requiresOneOf: ['lookUp', 'conversationId'],
  provesChange: true,
  read({ body }, { finishedValues }) {
    const ended = valueAt(body, 'detail', 'eventBody');
    const isChat = isOneOf(finishedValues ?? CHATS, valueAt(ended, 'mediaType'));
    const isEnd = valueAt(body, 'detail-type') === CUSTOMER_END;
    return [
      {
        finished: isChat && isEnd,
        // A session ends once.
        provesChange: isEnd,
        happenedAt: valueAt(ended, 'eventTime'),
        crmRef: valueAt(ended, 'conversationId'),
      },
    ];
  },
};

export default genesysEventbridge;
