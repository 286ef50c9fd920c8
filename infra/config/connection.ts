import { isIP } from 'node:net';
import { z } from 'zod';
import { CRM_NAMES } from '../../functions/crm/index.ts';
import { DATA_CENTRES } from '../../functions/crm/zoho-desk.ts';
import { nearest, quote } from './fault.ts';
import { isReplaceable, refusedSecret, requires, takes } from './preset.ts';
import { checkConversationId, checkFinishedWhen, checkSelector } from './selector.ts';
import {
  ADDRESS,
  type Check,
  checkAddress,
  checked,
  formed,
  keys,
  listOf,
  oneOf,
  SECRET,
  text,
} from './values.ts';
import { verify } from './verify.ts';

const WRITE_SELECTOR = 'Write JMESPath over body, headers and query, as in body.ticket.id';

const widthOf = (address: string) => ({ 0: -1, 4: 32, 6: 128 })[isIP(address)] ?? -1;

const checkBlock: Check<string> = (value) => {
  const [, address = '', bits] = /^([\d.]+|[\da-f:.]*:[\da-f:.]*)\/(\d{1,3})$/i.exec(value) ?? [];
  if (bits !== undefined && Number(bits) <= widthOf(address)) return undefined;
  // A zone, as in fe80::1%eth0, cannot stand in a block.
  const isAddress = isIP(value) !== 0 && !value.includes('%');
  return {
    problem: isAddress ? 'is one address, and is not a CIDR block' : 'is not a CIDR block',
    mend: isAddress
      ? `Write ${value}/${widthOf(value)}`
      : 'Write address/bits, as in 203.0.113.0/24 or 2001:db8::/32',
  };
};

const centres = Object.keys(DATA_CENTRES).map(quote).join(', ');
const CHOOSE_CENTRE = `Choose from ${centres}; the American one is "com"`;

/** A country's two letters are a letter away from another's, so nothing is guessed from them. */
function mendCentre(value: string): string {
  const meant = value.length > 3 ? nearest(value, Object.keys(DATA_CENTRES)) : undefined;
  return meant === undefined ? CHOOSE_CENTRE : `Did you mean ${quote(meant)}? ${CHOOSE_CENTRE}`;
}

const checkEnds: Check<string> = (value) =>
  value === value.trim()
    ? undefined
    : {
        problem: `is ${quote(value)}, which begins or ends with white space`,
        mend: `Write ${quote(value.trim())}`,
      };

/** Every preset's settings; rules.ts refuses those that the connection's own does not take. */
const settings = {
  verify: verify.exactOptional(),
  conversationId: text(
    { description: 'JMESPath of the conversation id, instead of the preset’s.', mend: WRITE_SELECTOR },
    checkConversationId,
  ).exactOptional(),
  finishedWhen: text(
    {
      description: 'JMESPath that is true when the conversation is over, or "always".',
      mend: WRITE_SELECTOR,
    },
    checkFinishedWhen,
  ).exactOptional(),
  finishedValues: listOf(
    {
      description: 'The statuses, stages or types that mean finished, where the preset’s do not fit.',
      mend: 'List at least one as text, as in ["solved"]',
    },
    text({ description: 'As the CRM sends it.', mend: 'Write it as text in quotes' }, checkEnds),
  ).exactOptional(),
  lookUp: oneOf('Find the conversation by the id that it shares with the CRM.', ['sharedId']).exactOptional(),
  repeatedFinish: oneOf(
    'Take lookUp although the events cannot prove that a ticket was not finished before.',
    ['allow'],
  ).exactOptional(),
  sharedId: text(
    { description: 'JMESPath of the shared id, instead of the preset’s.', mend: WRITE_SELECTOR },
    checkSelector,
  ).exactOptional(),
  format: oneOf('How the body is read; no header decides.', ['json', 'form']).exactOptional(),
  publicUrl: text(
    { description: 'The address that the CRM calls, where it is not the API’s own.', mend: ADDRESS },
    checkAddress,
  ).exactOptional(),
  allowedSources: listOf(
    {
      description: 'The CIDR blocks that deliveries may come from.',
      mend: 'List at least one CIDR block, or leave it out to allow any source',
    },
    text({ description: 'IPv4 or IPv6.', mend: 'Write a CIDR block, as in 203.0.113.0/24' }, checkBlock),
  ).exactOptional(),
  sender: text({
    description: 'The account, organisation or workspace that must have sent it.',
    mend: 'Write its id as text',
  }).exactOptional(),
  dataCentre: checked(z.string({ error: CHOOSE_CENTRE }), (value) =>
    Object.hasOwn(DATA_CENTRES, value)
      ? undefined
      : { problem: `is ${quote(value)}, which is unknown`, mend: mendCentre(value) },
  )
    .meta({ description: 'Zoho’s data centre.', enum: Object.keys(DATA_CENTRES) })
    .exactOptional(),
  audience: text({
    description: 'The webhook id that a token must name.',
    mend: 'Write the id',
  }).exactOptional(),
  jwksUrl: text(
    { description: 'Another key set than the data centre’s.', mend: ADDRESS },
    checkAddress,
  ).exactOptional(),
  bus: formed(
    { description: 'Name or ARN of the event bus.', mend: 'Write the name or the ARN of an event bus' },
    /^(arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/)?[\w./-]{1,256}$/,
    'is neither the name nor the ARN of an event bus',
  ).exactOptional(),
  source: text({
    description: 'The source of the events, where the preset’s does not fit.',
    mend: 'Write the source as events name it',
  }).exactOptional(),
  eventPattern: z
    .record(z.string(), z.unknown(), { error: 'Write an EventBridge pattern, an object' })
    .meta({ description: 'The pattern of the events.' })
    .exactOptional(),
};

/** The settings that a preset may take or refuse. */
export const SETTINGS = Object.keys(settings);

export const connection = keys('A CRM’s webhook.', {
  crm: oneOf('The preset.', CRM_NAMES),
  polyai: text({ description: 'The project whose chats it closes.', mend: 'Name a project of "polyai"' }),
  ...settings,
  ...SECRET,
}).meta({ description: 'A CRM’s webhook.', allOf: CRM_NAMES.map(settingsOf) });

/** For editors: what this preset requires and refuses. */
function settingsOf(crm: string) {
  const refused = [...SETTINGS.filter((setting) => !takes(crm).includes(setting)), ...refusedSecret(crm)];
  return {
    if: { properties: { crm: { const: crm } }, required: ['crm'] },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
    then: {
      required: requires(crm).filter((setting) => !isReplaceable(crm, setting)),
      properties: Object.fromEntries(refused.map((setting) => [setting, false])),
    },
  };
}
