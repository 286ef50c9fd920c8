import { isIP } from 'node:net';
import { z } from 'zod';
import type { Setting } from '../../functions/crm/crm.ts';
import { CRM_NAMES } from '../../functions/crm/index.ts';
import { DATA_CENTRES } from '../../functions/crm/zoho-desk.ts';
import { checkBus } from './bus.ts';
import { toMinutes } from './duration.ts';
import { nearest, quote } from './fault.ts';
import { checkPreset, isReplaceable, presetOf, refusedSecret, requires } from './preset.ts';
import { MAX_ALARM } from './project.ts';
import { ruled } from './rule.ts';
import { checkConversationId, checkFinishedWhen, checkSelector } from './selector.ts';
import { checkSelectorScope } from './selector-scope.ts';
import {
  ADDRESS,
  type Check,
  checkAddress,
  checked,
  duration,
  formed,
  keys,
  listOf,
  oneOf,
  refuse,
  SECRET,
  text,
} from './values.ts';
import { verify } from './verify.ts';
import { checkTimeInForm } from './verify-hmac.ts';

const WRITE_SELECTOR = 'Write JMESPath over body, headers and query, as in body.ticket.id';

const widthOf = (address: string) => ({ 0: -1, 4: 32, 6: 128 })[isIP(address)] ?? -1;

const checkBlock: Check<string> = (value) => {
  const [, address = '', bits] = /^([\d.]+|[\da-f:.]*:[\da-f:.]*)\/(\d{1,3})$/i.exec(value) ?? [];
  if (bits !== undefined && Number(bits) <= widthOf(address)) return undefined;
  // A block cannot have a zone, as in fe80::1%eth0.
  const isAddress = isIP(value) !== 0 && !value.includes('%');
  return {
    problem: isAddress ? 'is a single address, not a CIDR block' : 'is not a CIDR block',
    fix: isAddress
      ? `Write ${value}/${widthOf(value)}`
      : 'Write address/bits, as in 203.0.113.0/24 or 2001:db8::/32',
  };
};

const centres = Object.keys(DATA_CENTRES).map(quote).join(', ');
const CHOOSE_CENTRE = `Choose from ${centres}. The American one is "com"`;

/** Codes of countries differ by one letter, so nothing is guessed from two or three letters. */
function fixCentre(value: string): string {
  const meant = value.length > 3 ? nearest(value, Object.keys(DATA_CENTRES)) : undefined;
  return meant === undefined ? CHOOSE_CENTRE : `Did you mean ${quote(meant)}? ${CHOOSE_CENTRE}`;
}

const checkEnds: Check<string> = (value) =>
  value === value.trim()
    ? undefined
    : {
        problem: `is ${quote(value)}, which begins or ends with white space`,
        fix: `Write ${quote(value.trim())}`,
      };

