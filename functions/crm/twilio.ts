import { firstGiven } from '../conversation-id.ts';
import type { Delivery } from '../delivery.ts';
import { valueAt } from '../json.ts';
import { parseForm, parseJson, UnreadableBody } from '../parse-body.ts';
import { hasBodyHash } from '../schemes/twilio.ts';
import { type Crm, eventsOf, isOneOf, LOOK_UP, type Reading, USUAL, wasOpen } from './crm.ts';

const FINISHED = ['closed'];
const STATE_UPDATED = 'onConversationStateUpdated';
const STREAM = {
  stateUpdated: 'com.twilio.conversations.conversation-state.updated',
  test: 'com.twilio.eventstreams.test-event',
};
const ID = 'polyai_conversation_id';
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

/**
 * Twilio Conversations (and Flex, which is built on it), with both ways to report a conversation's state: a
 * webhook of Conversations, which is a form, and a webhook sink of Event Streams, which is an array of CloudEvents.
 * `inactive` is a timer's pause, not an end. The signature of a form does not separate its names and values, so a
 * form must have the fields of every event. The scheme refuses a form that could have been split in another way.
 *
 * @see https://www.twilio.com/docs/conversations/conversations-webhooks
 * @see https://www.twilio.com/docs/events
 */
const twilio: Crm = {
  verify: { scheme: 'twilio' },
  answerWithinMs: 15_000,
  vendorIssuesSecret: true,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP],
  requires: [],
  parse,
  provesChange: true,
  read({ body, headers, query }, { finishedValues = FINISHED }) {
    const deliveryId = headers['i-twilio-idempotency-token'];
    const own = query[ID];
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
 * Parses JSON if the signed address has the body's hash, else a form of Conversations.
 *
 * @throws {UnreadableBody} when a form lacks a field that every event has
 * @throws {SyntaxError} when it is not JSON
 */
function parse(text: string, { rawQuery }: Delivery): unknown {
  if (hasBodyHash(rawQuery)) return parseJson(text);
  const fields = parseForm(text);
  const isEvent =
    isAccount(valueAt(fields, 'AccountSid')) && EVENT_TYPES.includes(String(valueAt(fields, 'EventType')));
  if (!isEvent) throw new UnreadableBody('lacks the AccountSid or the EventType of a Conversations event');
  return fields;
}

/** Whether an event has the fields of every Event Streams event about a conversation. */
function isEvent(event: unknown, data: unknown): boolean {
  return valueAt(event, 'specversion') === '1.0' && isAccount(valueAt(data, 'AccountSid'));
}

function isAccount(sid: unknown): boolean {
  return typeof sid === 'string' && ACCOUNT.test(sid);
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
    conversationId: firstGiven(valueAt(attributesOf(fields), ID), own, valueAt(fields, 'UniqueName')),
    crmRef: valueAt(fields, 'ConversationSid'),
  };
}

/** A conversation's attributes, which Twilio sends as JSON in a string. */
function attributesOf(fields: unknown): unknown {
  const attributes = valueAt(fields, 'Attributes');
  if (typeof attributes !== 'string') return attributes;
  try {
    return JSON.parse(attributes);
  } catch {
    return undefined;
  }
}
