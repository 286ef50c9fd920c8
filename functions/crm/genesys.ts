import { at, type Crm, isOneOf, LOOK_UP, USUAL } from './crm.ts';

/** PolyAI's chats are none of these. */
const VOICE = ['VOICE', 'CALLBACK'];

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
  read({ body }, { finishedValues }) {
    const isVoice = isOneOf(VOICE, at(body, 'mediaType'));
    return [
      {
        finished: !isVoice && (finishedValues ? isOneOf(finishedValues, at(body, 'status')) : true),
        conversationId: at(body, 'polyaiConversationId'),
        crmRef: at(body, 'conversationId'),
      },
    ];
  },
};

export default genesys;
