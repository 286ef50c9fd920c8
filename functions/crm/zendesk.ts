import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, type Reading, USUAL, wasOpen } from './crm.ts';

const EVENT = 'zen:event-type:';
const FINISHED = ['SOLVED', 'CLOSED'];
/** Labels of a ticket that was opened again before the trigger's webhook was sent. */
const OPEN = ['New', 'Open'];
const STATUS_CHANGED = 'ticket.status_changed';
const CUSTOM_STATUS_CHANGED = 'ticket.custom_status_changed';

/**
 * Zendesk Support, with both kinds of its webhooks. Both have the same signature over timestamp and body. A webhook
 * that is subscribed to ticket events has Zendesk's body, with `external_id` and without custom fields. A webhook
 * that is connected to a trigger or automation has a body that the administrator writes, and its conditions decide.
 *
 * @see https://developer.zendesk.com/documentation/webhooks/verifying/
 * @see https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events
 */
const zendesk: Crm = {
  verify: {
    scheme: 'hmac',
    header: 'x-zendesk-webhook-signature',
    algorithm: 'sha256',
    encoding: 'base64',
    signed: '{timestamp}{body}',
    timestampHeader: 'x-zendesk-webhook-signature-timestamp',
    timestampUnit: 'iso',
    toleranceSeconds: 300,
  },
  answerWithinMs: 10_000,
  vendorIssuesSecret: true,
  // Zendesk signs with it when somebody tests a webhook before it is created.
  publicSecrets: ['dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=='],
  takes: [...USUAL, ...LOOK_UP],
  requires: [],
  provesChange: true,
  read({ body, headers }, { finishedValues }) {
    const type = valueAt(body, 'type');
    const invocation = headers['x-zendesk-webhook-invocation-id'];
    return typeof type === 'string' && type.startsWith(EVENT)
      ? [readEvent(body, type.slice(EVENT.length), finishedValues ?? FINISHED)]
      : [{ ...readTrigger(body, finishedValues), deliveryId: invocation }];
  },
};

export default zendesk;

function readEvent(body: unknown, type: string, finishedValues: readonly string[]): Reading {
  const statuses: Record<string, unknown[]> = {
    [STATUS_CHANGED]: [valueAt(body, 'event', 'current')],
    // Here `current` is the custom status. The ticket's detail has its category.
    [CUSTOM_STATUS_CHANGED]: [valueAt(body, 'event', 'current'), valueAt(body, 'detail', 'status')],
  };
  const status = Object.hasOwn(statuses, type) ? (statuses[type] ?? []) : [];
  // The event has the old custom status's id, but not its category.
  const isComparable = type === STATUS_CHANGED || finishedValues.every((value) => /^\d+$/.test(value));
  return {
    finished: status.some((each) => isOneOf(finishedValues, each)),
    provesChange: isComparable && wasOpen(finishedValues, valueAt(body, 'event', 'previous')),
    happenedAt: valueAt(body, 'time'),
    conversationId: valueAt(body, 'detail', 'external_id'),
    crmRef: valueAt(body, 'detail', 'id'),
    deliveryId: valueAt(body, 'id'),
  };
}

/** Reads a trigger's body. The trigger has decided: a status is a label in the account's language, so few are known. */
function readTrigger(body: unknown, finishedValues?: readonly string[]): Reading {
  const status = valueAt(body, 'status');
  return {
    finished: finishedValues ? isOneOf(finishedValues, status) : !isOneOf(OPEN, status),
    provesChange: wasOpen(finishedValues ?? FINISHED, valueAt(body, 'previous_status')),
    happenedAt: valueAt(body, 'updated_at'),
    conversationId: valueAt(body, 'polyai_conversation_id'),
    crmRef: valueAt(body, 'ticket_id'),
  };
}
