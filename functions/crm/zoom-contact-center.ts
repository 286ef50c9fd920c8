import { createHmac } from 'node:crypto';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL } from './crm.ts';

/** The whole engagement has ended. `engagement_user_ended` is only one agent's part of it. */
const ENDED = 'contact_center.engagement_ended';
const CALL = ['voice'];

const VALIDATION = 'endpoint.url_validation';
/**
 * A token that may be signed. The text that proves a delivery begins with `v0:`. With the colon allowed here, the
 * answer to a challenge would be a signature for any body.
 */
const PLAIN_TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
/** A challenge is shorter. Longer bodies are not parsed twice. */
const MAX_CHALLENGE_BYTES = 1024;

/**
 * Zoom Contact Center. Zoom checks the address with a challenge when it is saved, and every 72 hours. The answer is
 * computed with the secret, so it is only given to a challenge that is signed itself.
 *
 * @see https://developers.zoom.us/docs/api/webhooks/
 * @see https://developers.zoom.us/docs/api/contact-center/events/
 */
const zoomContactCenter: Crm = {
  verify: {
    scheme: 'hmac',
    header: 'x-zm-signature',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: 'v0=',
    signed: 'v0:{timestamp}:{body}',
    timestampHeader: 'x-zm-request-timestamp',
    timestampUnit: 's',
    toleranceSeconds: 300,
  },
  answerWithinMs: 3000,
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP, 'sender'],
  requires: [],
  requiresOneOf: ['lookUp', 'conversationId'],
  // An account's id has 22 characters. Those that Zoom's documentation prints have 10 or 11.
  senderForm: {
    pattern: /^([\w-]{10,11}|[\w-]{22})$/,
    fix: 'Write the account_id of your events, 22 letters, digits, - and _',
  },
  provesChange: ({ finishedValues = [ENDED] }) => isOneOf(finishedValues, ENDED),
  confirm({ body }, values) {
    const challenge = body.length > MAX_CHALLENGE_BYTES ? undefined : parsed(body.toString());
    if (valueAt(challenge, 'event') !== VALIDATION) return undefined;
    const plainToken = valueAt(challenge, 'payload', 'plainToken');
    const [key] = values;
    if (typeof plainToken !== 'string' || !PLAIN_TOKEN.test(plainToken) || key === undefined) {
      return { code: 'body_unreadable', detail: 'The challenge has no plainToken that may be signed.' };
    }
    const encryptedToken = createHmac('sha256', key).update(plainToken).digest('hex');
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ plainToken, encryptedToken }),
    };
  },
  isFrom: (sender, { body }) => valueAt(body, 'payload', 'account_id') === sender,
  read({ body }, { finishedValues = [ENDED] }) {
    const event = valueAt(body, 'event');
    const engagement = valueAt(body, 'payload', 'object');
    const isCall = [valueAt(engagement, 'channel')].flat().some((channel) => isOneOf(CALL, channel));
    return [
      {
        finished: !isCall && isOneOf(finishedValues, event),
        // An engagement ends once. An agent's part of it ends at every transfer.
        provesChange: event === ENDED,
        happenedAt: valueAt(body, 'event_ts'),
        crmRef: valueAt(engagement, 'engagement_id'),
      },
    ];
  },
};

export default zoomContactCenter;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
