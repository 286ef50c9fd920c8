import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, eventsOf, isOneOf, LOOK_UP, type Reading, USUAL } from './crm.ts';

const TICKETS = '0-5';

/**
 * HubSpot, both ways that it sends webhooks, with one family of signatures: an app's subscriptions, in batches
 * of up to 100 events that hold one changed property each and no other, so never the conversation's id; and a
 * workflow's "Send a webhook", a single object. Which stages of a pipeline are closed differs by account.
 *
 * @see https://developers.hubspot.com/docs/api/webhooks
 * @see https://knowledge.hubspot.com/workflows/how-do-i-use-webhooks-with-hubspot-workflows
 */
const hubspot: Crm = {
  verify: { scheme: 'hubspot' },
  vendorIssuesSecret: true,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP],
  requires: ['finishedValues'],
  requiresOneOf: ['lookUp', 'conversationId'],
  // An event has no stage from before. Who enters the only closed stage was in none.
  provesChange: ({ finishedValues = [] }) => finishedValues.length <= 1,
  read: ({ body }, { finishedValues = [] }) =>
    eventsOf(body).map((event) => ({ event, ...readEvent(event, finishedValues) })),
};

export default hubspot;

function readEvent(event: unknown, closedStages: readonly string[]): Reading {
  // Real deliveries say the one, the vendor's tables the other.
  const type = valueAt(event, 'subscriptionType') ?? valueAt(event, 'eventType');
  if (type === undefined) return readWorkflow(event, closedStages);
  const property = valueAt(event, 'propertyName');
  const value = valueAt(event, 'propertyValue');
  const isTicket =
    type === 'ticket.propertyChange' ||
    (type === 'object.propertyChange' && valueAt(event, 'objectTypeId') === TICKETS);
  const isClosedTicket = isTicket && property === 'hs_pipeline_stage' && isOneOf(closedStages, value);
  const isClosedThread =
    type === 'conversation.propertyChange' && property === 'status' && isOneOf(['CLOSED'], value);
  return {
    finished: isClosedTicket || isClosedThread,
    provesChange: isClosedThread || closedStages.length === 1,
    happenedAt: valueAt(event, 'occurredAt'),
    crmRef: valueAt(event, 'objectId'),
    deliveryId: valueAt(event, 'eventId'),
  };
}

/** A body of the administrator's own, or the whole ticket: the workflow may run before the stage is reached. */
function readWorkflow(body: unknown, closedStages: readonly string[]): Reading {
  return {
    finished: isOneOf(closedStages, property(body, 'hs_pipeline_stage')),
    finishedAt: property(body, 'closed_date'),
    crmRef: firstGiven(property(body, 'hs_object_id'), valueAt(body, 'objectId')),
  };
}

/** In the three shapes that are known: by itself, among `properties`, and there with its history. */
function property(body: unknown, name: string): unknown {
  const value = valueAt(body, name) ?? valueAt(body, 'properties', name);
  return valueAt(value, 'value') ?? value;
}
