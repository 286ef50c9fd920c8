import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, USUAL_ANSWER_MS, wasOpen } from './crm.ts';

/** Finished statuses by number and by label. A label is in the account's language. */
const FINISHED = ['4', '5', 'Resolved', 'Closed'];
/** A ticket's type, a hyphen and its number. */
const WITH_TYPE = /^\s*[A-Z]{2,5}-(\d+)\s*$/i;
const ID_FIELDS = ['polyai_conversation_id', 'cf_polyai_conversation_id', 'ticket_cf_polyai_conversation_id'];

/**
 * The preset that Freshdesk and Freshservice share. Their webhooks are not signed: the rule that sends one adds a
 * user name and a password, or a header. With "simple" content the product wraps the chosen fields and names them
 * `ticket_…`. With "advanced" content the administrator writes the body.
 *
 * @param wrappers the names that the wrapping object may have
 */
export function freshworks(...wrappers: string[]): Crm {
  return {
    verify: { scheme: 'basic' },
    schemes: ['basic', 'header'],
    answerWithinMs: USUAL_ANSWER_MS,
    vendorIssuesSecret: false,
    takes: [...USUAL, ...LOOK_UP, 'verify'],
    requires: [],
    provesChange: true,
    read({ body }, { finishedValues = FINISHED }) {
      const wrapper = wrappers.find((name) => valueAt(body, name) !== undefined);
      const ticket = wrapper === undefined ? body : valueAt(body, wrapper);
      const crmRef = first(ticket, ['ticket_id', 'id']);
      return [
        {
          finished: isOneOf(finishedValues, first(ticket, ['status', 'ticket_status'])),
          conversationId: first(ticket, ID_FIELDS),
          crmRef,
          sharedId: withoutType(crmRef),
          // The administrator writes it into the rule: neither product has a placeholder for it.
          provesChange: wasOpen(finishedValues, valueAt(ticket, 'previous_status')),
          happenedAt: valueAt(ticket, 'updated_at'),
        },
      ];
    },
  };
}

/**
 * The ticket's id as the API writes it, which is the id that an agent knows: Freshservice's webhooks write
 * `INC-123` for 123.
 *
 * @see https://api.freshservice.com/#view_a_ticket
 */
function withoutType(id: unknown): unknown {
  return (typeof id === 'string' && WITH_TYPE.exec(id)?.[1]) || id;
}

/** The value of the first field that has one. */
function first(ticket: unknown, names: string[]): unknown {
  return firstGiven(...names.map((name) => valueAt(ticket, name)));
}
