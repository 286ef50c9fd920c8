import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, wasOpen } from './crm.ts';

/** PolyAI's chats are none of these. */
const VOICE = ['VOICE', 'CALLBACK'];
/** States of a participant that is still there. */
const OPEN = ['alerting', 'connected'];

/**
 * Genesys Cloud: a process automation trigger starts a workflow, and the workflow calls a web services data
 * action. Its body is the administrator's, its conditions decide, and nothing is signed.
 *
 * @see https://github.com/GenesysCloudBlueprints/process-participant-attributes-event-triggers-blueprint
 */
const genesys: Crm = {
  verify: { scheme: 'header', header: 'x-polyai-token' },
  schemes: ['header', 'basic'],
  vendorIssuesSecret: false,
  takes: [...USUAL, ...LOOK_UP, 'verify'],
  requires: [],
  provesChange: true,
  read({ body }, { finishedValues }) {
    const isVoice = isOneOf(VOICE, valueAt(body, 'mediaType'));
    const status = valueAt(body, 'status');
    return [
      {
        finished: !isVoice && (finishedValues ? isOneOf(finishedValues, status) : !isOneOf(OPEN, status)),
        provesChange: wasOpen(finishedValues ?? [], valueAt(body, 'previousStatus')),
        happenedAt: valueAt(body, 'eventTime'),
        conversationId: valueAt(body, 'polyaiConversationId'),
        crmRef: valueAt(body, 'conversationId'),
      },
    ];
  },
};

export default genesys;
