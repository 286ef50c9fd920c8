import { firstGiven, toId } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, overBody, USUAL, wasOpen } from './crm.ts';

const LABELS = ['Resolved', 'Closed'];
/** Finished states of an incident. In other tables the numbers may mean something else: 7 is a cancelled CSM case. */
const INCIDENT = ['6', '7', ...LABELS];

/**
 * ServiceNow, with a Business Rule or Flow that the administrator writes. The platform itself does not sign, so the
 * rule does. Its fields are plain values or, as in the Table API, `{ display_value, value }`.
 *
 * @see https://www.servicenow.com/community/servicenow-ai-platform-forum/how-to-use-glidecertificateencryption-generatemac-method-to/td-p/1119034
 */
const servicenow: Crm = {
  verify: overBody({ header: 'x-sn-hmac-signature-256', algorithm: 'sha256', encoding: 'base64' }),
  schemes: ['hmac', 'header', 'basic', 'standard-webhooks'],
  answerWithinMs: 30_000,
  vendorIssuesSecret: false,
  takes: [...USUAL, ...LOOK_UP, 'verify'],
  requires: [],
  provesChange: true,
  read({ body }, { finishedValues }) {
    const field = (name: string) => fieldValue(valueAt(body, name));
    const table = field('table') ?? 'incident';
    const values = finishedValues ?? (table === 'incident' ? INCIDENT : LABELS);
    const states = [field('state'), valueAt(body, 'state', 'display_value'), field('state_display')];
    const [id, changes] = [toId(field('sys_id')), toId(field('sys_mod_count'))];
    return [
      {
        finished: states.some((state) => isOneOf(values, state)),
        provesChange: wasOpen(
          values,
          field('previous_state'),
          valueAt(body, 'previous_state', 'display_value'),
        ),
        happenedAt: utc(field('sys_updated_on')),
        // Another integration may have its own id in the general column.
        conversationId: firstGiven(field('u_polyai_conversation_id'), field('correlation_id')),
        crmRef: firstGiven(field('number'), id),
        deliveryId: id && changes && `${id}-${changes}`,
      },
    ];
  },
};

export default servicenow;

/** A time with its zone. The platform stores times in UTC and writes no zone, as in `2026-01-01 12:00:00`. */
function utc(time: unknown): unknown {
  return typeof time === 'string' && /^[\d-]{10} [\d:]{8}$/.test(time) ? `${time}Z` : time;
}

/** A field's value in either form. An empty value counts as none. */
function fieldValue(field: unknown): unknown {
  const isObject = typeof field === 'object' && field !== null;
  const value = isObject ? (valueAt(field, 'value') ?? valueAt(field, 'display_value')) : field;
  return value === '' || value === null ? undefined : value;
}
