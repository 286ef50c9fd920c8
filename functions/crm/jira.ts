import { valueAt } from '../json.ts';
import {
  type Crm,
  isOneOf,
  LOOK_UP,
  overBody,
  type Reading,
  USUAL,
  USUAL_ANSWER_MS,
  wasOpen,
} from './crm.ts';

/** The prefix of a label that has a conversation id. */
const LABEL = 'polyai_conversation_id:';
/** The event in the body of an automation rule, which has decided that the issue is done. */
const FINISHED = ['issue.done'];
/** Keys of the status categories that are not done, and Jira's own names of statuses in them. */
const OPEN = ['new', 'indeterminate', 'to do', 'in progress', 'open', 'reopened'];

/**
 * Jira and Jira Service Management, with both ways to send. An administrator's webhook is signed and sends Jira's
 * event. An automation rule's "Send web request" has a token in a header; the administrator writes its body, and the
 * rule's conditions decide.
 *
 * @see https://developer.atlassian.com/cloud/jira/platform/webhooks/
 * @see https://support.atlassian.com/cloud-automation/docs/jira-automation-actions/
 */
const jira: Crm = {
  verify: overBody({ header: 'x-hub-signature', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' }),
  schemes: ['hmac', 'header', 'bearer', 'basic'],
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: false,
  // Atlassian's documentation signs its example with it.
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
    // The item has the new status by name and by id. Only the issue has its category.
    finished:
      valueAt(body, 'webhookEvent') === 'jira:issue_updated' &&
      moves.some((item) =>
        finishedValues
          ? isOneOf(finishedValues, valueAt(item, 'toString')) || isOneOf(finishedValues, valueAt(item, 'to'))
          : isDone,
      ),
    ...(finishedValues
      ? { provesChange: moves.length > 0 && moves.every((item) => beganOpen(finishedValues, item)) }
      : // The event does not have the old status's category. It has the time when the category changed.
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

/** Whether a move began in a status that is not finished, neither by its name nor by its id. */
function beganOpen(finishedValues: readonly string[], item: unknown): boolean {
  return wasOpen(finishedValues, valueAt(item, 'from'), valueAt(item, 'fromString'));
}

function idsOf(labels: unknown): string[] {
  return (Array.isArray(labels) ? labels : []).flatMap((label) =>
    typeof label === 'string' && label.startsWith(LABEL) ? [label.slice(LABEL.length)] : [],
  );
}
