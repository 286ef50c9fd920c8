import { firstGiven } from '../conversation-id.ts';
import type { Delivery } from '../delivery.ts';
import { valueAt } from '../json.ts';
import { parseForm, parseJson, UnreadableBody } from '../parse-body.ts';
import { hasBodyHash } from '../schemes/twilio.ts';
import { type Crm, eventsOf, isOneOf, LOOK_UP, type OwnAnswer, type Reading, USUAL, wasOpen } from './crm.ts';

/** The ends of a task: an agent has completed it, or the customer has left before. */
const TASK_ENDS = ['task.completed', 'task.canceled'];
const FINISHED = ['closed', ...TASK_ENDS];
const STATE_UPDATED = 'onConversationStateUpdated';
const STREAM = {
  stateUpdated: 'com.twilio.conversations.conversation-state.updated',
  test: 'com.twilio.eventstreams.test-event',
};
const ID = 'polyai_conversation_id';
/** The agent still writes notes. The end of the task follows. */
const WRAP_UP = 'task.wrapup';
const TASK_EVENT = /^[a-z-]+(\.[a-z-]+)+$/;
const ACCOUNT = /^AC[0-9a-f]{32}$/i;
/** @see https://www.twilio.com/docs/conversations/conversations-webhooks */
const EVENT_TYPES = [
  ...['Add', 'Added', 'Remove', 'Removed', 'Update', 'Updated', 'StateUpdated'].map(
    (end) => `onConversation${end}`,
  ),
  ...['Add', 'Added', 'Remove', 'Removed', 'Update', 'Updated'].flatMap((end) => [
    `onMessage${end}`,
    `onParticipant${end}`,
  ]),
  ...['onUserAdded', 'onUserUpdate', 'onUserUpdated', 'onDeliveryUpdated'],
];

/** @see https://www.twilio.com/docs/taskrouter/api/event/reference */
const TASK_ROUTER_ANSWER: OwnAnswer = { status: 204, headers: { 'content-type': 'application/json' } };

/**
 * Twilio Conversations and Flex. A conversation's state comes by a webhook of Conversations, which is a form, or
 * by a webhook sink of Event Streams, which is an array of CloudEvents. `inactive` is a timer's pause, not an end.
 * The end of a Flex task comes by TaskRouter's event callback, which is a form too. The signature of a form does
 * not separate its names and values, so a form must have the fields of every event. The scheme refuses a form that
 * could have been split in another way.
 *
 * @see https://www.twilio.com/docs/conversations/conversations-webhooks
 * @see https://www.twilio.com/docs/events
 * @see https://www.twilio.com/docs/taskrouter/api/event/reference
 */
const twilio: Crm = {
  verify: { scheme: 'twilio' },
  answerWithinMs: 15_000,
  vendorIssuesSecret: true,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP],
  requires: [],
  parse,
  acknowledgement: ({ body }) => (isTaskEvent(body) ? TASK_ROUTER_ANSWER : undefined),
  provesChange: true,
  read({ body, headers, query }, { finishedValues = FINISHED }) {
    const deliveryId = headers['i-twilio-idempotency-token'];
    const own = query[ID];
    if (isTaskEvent(body)) return [{ ...readTask(body, finishedValues), deliveryId }];
    if (valueAt(body, 'EventType') !== undefined) {
      const isState = valueAt(body, 'EventType') === STATE_UPDATED;
      return [{ ...readState(body, own, finishedValues, isState), deliveryId }];
    }
    return eventsOf(body).map((event) => {
      const data = valueAt(event, 'data');
      const isState = valueAt(event, 'type') === STREAM.stateUpdated && isEvent(event, data);
      const reading = readState(data, own, finishedValues, isState);
      const isTest = valueAt(event, 'type') === STREAM.test;
      return {
        event,
        ...reading,
        ...(isTest && { finished: 'test_event' }),
        deliveryId: valueAt(event, 'id') ?? deliveryId,
      };
    });
  },
};

export default twilio;

/**
 * Parses JSON if the signed address has the body's hash, else a form of Conversations or TaskRouter.
 *
 * @throws {UnreadableBody} when a form lacks a field that every event has
 * @throws {SyntaxError} when it is not JSON
 */
function parse(text: string, { rawQuery }: Delivery): unknown {
  if (hasBodyHash(rawQuery)) return parseJson(text);
  const fields = parseForm(text);
  const isKnown = EVENT_TYPES.includes(String(valueAt(fields, 'EventType'))) || isTaskEvent(fields);
  if (!isKnown || !isAccount(valueAt(fields, 'AccountSid'))) {
    throw new UnreadableBody('lacks the AccountSid or the EventType of a Conversations or TaskRouter event');
  }
  return fields;
}

/** Whether an event has the fields of every Event Streams event about a conversation. */
function isEvent(event: unknown, data: unknown): boolean {
  return valueAt(event, 'specversion') === '1.0' && isAccount(valueAt(data, 'AccountSid'));
}

function isAccount(sid: unknown): boolean {
  return typeof sid === 'string' && ACCOUNT.test(sid);
}

/** Whether it is an event of TaskRouter: of a task, or of anything else in the workspace. */
function isTaskEvent(fields: unknown): boolean {
  return TASK_EVENT.test(String(valueAt(fields, 'EventType')));
}

/** Reads an event of a task. A call is never a chat. */
function readTask(fields: unknown, finishedValues: readonly string[]): Reading {
  const type = valueAt(fields, 'EventType');
  const attributes = parsed(valueAt(fields, 'TaskAttributes'));
  const isCall = isOneOf(['voice'], valueAt(fields, 'TaskChannelUniqueName'));
  return {
    finished: !isCall && isOneOf(finishedValues, type),
    // A task ends once. If the wrap-up counts as the end, the end itself does not.
    provesChange: isOneOf([WRAP_UP], type) || (isOneOf(TASK_ENDS, type) && !isOneOf(finishedValues, WRAP_UP)),
    happenedAt: valueAt(fields, 'Timestamp'),
    conversationId: valueAt(attributes, ID),
    crmRef: valueAt(fields, 'TaskSid'),
    sharedId: firstGiven(valueAt(attributes, 'conversationSid'), valueAt(fields, 'TaskSid')),
  };
}

/** Reads a conversation's fields: those of a form, or those in a CloudEvent's data. */
function readState(
  fields: unknown,
  own: unknown,
  finishedValues: readonly string[],
  isState: boolean,
): Reading {
  return {
    finished: isState && isOneOf(finishedValues, valueAt(fields, 'StateTo')),
    provesChange: wasOpen(finishedValues, valueAt(fields, 'StateFrom')),
    happenedAt: valueAt(fields, 'StateUpdated'),
    conversationId: firstGiven(
      valueAt(parsed(valueAt(fields, 'Attributes')), ID),
      own,
      valueAt(fields, 'UniqueName'),
    ),
    crmRef: valueAt(fields, 'ConversationSid'),
  };
}

/** Attributes, which Twilio sends as JSON in a text. */
function parsed(attributes: unknown): unknown {
  if (typeof attributes !== 'string') return attributes;
  try {
    return JSON.parse(attributes);
  } catch {
    return undefined;
  }
}
