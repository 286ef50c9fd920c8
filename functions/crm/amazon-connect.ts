import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, type RuleSettings } from './crm.ts';

const CONTACT_EVENT = 'Amazon Connect Contact Event';
const DISCONNECTED = 'DISCONNECTED';
const FINISHED = [DISCONNECTED];
/** A call, a task or an e-mail may end while the chat of the same customer goes on. */
const CHAT = 'CHAT';
const TAG = 'polyai_conversation_id';

/**
 * Amazon Connect's contact events: a chat is disconnected. `COMPLETED` comes after the agent's after-contact work
 * and may never come, so it does not count by default. Events have the contact's tags, but not its user-defined
 * attributes. AWS's samples write the keys with a small or a capital first letter, and the channel in several ways.
 *
 * @see https://docs.aws.amazon.com/connect/latest/adminguide/contact-events.html
 */
const amazonConnect: Crm = {
  bus: { service: 'aws.connect', detailTypes: [CONTACT_EVENT], narrow },
  verify: { scheme: 'event-bus' },
  vendorIssuesSecret: false,
  takes: [
    'bus',
    'source',
    'sender',
    'conversationId',
    'finishedWhen',
    'finishedValues',
    'lookUp',
    'sharedId',
    'repeatedFinish',
  ],
  requires: [],
  senderForm: {
    pattern:
      /^(arn:aws[a-z-]*:connect:[a-z0-9-]+:\d{12}:instance\/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    fix: 'Write the ARN or the id of the instance, such as arn:aws:connect:eu-west-2:111122223333:instance/…',
  },
  provesChange: ({ finishedValues = FINISHED }) =>
    finishedValues.length === 1 || isOneOf(finishedValues, DISCONNECTED),
  read({ body }, { finishedValues = FINISHED }) {
    const contact = valueAt(body, 'detail');
    const type = fieldOf(contact, 'eventType');
    const contactId = fieldOf(contact, 'contactId');
    const isDisconnected = isOneOf(FINISHED, type);
    return [
      {
        finished: isOneOf(finishedValues, type) && isOneOf([CHAT], fieldOf(contact, 'channel')),
        // A contact is disconnected once, and completed once after that. Only the first that counts is a change.
        provesChange: finishedValues.length === 1 || isDisconnected,
        // A completed contact was disconnected before its after-contact work, which may take an hour.
        happenedAt: isDisconnected ? fieldOf(contact, 'disconnectTimestamp') : undefined,
        conversationId: fieldOf(fieldOf(contact, 'tags'), TAG),
        crmRef: contactId,
        // A transfer makes another contact. The first one is what an agent knows.
        sharedId: firstGiven(fieldOf(contact, 'initialContactId'), contactId),
      },
    ];
  },
};

export default amazonConnect;

/** A field, whatever the case of its name. */
function fieldOf(record: unknown, name: string): unknown {
  if (typeof record !== 'object' || record === null) return undefined;
  const key = Object.keys(record).find((each) => each.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : valueAt(record, key);
}

/** Lets only the connection's instance and its finished types through, with both spellings of the keys. */
function narrow({ sender, finishedWhen, finishedValues = FINISHED }: RuleSettings) {
  const instance = sender && { InstanceArn: [{ suffix: `:instance/${sender.replace(/^.*\//, '')}` }] };
  const type = finishedWhen === undefined && {
    EventType: finishedValues.map((value) => ({ 'equals-ignore-case': value })),
  };
  const detail = { ...instance, ...type };
  if (Object.keys(detail).length === 0) return {};
  const small = Object.entries(detail).map(([key, value]) => [
    `${key[0]?.toLowerCase()}${key.slice(1)}`,
    value,
  ]);
  return { $or: [{ detail: Object.fromEntries(small) }, { detail }] };
}
