import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, overBody, type Reading, USUAL, wasOpen } from './crm.ts';

/** What stands before a conversation id in a label. */
const LABEL = 'polyai_conversation_id:';
/** What the body of an automation rule says when the rule has decided. */
const FINISHED = ['issue.done'];
/** Keys of the other categories, and Jira's own names of statuses in them. */
const OPEN = ['new', 'indeterminate', 'to do', 'in progress', 'open', 'reopened'];

/**
 * Jira and Jira Service Management, both ways that they send: an administrator's webhook, signed, whose event
 * is Jira's; or an automation rule's "Send web request", with a token in a header, whose body the
 * administrator writes and whose conditions decide.
 *
 * @see https://developer.atlassian.com/cloud/jira/platform/webhooks/
 * @see https://support.atlassian.com/cloud-automation/docs/jira-automation-actions/
 */
const jira: Crm = {
  verify: overBody({ header: 'x-hub-signature', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' }),
  schemes: ['hmac', 'header', 'bearer', 'basic'],
  vendorIssuesSecret: false,
  // Signs the example in Atlassian's documentation.
  publicSecrets: ["It's a Secret to Everybody"],
  takes: [...USUAL, ...LOOK_UP, 'verify'],
  requires: [],
  provesChange: true,
  read({ body, headers }, { finishedValues }) {
    const isEvent = valueAt(body, 'webhookEvent') !== undefined;
    const reading = isEvent ? readEvent(body, finishedValues) : readRule(body, finishedValues);
    return [{ ...reading, deliveryId: headers['x-atlassian-webhook-identifier'] }];
  },
};

export default jira;

function readEvent(body: unknown, finishedValues?: readonly string[]): Reading {
  const changes = valueAt(body, 'changelog', 'items');
  const moves = Array.isArray(changes) ? changes.filter((item) => valueAt(item, 'field') === 'status') : [];
  const isDone = valueAt(body, 'issue', 'fields', 'status', 'statusCategory', 'key') === 'done';
  return {
    // The new status stands in the item by name and by id; its category only in the issue.
    finished:
      valueAt(body, 'webhookEvent') === 'jira:issue_updated' &&
      moves.some((item) =>
        finishedValues
          ? isOneOf(finishedValues, valueAt(item, 'toString')) || isOneOf(finishedValues, valueAt(item, 'to'))
          : isDone,
      ),
    ...(finishedValues
      ? { provesChange: moves.length > 0 && moves.every((item) => beganOpen(finishedValues, item)) }
      : // The category of the old status is not in the event, but since when the issue is in the new one is.
        { finishedAt: valueAt(body, 'issue', 'fields', 'statuscategorychangedate') }),
    happenedAt: valueAt(body, 'timestamp'),
    conversationId: idsOf(valueAt(body, 'issue', 'fields', 'labels')),
    crmRef: valueAt(body, 'issue', 'key'),
  };
}

function readRule(body: unknown, finishedValues?: readonly string[]): Reading {
  const isOpen = ['status', 'status_category'].some((key) => isOneOf(OPEN, valueAt(body, key)));
  return {
    finished: finishedValues
      ? isOneOf(finishedValues, valueAt(body, 'status'))
      : isOneOf(FINISHED, valueAt(body, 'event')) && !isOpen,
    ...(finishedValues
      ? { provesChange: wasOpen(finishedValues, valueAt(body, 'previous_status')) }
      : { finishedAt: valueAt(body, 'status_category_changed_at') }),
    happenedAt: valueAt(body, 'updated_at'),
    conversationId: valueAt(body, 'polyai_conversation_id'),
    crmRef: valueAt(body, 'issue_key'),
  };
}

/** Whether a move began in a status that is none of the finished ones, by name and by id. */
function beganOpen(finishedValues: readonly string[], item: unknown): boolean {
  return wasOpen(finishedValues, valueAt(item, 'from'), valueAt(item, 'fromString'));
}

function idsOf(labels: unknown): string[] {
  return (Array.isArray(labels) ? labels : []).flatMap((label) =>
    typeof label === 'string' && label.startsWith(LABEL) ? [label.slice(LABEL.length)] : [],
  );
}
