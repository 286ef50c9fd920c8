import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, uuidForm } from './crm.ts';

const FINISHED = ['conversation_resolution'];

/**
 * Freshchat: the webhook of an account, signed with a private key of Freshchat. A resolved conversation must be opened
 * again before it can be resolved again, and that has an event of its own. `sender` is the app's id: it is not known
 * whether every account has its own key.
 *
 * @see https://github.com/nyaruka/courier/blob/main/handlers/freshchat/handler_test.go
 */
const freshchat: Crm = {
  verify: { scheme: 'rsa', header: 'x-freshchat-signature', encoding: 'base64' },
  answerWithinMs: 3000,
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP, 'sender'],
  requires: [],
  requiresOneOf: ['lookUp', 'conversationId'],
  senderForm: uuidForm('the app’s id (app_id in the events)'),
  provesChange: ({ finishedValues = FINISHED }) => finishedValues.every((each) => isOneOf(FINISHED, each)),
  isFrom: (sender, { body }) => {
    const apps = appsIn(valueAt(body, 'data'));
    return apps.length > 0 && apps.every((app) => app === sender);
  },
  read({ body }, { finishedValues = FINISHED }) {
    const action = valueAt(body, 'action');
    return [
      {
        finished: isOneOf(finishedValues, action),
        provesChange: isOneOf(FINISHED, action),
        happenedAt: valueAt(body, 'action_time'),
        crmRef: valueAt(body, 'data', 'resolve', 'conversation', 'conversation_id'),
      },
    ];
  },
};

export default freshchat;

/** The apps that an event names: that of its message, or that of its conversation. */
function appsIn(data: unknown): unknown[] {
  const parts = typeof data === 'object' && data !== null ? Object.values(data) : [];
  return parts
    .flatMap((part) => [valueAt(part, 'app_id'), valueAt(part, 'conversation', 'app_id')])
    .filter((app) => app !== undefined);
}
