import { at, type Crm, isOneOf, LOOK_UP, USUAL, wasOpen } from './crm.ts';

/** By number and by label; a label is in the account's language. */
const FINISHED = ['4', '5', 'Resolved', 'Closed'];
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
      const wrapper = wrappers.find((name) => at(body, name) !== undefined);
      const ticket = wrapper === undefined ? body : at(body, wrapper);
      return [
        {
          finished: isOneOf(finishedValues, first(ticket, ['status', 'ticket_status'])),
          conversationId: first(ticket, ID_FIELDS),
          crmRef: first(ticket, ['ticket_id', 'id']),
          // The rule names it: neither product has a placeholder for it.
          provesChange: wasOpen(finishedValues, at(ticket, 'previous_status')),
          happenedAt: at(ticket, 'updated_at'),
        },
      ];
    },
  };
}

/** The first of several fields that holds something: an empty placeholder leaves an empty text. */
function first(ticket: unknown, names: string[]): unknown {
  return names
    .map((name) => at(ticket, name))
    .find((value) => value !== undefined && value !== null && value !== '');
}
