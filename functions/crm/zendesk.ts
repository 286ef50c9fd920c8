import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, type Reading, USUAL, wasOpen } from './crm.ts';

const EVENT = 'zen:event-type:';
const FINISHED = ['SOLVED', 'CLOSED'];
/** Labels of a ticket that was opened again before the trigger's webhook was sent. */
const OPEN = ['New', 'Open'];
const STATUS_CHANGED = 'ticket.status_changed';
const CUSTOM_STATUS_CHANGED = 'ticket.custom_status_changed';

/**
 * Zendesk Support, both ways that it sends webhooks, with one signature over timestamp and body:
 * subscribed to ticket events, whose body is Zendesk's (custom fields are not in it, `external_id` is), or
 * connected to a trigger or automation, whose body the administrator writes and whose conditions decide.
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
  vendorIssuesSecret: true,
  // Signs the "Test webhook" button's requests before a webhook is created.
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
    // `current` is the custom status here; the category that it belongs to stands in the ticket's detail.
    [CUSTOM_STATUS_CHANGED]: [valueAt(body, 'event', 'current'), valueAt(body, 'detail', 'status')],
  };
  const status = Object.hasOwn(statuses, type) ? (statuses[type] ?? []) : [];
  // Of the old custom status only the id is there, not its category.
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

/** The trigger is the event. Its `{{ticket.status}}` is a label in the account's language, so it counts only if asked. */
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
