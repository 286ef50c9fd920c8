import type { Connection } from '../connections.ts';
import { valueAt } from '../json.ts';
import { type Crm, eventsOf, isOneOf, LOOK_UP, type Reading, USUAL, wasOpen } from './crm.ts';

/** Where each of Zoho's data centres serves Desk, by the name that `dataCentre` takes. */
export const DATA_CENTRES: Record<string, string> = {
  com: 'desk.zoho.com',
  eu: 'desk.zoho.eu',
  in: 'desk.zoho.in',
  'com.au': 'desk.zoho.com.au',
  'com.cn': 'desk.zoho.com.cn',
  jp: 'desk.zoho.jp',
  ca: 'desk.zohocloud.ca',
  sa: 'desk.zoho.sa',
  uk: 'desk.zoho.uk',
};

const FINISHED = ['Closed'];

/**
 * Zoho Desk: a webhook subscribed to updates of tickets. Each delivery carries a token signed by the data
 * centre, which says whose it is and for which webhook, and says nothing about the body; so every event in
 * the body must name the same organisation. The body is an array, with the ticket before and after.
 *
 * @see https://desk.zoho.com/support/WebhookDocument.do
 */
const zohoDesk: Crm = {
  verify: ({ sender = '', dataCentre = '', audience = '', jwksUrl }) => ({
    scheme: 'jwt',
    header: 'x-zdesk-jwt',
    algorithm: 'RS256',
    jwksUrl: jwksUrl ?? `https://${DATA_CENTRES[dataCentre]}/.well-known/jwks.json`,
    issuer: `orgId:${sender}`,
    audience: audience.startsWith('webhookId:') ? audience : `webhookId:${audience}`,
  }),
  vendorIssuesSecret: false,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP, 'sender', 'dataCentre', 'audience', 'jwksUrl'],
  requires: ['sender', 'dataCentre', 'audience'],
  provesChange: true,
  senderForm: { pattern: /^\d{1,20}$/, mend: 'Write the organisation id, digits alone, as in 54983163' },
  // Desk asks by GET whether the address answers 200, whenever a webhook is created or changed.
  greet: ({ method }) => (method === 'GET' ? { status: 200 } : undefined),
  isFrom: (sender, { body }) => eventsOf(body).every((event) => isOneOf([sender], valueAt(event, 'orgId'))),
  read: ({ body }, connection) => eventsOf(body).map((event) => readEvent(event, connection)),
};

export default zohoDesk;

/** A status is the administrator's own word, so it counts only where the connection lists it. */
function readEvent(event: unknown, { finishedValues }: Connection): Reading {
  const keys = finishedValues ? ['statusType', 'status'] : ['statusType'];
  const isFinished = (state: unknown) =>
    keys.some((key) => isOneOf(finishedValues ?? FINISHED, valueAt(state, key)));
  const [before, after] = [valueAt(event, 'prevState'), valueAt(event, 'payload')];
  return {
    finished: valueAt(event, 'eventType') === 'Ticket_Update' && isFinished(after) && !isFinished(before),
    // Without the state before, any later change of a closed ticket looks the same.
    provesChange: wasOpen(finishedValues ?? FINISHED, valueAt(before, 'statusType')),
    happenedAt: valueAt(event, 'eventTime'),
    conversationId: valueAt(after, 'cf', 'cf_polyai_conversation_id'),
    crmRef: valueAt(after, 'id'),
    event,
  };
}
