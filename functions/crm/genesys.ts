import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, USUAL_ANSWER_MS, wasOpen } from './crm.ts';

/** Media that are not chats. */
const VOICE = ['VOICE', 'CALLBACK'];
/** States of a participant who is still there. */
const OPEN = ['alerting', 'connected'];

/**
 * Genesys Cloud: a process automation trigger starts a workflow, and the workflow calls a web services data
 * action. The administrator writes its body, the trigger's conditions decide, and nothing is signed.
 *
 * @see https://github.com/GenesysCloudBlueprints/process-participant-attributes-event-triggers-blueprint
 */
const genesys: Crm = {
  verify: { scheme: 'header', header: 'x-polyai-token' },
  schemes: ['header', 'basic'],
  answerWithinMs: USUAL_ANSWER_MS,
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
