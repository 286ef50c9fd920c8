import { firstGiven } from '../conversation-id.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, wasOpen } from './crm.ts';

/** By number and by label; a label is in the account's language. */
const FINISHED = ['4', '5', 'Resolved', 'Closed'];
/** The type of a ticket, a hyphen and its number. */
const WITH_TYPE = /^\s*[A-Z]{2,5}-(\d+)\s*$/i;
const ID_FIELDS = ['polyai_conversation_id', 'cf_polyai_conversation_id', 'ticket_cf_polyai_conversation_id'];

/**
 * What Freshdesk's and Freshservice's webhooks share. Nothing is signed: the rule that sends one adds a user
 * name and a password, or a header. With "simple" content the product wraps the chosen fields and calls them
 * `ticket_…`; with "advanced" content the administrator writes the body.
 *
 * @param wrappers the names of the wrapping object
 */
export function freshworks(...wrappers: string[]): Crm {
  return {
    verify: { scheme: 'basic' },
    schemes: ['basic', 'header'],
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
          // The rule names it: neither product has a placeholder for it.
          provesChange: wasOpen(finishedValues, valueAt(ticket, 'previous_status')),
          happenedAt: valueAt(ticket, 'updated_at'),
        },
      ];
    },
  };
}

/**
 * The ticket's id as the API writes it, from which an agent has it: Freshservice's webhooks say `INC-123` for
 * 123.
 *
 * @see https://api.freshservice.com/#view_a_ticket
 */
function withoutType(id: unknown): unknown {
  return (typeof id === 'string' && WITH_TYPE.exec(id)?.[1]) || id;
}

/** The first of several fields that holds something. */
function first(ticket: unknown, names: string[]): unknown {
  return firstGiven(...names.map((name) => valueAt(ticket, name)));
}
