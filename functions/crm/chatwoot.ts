import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, wasOpen } from './crm.ts';

const FINISHED = ['resolved'];
const STATUS_CHANGED = 'conversation_status_changed';
const UPDATED = 'conversation_updated';

/**
 * Chatwoot: a webhook of an account. Newer releases sign the time and the body. Older ones sign nothing, so a connection
 * may use a token in the address instead.
 *
 * @see https://github.com/chatwoot/chatwoot/blob/develop/app/listeners/webhook_listener.rb
 * @see https://github.com/chatwoot/chatwoot/blob/develop/app/presenters/conversations/event_data_presenter.rb
 */
const chatwoot: Crm = {
  verify: {
    scheme: 'hmac',
    header: 'x-chatwoot-signature',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: 'sha256=',
    signed: '{timestamp}.{body}',
    timestampHeader: 'x-chatwoot-timestamp',
    timestampUnit: 's',
    toleranceSeconds: 300,
  },
  schemes: ['query'],
  answerWithinMs: 5000,
  vendorIssuesSecret: true,
  takes: [...USUAL, ...LOOK_UP, 'verify'],
  requires: [],
  provesChange: true,
  read({ body, headers }, { finishedValues = FINISHED }) {
    const event = valueAt(body, 'event');
    const change = statusChange(valueAt(body, 'changed_attributes'));
    // Any other update of a resolved conversation shows its status, too.
    const isChange = event === STATUS_CHANGED || (event === UPDATED && change !== undefined);
    return [
      {
        finished: isChange && isOneOf(finishedValues, valueAt(body, 'status')),
        provesChange: wasOpen(finishedValues, valueAt(change, 'previous_value')),
        happenedAt: valueAt(body, 'updated_at'),
        conversationId: valueAt(body, 'custom_attributes', 'polyai_conversation_id'),
        crmRef: valueAt(body, 'id'),
        deliveryId: headers['x-chatwoot-delivery'],
      },
    ];
  },
};

export default chatwoot;

/** The change of the status in a list such as `[{ "status": { "previous_value": …, "current_value": … } }]`. */
function statusChange(changes: unknown): unknown {
  const list = Array.isArray(changes) ? changes : [changes];
  return list.map((each) => valueAt(each, 'status')).find((each) => each !== undefined);
}
