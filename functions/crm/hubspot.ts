import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, eventsOf, isOneOf, LOOK_UP, type Reading, USUAL } from './crm.ts';

const TICKETS = '0-5';

/**
 * HubSpot, with both kinds of its webhooks. Both have the same family of signatures. An app's subscriptions send
 * batches of up to 100 events; each event has one changed property and nothing else, so it never has the
 * conversation's id. A workflow's "Send a webhook" sends a single object. Accounts differ in which stages of a
 * pipeline are closed.
 *
 * @see https://developers.hubspot.com/docs/api/webhooks
 * @see https://knowledge.hubspot.com/workflows/how-do-i-use-webhooks-with-hubspot-workflows
 */
const hubspot: Crm = {
  verify: { scheme: 'hubspot' },
  answerWithinMs: 5000,
  vendorIssuesSecret: true,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP],
  requires: ['finishedValues'],
  requiresOneOf: ['lookUp', 'conversationId'],
  // An event does not have the previous stage. A ticket that enters the only closed stage was not closed before.
  provesChange: ({ finishedValues = [] }) => finishedValues.length <= 1,
  read: ({ body }, { finishedValues = [] }) =>
    eventsOf(body).map((event) => ({ event, ...readEvent(event, finishedValues) })),
};

export default hubspot;

function readEvent(event: unknown, closedStages: readonly string[]): Reading {
  // Real deliveries have the first name, the vendor's tables have the second.
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

/** Reads a workflow's body. Its stage decides, because the workflow may run before the ticket is closed. */
function readWorkflow(body: unknown, closedStages: readonly string[]): Reading {
  return {
    finished: isOneOf(closedStages, property(body, 'hs_pipeline_stage')),
    finishedAt: property(body, 'closed_date'),
    crmRef: firstGiven(property(body, 'hs_object_id'), valueAt(body, 'objectId')),
  };
}

/** A property in its three known shapes: at the top, in `properties`, and there as an object with its history. */
function property(body: unknown, name: string): unknown {
  const value = valueAt(body, name) ?? valueAt(body, 'properties', name);
  return valueAt(value, 'value') ?? value;
}
