import type { Content } from '../delivery.ts';
import { valueAt } from '../json.ts';
import { checkEvents, isTooLargeForm, parseForm, parseJson } from '../parse-body.ts';
import { equalTexts } from '../schemes/constant-time.ts';
import { type Crm, echo, isOneOf, LOOK_UP, type Reading, USUAL, USUAL_ANSWER_MS } from './crm.ts';

const CLOSED = 'intervention.closed';
const ID = 'polyai_conversation_id';

/**
 * RingCX Digital (RingCentral Engage Digital before). A webhook has a secret, which is in a header of every request,
 * and a verification token, which is in the query of the GET request that checks the address. Both must have the
 * same value, so that one secret serves for both. Only an answer of exactly 200 counts as delivered.
 *
 * @see https://github.com/ringcentral/engage-digital-api-docs/tree/master/docs/webhooks
 */
const ringcx: Crm = {
  verify: { scheme: 'header', header: 'x-dimelo-secret' },
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: false,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP, 'sender'],
  requires: [],
  senderForm: {
    pattern: /^[0-9a-f]{24}$/,
    fix: 'Write the domain_id of your events, 24 hexadecimal digits',
  },
  provesChange: ({ finishedValues = [CLOSED] }) => isOneOf(finishedValues, CLOSED),
  confirmsBy: 'GET',
  confirm({ method, rawQuery }, values) {
    if (method !== 'GET') return undefined;
    const query = isTooLargeForm(rawQuery) ? {} : parseForm(rawQuery);
    const token = query['hub.verify_token'] ?? '';
    if (query['hub.mode'] !== 'subscribe' || !values.some((value) => equalTexts(value, token))) {
      return {
        code: 'credential_mismatch',
        detail: 'The verification token is not equal to the secret of the webhook.',
      };
    }
    return (
      echo(query['hub.challenge'] ?? '') ?? {
        code: 'body_unreadable',
        detail: 'There is no usable challenge.',
      }
    );
  },
  parse(text) {
    const body = parseJson(text);
    checkEvents(valueAt(body, 'events'));
    return body;
  },
  isFrom: (sender, { body }) => valueAt(body, 'domain_id') === sender,
  read: ({ body }, { finishedValues = [CLOSED] }) =>
    eventsIn(body).map((event) => readEvent(event, finishedValues)),
};

export default ringcx;

function eventsIn(body: Content['body']): unknown[] {
  const events = valueAt(body, 'events');
  return Array.isArray(events) ? events : [];
}

function readEvent(event: unknown, finishedValues: readonly string[]): Reading {
  const type = valueAt(event, 'type');
  const intervention = valueAt(event, 'resource');
  return {
    finished: isOneOf(finishedValues, type),
    // A closed intervention must be opened again before it can be closed again. Other types may come before that.
    provesChange: type === CLOSED,
    happenedAt: valueAt(event, 'issued_at'),
    conversationId: valueAt(intervention, 'metadata', 'custom_field_values', ID),
    crmRef: valueAt(intervention, 'id'),
    deliveryId: valueAt(event, 'id'),
    event,
  };
}
