import type { Connection } from '../connections.ts';
import { valueAt } from '../json.ts';
import { type Crm, eventsOf, isOneOf, LOOK_UP, type Reading, USUAL, wasOpen } from './crm.ts';

/** The host of Desk in each of Zoho's data centres, by the name that `dataCentre` takes. */
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
 * Zoho Desk: a webhook that is subscribed to updates of tickets. Each delivery has a token that the data centre
 * signs. The token names the organisation and the webhook and does not cover the body, so every event in the body
 * must name the same organisation. The body is an array, and each event has the ticket before and after.
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
  answerWithinMs: 5000,
  vendorIssuesSecret: false,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP, 'sender', 'dataCentre', 'audience', 'jwksUrl'],
  requires: ['sender', 'dataCentre', 'audience'],
  provesChange: true,
  senderForm: {
    pattern: /^\d{1,20}$/,
    fix: 'Write the organisation id, which has only digits, such as 54983163',
  },
  // Desk sends GET when a webhook is created or changed, and expects 200.
  greet: ({ method }) => (method === 'GET' ? { status: 200 } : undefined),
  isFrom: (sender, { body }) => eventsOf(body).every((event) => isOneOf([sender], valueAt(event, 'orgId'))),
  read: ({ body }, connection) => eventsOf(body).map((event) => readEvent(event, connection)),
};

export default zohoDesk;

/** Reads an event. A status is the administrator's own word, so it counts only if the connection lists statuses. */
function readEvent(event: unknown, { finishedValues }: Connection): Reading {
  const keys = finishedValues ? ['statusType', 'status'] : ['statusType'];
  const isFinished = (state: unknown) =>
    keys.some((key) => isOneOf(finishedValues ?? FINISHED, valueAt(state, key)));
  const [before, after] = [valueAt(event, 'prevState'), valueAt(event, 'payload')];
  return {
    finished: valueAt(event, 'eventType') === 'Ticket_Update' && isFinished(after) && !isFinished(before),
    // Without the previous state, any later change of a closed ticket looks like its finish.
    provesChange: wasOpen(finishedValues ?? FINISHED, valueAt(before, 'statusType')),
    happenedAt: valueAt(event, 'eventTime'),
    conversationId: valueAt(after, 'cf', 'cf_polyai_conversation_id'),
    crmRef: valueAt(after, 'id'),
    event,
  };
}
