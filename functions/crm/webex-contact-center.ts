import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, overBody, USUAL, uuidForm } from './crm.ts';

const FINISHED = ['task:ended'];
/** Media that are not chats. */
const VOICE = ['telephony'];

/**
 * Webex Contact Center: a subscription to the events of tasks. The signature covers the body alone, but version 2 of the
 * subscriptions writes the time of sending into the body. An ended task never starts again: a new contact is a new task.
 *
 * @see https://developer.webex.com/docs/receive-and-verify-contact-center-webhooks
 */
const webexContactCenter: Crm = {
  verify: {
    ...overBody({ header: 'x-webexcc-signature', algorithm: 'sha256', encoding: 'hex' }),
    timestampSelector: 'body.comciscotimestamp',
    timestampHeader: 'x-webexcc-timestamp',
    timestampUnit: 'ms',
  },
  answerWithinMs: 5000,
  vendorIssuesSecret: false,
  takes: [...USUAL, ...LOOK_UP, 'sender'],
  requires: [],
  requiresOneOf: ['lookUp', 'conversationId'],
  senderForm: uuidForm('the organisation’s id (comciscoorgid in the events)'),
  provesChange: ({ finishedValues = FINISHED }) => finishedValues.every((each) => isOneOf(FINISHED, each)),
  isFrom: (sender, { body }) => valueAt(body, 'comciscoorgid') === sender,
  read({ body }, { finishedValues = FINISHED }) {
    const type = valueAt(body, 'type');
    const isVoice = isOneOf(VOICE, valueAt(body, 'data', 'channelType'));
    return [
      {
        finished: !isVoice && isOneOf(finishedValues, type),
        provesChange: isOneOf(FINISHED, type),
        happenedAt: valueAt(body, 'comciscotimestamp'),
        crmRef: valueAt(body, 'data', 'taskId'),
        deliveryId: valueAt(body, 'id'),
      },
    ];
  },
};

export default webexContactCenter;
