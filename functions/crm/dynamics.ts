import { isGiven } from '../conversation-id.ts';
import type { Content } from '../delivery.ts';
import { valueAt } from '../json.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, wasOpen } from './crm.ts';

/** A case's `statecode`: 0 active, 1 resolved, 2 cancelled. */
const ACTIVE = '0';
const RESOLVED = '1';
const CASE = 'incident';
/** The table of conversations in omnichannel, and the name of the state that ends one. */
const CONVERSATION = 'msdyn_ocliveworkitem';
const CLOSED = 'Closed';
const NO_OPERATION = '00000000-0000-0000-0000-000000000000';

/**
 * Dynamics 365 Customer Service: a Dataverse webhook on the table of cases, or of omnichannel conversations. It
 * has a shared secret and no signature. An update names only the columns that changed, so the id comes from an
 * image of the row. The image is registered with the step.
 *
 * @see https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks
 * @see https://learn.microsoft.com/power-apps/developer/data-platform/register-web-hook
 */
const dynamics: Crm = {
  verify: { scheme: 'header', header: 'x-polyai-token' },
  schemes: ['header', 'query'],
  answerWithinMs: 60_000,
  vendorIssuesSecret: false,
  takes: [...USUAL, ...LOOK_UP, 'verify', 'sender'],
  requires: [],
  senderForm: {
    pattern: /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9-]+(\.[a-z0-9-]+){2,})$/i,
    fix: 'Write the environment’s host, such as contoso.crm.dynamics.com, or its OrganizationId, which is a GUID',
  },
  provesChange: true,
  isFrom: (sender, { body, headers }) =>
    isOneOf([sender], headers['x-ms-dynamics-organization']) ||
    isOneOf([sender], valueAt(body, 'OrganizationId')),
  read({ body, headers }, { finishedValues }) {
    const rows = [...images(body, 'PostEntityImages'), parameter(body, 'Target')];
    const before = images(body, 'PreEntityImages');
    const table = valueAt(body, 'PrimaryEntityName');
    const change =
      table === CONVERSATION
        ? readConversation(body, rows, before, finishedValues)
        : readCase(body, rows, before, finishedValues);
    const isKnown = table === CASE || table === CONVERSATION;
    const operation = valueAt(body, 'OperationId');
    return [
      {
        finished: isTrimmed(headers) ? 'message_trimmed' : isKnown && change.isFinished,
        conversationId: attribute(rows, 'new_polyaiconversationid'),
        crmRef: valueAt(body, 'PrimaryEntityId'),
        provesChange: change.wasOpen,
        happenedAt: timeOf(valueAt(body, 'OperationCreatedOn')),
        deliveryId: operation && operation !== NO_OPERATION ? operation : valueAt(body, 'CorrelationId'),
      },
    ];
  },
};

export default dynamics;

type Change = { isFinished: boolean; wasOpen: boolean };

function readCase(
  body: unknown,
  rows: unknown[],
  before: unknown[],
  finishedValues: readonly string[] = [RESOLVED],
): Change {
  return {
    isFinished: isOneOf(finishedValues, newState(body, rows)),
    wasOpen: wasOpen(finishedValues, attribute(before, 'statecode')),
  };
}

/**
 * Reads an omnichannel conversation, whose state is its `statuscode`. Its number is not documented where it could be
 * checked, so by default only its name counts. A number counts as `statuscode=4`: a plain one would be a case's state.
 */
function readConversation(
  body: unknown,
  rows: unknown[],
  before: unknown[],
  finishedValues: readonly string[] = [CLOSED],
): Change {
  const isUpdate = valueAt(body, 'MessageName') === 'Update';
  const earlier = statuses(before);
  // The previous state must be written in the same way as the new one: a name says nothing about a number.
  const found = statuses(rows).findIndex((status) => isOneOf(finishedValues, status));
  return {
    isFinished: isUpdate && found !== -1,
    wasOpen: found !== -1 && wasOpen(finishedValues, earlier[found]),
  };
}

/** The name and the number of a conversation's state, as far as the rows have them. */
function statuses(rows: unknown[]): [unknown, unknown] {
  const names = rows.map((row) => entry(valueAt(row, 'FormattedValues'), 'statuscode'));
  const number = attribute(rows, 'statuscode');
  return [names.find(isGiven), isGiven(number) ? `statuscode=${number}` : undefined];
}

/** Whether Dataverse left out the parameters and images, which it does above 256 KB. */
function isTrimmed(headers: Content['headers']): boolean {
  const given = headers['x-ms-dynamics-msg-size-exceeded'];
  return given !== undefined && given.toLowerCase() !== 'false';
}

/** The state after the operation. `CloseIncident` resolves a case, unless the image says that it is active. */
function newState(body: unknown, rows: unknown[]): unknown {
  const state = attribute(rows, 'statecode');
  const message = valueAt(body, 'MessageName');
  if (message === 'CloseIncident') return isOneOf([ACTIVE], state) ? state : RESOLVED;
  return message === 'Update' ? state : undefined;
}

/** Milliseconds since 1970 in `/Date(1506409448000-0700)/`. Its zone is only for display. */
function timeOf(text: unknown): number | undefined {
  const [, milliseconds] = /^\/Date\((\d{1,15})([+-]\d{4})?\)\/$/.exec(String(text)) ?? [];
  return milliseconds === undefined ? undefined : Number(milliseconds);
}

/** The rows before or after the operation, whatever their aliases. */
function images(body: unknown, when: 'PreEntityImages' | 'PostEntityImages'): unknown[] {
  return pairs(valueAt(body, when)).map((image) => valueAt(image, 'value'));
}

function parameter(body: unknown, key: string): unknown {
  return entry(valueAt(body, 'InputParameters'), key);
}

/** A column's value in the first row that has it. A choice is read as its number. */
function attribute(rows: unknown[], key: string): unknown {
  const found = rows.map((row) => entry(valueAt(row, 'Attributes'), key));
  return found.map((each) => valueAt(each, 'Value') ?? each).find(isGiven);
}

/** The value of a key. Dataverse writes a dictionary as an array of `{ key, value }`. */
function entry(dictionary: unknown, key: string): unknown {
  return valueAt(
    pairs(dictionary).find((pair) => valueAt(pair, 'key') === key),
    'value',
  );
}

function pairs(dictionary: unknown): unknown[] {
  return Array.isArray(dictionary) ? dictionary : [];
}