/** The settings of all presets. A connection may have those that its own preset takes. */
const settings = {
  verify: verify.exactOptional(),
  conversationId: text(
    { description: 'JMESPath of the conversation id. Replaces the preset’s.', fix: WRITE_SELECTOR },
    checkConversationId,
  ).exactOptional(),
  finishedWhen: text(
    {
      description: 'JMESPath that is true when the conversation is over, or "always".',
      fix: WRITE_SELECTOR,
    },
    checkFinishedWhen,
  ).exactOptional(),
  finishedValues: listOf(
    {
      description: 'The statuses, stages or types that mean finished. Replace the preset’s.',
      fix: 'List at least one as text, as in ["solved"]',
    },
    text({ description: 'The value as the CRM sends it.', fix: 'Write it as text in quotes' }, checkEnds),
  ).exactOptional(),
  lookUp: oneOf('Finds the conversation by the id that it shares with the CRM.', [
    'sharedId',
  ]).exactOptional(),
  repeatedFinish: oneOf(
    'Allows lookUp although the events cannot prove that a ticket was not finished before.',
    ['allow'],
  ).exactOptional(),
  sharedId: text(
    { description: 'JMESPath of the shared id. Replaces the preset’s.', fix: WRITE_SELECTOR },
    checkSelector,
  ).exactOptional(),
  format: oneOf('How the body is read. The content type is ignored.', ['json', 'form']).exactOptional(),
  publicUrl: text(
    { description: 'The URL that the CRM calls, if it is not the API’s own.', fix: ADDRESS },
    checkAddress,
  ).exactOptional(),
  allowedSources: listOf(
    {
      description: 'The CIDR blocks that deliveries may come from.',
      fix: 'List at least one CIDR block, or leave it out to allow any source',
    },
    text({ description: 'IPv4 or IPv6.', fix: 'Write a CIDR block, as in 203.0.113.0/24' }, checkBlock),
  ).exactOptional(),
  sender: text({
    description: 'The account, organisation or workspace that deliveries must come from.',
    fix: 'Write its id as text',
  }).exactOptional(),
  dataCentre: checked(z.string({ error: CHOOSE_CENTRE }), (value) =>
    Object.hasOwn(DATA_CENTRES, value)
      ? undefined
      : { problem: `is ${quote(value)}, which is unknown`, fix: fixCentre(value) },
  )
    .meta({ description: 'Zoho’s data centre.', enum: Object.keys(DATA_CENTRES) })
    .exactOptional(),
  audience: text({
    description: 'The webhook id that a token must name.',
    fix: 'Write the id',
  }).exactOptional(),
  jwksUrl: text(
    { description: 'URL of a key set. Replaces the data centre’s.', fix: ADDRESS },
    checkAddress,
  ).exactOptional(),
  field: text({
    description: 'Id of the custom case field that holds the conversation id.',
    fix: 'Write the id of the field, which is a UUID',
  }).exactOptional(),
  bus: formed(
    {
      description: 'Name or ARN of the event bus.',
      fix: 'Write the name or the ARN of an event bus',
    },
    /^(arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/)?[\w./-]{1,256}$/,
    'is neither the name nor the ARN of an event bus',
  ).exactOptional(),
  source: text({
    description: 'The source of the events, if it is not the preset’s or the name of the bus.',
    fix: 'Write the source as the events have it',
  }).exactOptional(),
  eventPattern: z
    .record(z.string(), z.unknown(), { error: 'Write an EventBridge pattern, an object' })
    .meta({ description: 'The EventBridge pattern of the events.' })
    .exactOptional(),
} satisfies Record<Setting, z.ZodType>;

const shape = keys('A CRM’s webhook.', {
  crm: oneOf('The preset.', CRM_NAMES),
  polyai: text({ description: 'The project whose chats it closes.', fix: 'Name a project of "polyai"' }),
  ...settings,
  silentAfter: duration(
    `Alarm if no delivery is verified for this long. At most ${MAX_ALARM}.`,
    refuse(`Write ${MAX_ALARM} or less`, {
      [`is more than ${MAX_ALARM}`]: (minutes) => minutes > toMinutes(MAX_ALARM),
    }),
  ).exactOptional(),
  rehearse: z
    .boolean({ error: 'Write true or false' })
    .meta({ description: 'Verifies and reads deliveries, logs what they would close, and closes nothing.' })
    .exactOptional(),
  ...SECRET,
}).meta({ description: 'A CRM’s webhook.', allOf: CRM_NAMES.map(conditionFor) });

export const connection = ruled(shape, checkPreset, checkBus, checkSelectorScope, checkTimeInForm);

/** What this preset requires and refuses, as JSON Schema for editors. */
function conditionFor(crm: string) {
  const { takes = [] } = presetOf(crm) ?? {};
  const others = Object.keys(settings).filter((setting) => !takes.some((each) => each === setting));
  const refused = [...others, ...refusedSecret(crm)];
  return {
    if: { properties: { crm: { const: crm } }, required: ['crm'] },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
    then: {
      required: requires(crm).filter((setting) => !isReplaceable(crm, setting)),
      properties: Object.fromEntries(refused.map((setting) => [setting, false])),
    },
  };
}
