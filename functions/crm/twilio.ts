import { firstGiven } from '../conversation-id.ts';
import { at, type Crm, eventsOf, isOneOf, LOOK_UP, type Reading, USUAL } from './crm.ts';

const FINISHED = ['closed'];
const STATE_UPDATED = 'onConversationStateUpdated';
const STREAM = {
  stateUpdated: 'com.twilio.conversations.conversation-state.updated',
  test: 'com.twilio.eventstreams.test-event',
};
const ID = 'polyai_conversation_id';

/**
 * Twilio Conversations (and Flex, which is built on it), both ways that it reports a conversation's state: a
 * webhook of Conversations, a form, and a webhook sink of Event Streams, CloudEvents in an array. `inactive` is
 * a timer's pause, not an end.
 *
 * @see https://www.twilio.com/docs/conversations/conversations-webhooks
 * @see https://www.twilio.com/docs/events
 */
const twilio: Crm = {
  verify: { scheme: 'twilio' },
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP],
  requires: [],
  read({ body, headers, query }, { finishedValues = FINISHED }) {
    const deliveryId = headers['i-twilio-idempotency-token'];
    const own = query[ID];
    if (at(body, 'EventType') !== undefined) {
      const isState = at(body, 'EventType') === STATE_UPDATED;
      return [{ ...readState(body, own, finishedValues, isState), deliveryId }];
    }
    return eventsOf(body).map((event) => {
      const isState = at(event, 'type') === STREAM.stateUpdated;
      const reading = readState(at(event, 'data'), own, finishedValues, isState);
      const isTest = at(event, 'type') === STREAM.test;
      return {
        event,
        ...reading,
        ...(isTest && { finished: 'test_event' }),
        deliveryId: at(event, 'id') ?? deliveryId,
      };
    });
  },
};

export default twilio;

/** A conversation's fields, which a form has at its top and a CloudEvent in its data. */
function readState(
  fields: unknown,
  own: unknown,
  finishedValues: readonly string[],
  isState: boolean,
): Reading {
  return {
    finished: isState && isOneOf(finishedValues, at(fields, 'StateTo')),
    conversationId: firstGiven(at(attributesOf(fields), ID), own, at(fields, 'UniqueName')),
    crmRef: at(fields, 'ConversationSid'),
  };
}

/** A conversation's own attributes, which Twilio sends as JSON in a string. */
function attributesOf(fields: unknown): unknown {
  const attributes = at(fields, 'Attributes');
  if (typeof attributes !== 'string') return attributes;
  try {
    return JSON.parse(attributes);
  } catch {
    return undefined;
  }
}
