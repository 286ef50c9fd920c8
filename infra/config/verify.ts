import { z } from 'zod';
import type { ChosenSettings } from '../../functions/schemes/scheme.ts';
import { TOLERANCE_SECONDS } from '../../functions/schemes/timestamp.ts';
import { type Problem, quote, suggest } from './fault.ts';
import { type Breach, type Rule, ruled, settingsOf } from './rule.ts';
import { checkSelector } from './selector.ts';
import { readsOf } from './selector-reads.ts';
import { textOf } from './text.ts';
import { type Check, checked, formed, keys, oneOf, refuse, text, whole } from './values.ts';

const header = (description: string) =>
  checked(
    z.string({ error: 'Write the name of a header, as in x-signature' }).toLowerCase(),
    refuse('Write the name of a header, as in x-signature', {
      'is not the name of a header': (value) => !HEADER_NAME.test(value),
    }),
  ).meta({ description, pattern: HEADER_NAME.source });

const parameter = (description: string, example: string) =>
  formed(
    { description, fix: `Write the name of a parameter, as in ${example}` },
    /^[\w-]+$/,
    'is not the name of a parameter',
  ).exactOptional();

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PLACEHOLDERS = ['{body}', '{timestamp}', '{id}'];
const WRITE_TEMPLATE = 'Write it as the sender signs it, as in {timestamp}.{body}';

const checkTemplate: Check<string> = (value) => {
  const unknown = value.match(/\{[^{}]*\}/g)?.find((each) => !PLACEHOLDERS.includes(each));
  if (unknown) {
    return { problem: `has an unknown placeholder ${quote(unknown)}`, fix: suggest(unknown, PLACEHOLDERS) };
  }
  return value.includes('{body}')
    ? undefined
    : { problem: 'has no {body}, so anybody could change the body', fix: WRITE_TEMPLATE };
};

/** What a template signs, and the settings that may provide it. */
const SOURCES = { '{timestamp}': ['timestampHeader', 'timestampParameter'], '{id}': ['idHeader'] };
/** The settings that provide a time. */
const TIMES = ['timestampHeader', 'timestampParameter', 'timestampSelector'];
/** Filled in after the rules, which refuse these settings without a time. */
const TIMESTAMP_DEFAULTS = { timestampUnit: 's', toleranceSeconds: TOLERANCE_SECONDS } as const;

function checkSigned(value: unknown): Breach[] {
  const settings = settingsOf(value);
  return Object.entries(SOURCES).flatMap(([placeholder, sources]): Breach[] => {
    const given = sources.filter((source) => Object.hasOwn(settings, source));
    const isSigned = textOf(settings.signed).includes(placeholder);
    const [first = '', second] = given;
    if (isSigned && !first) return [withoutSource(sources[0] ?? '', placeholder)];
    if (second) return [ambiguous(second, first)];
    // A header with the time that is in the body is compared with it.
    const isCompared = first === 'timestampHeader' && Object.hasOwn(settings, 'timestampSelector');
    return !first || isSigned || isCompared ? [] : [unsigned(first, placeholder)];
  });
}

function withoutSource(source: string, placeholder: string): Breach {
  return {
    path: ['signed'],
    problem: `has ${placeholder}, but no header provides it`,
    fix: `Add "${source}", or remove ${placeholder}`,
  };
}

function unsigned(source: string, placeholder: string): Breach {
  return {
    path: [source],
    problem: 'is not signed, so it proves nothing',
    fix: `Write ${placeholder} into "signed", as in "${placeholder}.{body}", or remove it`,
  };
}

function ambiguous(source: string, other: string): Breach {
  return { path: [source], problem: `names the time that ${other} names, too`, fix: 'Keep one of the two' };
}

function checkParameters(value: unknown): Breach[] {
  const settings = settingsOf(value);
  const isAlone =
    Object.hasOwn(settings, 'timestampParameter') && !Object.hasOwn(settings, 'signatureParameter');
  // One that is not signed is a fault already.
  if (!isAlone || !textOf(settings.signed).includes('{timestamp}')) return [];
  return [
    {
      path: ['timestampParameter'],
      problem: 'has no effect without signatureParameter',
      fix: 'Name the parameter with the signature, as in "signatureParameter": "v1"',
    },
  ];
}

/** The signature covers the body alone. */
function checkTimeSelector(expression: string): Problem | undefined {
  const problem = checkSelector(expression);
  if (problem) return problem;
  const { keys, everything } = readsOf(expression);
  const isBody = !everything && keys.size === 1 && keys.has('body');
  return isBody ? undefined : { problem: 'does not read the body alone', fix: WRITE_TIME };
}

const WRITE_TIME = 'Write JMESPath of a time in the body, as in body.sent_at';

function checkTimestamp(value: unknown): Breach[] {
  const settings = settingsOf(value);
  if (TIMES.some((time) => Object.hasOwn(settings, time))) return [];
  const idle = Object.keys(TIMESTAMP_DEFAULTS).filter((key) => Object.hasOwn(settings, key));
  return idle.map((key) => ({
    path: [key],
    problem: 'has no effect without timestampHeader',
    fix: 'Remove it, or add "timestampHeader", "timestampParameter" or "timestampSelector"',
  }));
}

function scheme<Name extends ChosenSettings['scheme'], Shape extends z.core.$ZodShape>(
  name: Name,
  shape: Shape,
) {
  return keys(`How deliveries are verified: ${name}.`, { scheme: z.literal(name), ...shape });
}

const hmac = scheme('hmac', {
  header: header('The header with the signature.'),
  signatureParameter: parameter(
    'The parameter of that header with the signature, if the header is a list, as v1 in t=…,v1=….',
    'v1',
  ),
  timestampParameter: parameter(
    'The parameter of that header with the signed timestamp, as t in t=…,v1=….',
    't',
  ),
  algorithm: oneOf('The hash function.', ['sha256', 'sha1', 'sha512']).default('sha256'),
  encoding: oneOf('How the signature is written.', ['hex', 'base64']).default('hex'),
  keyEncoding: oneOf('How the stored key is written; text is not decoded.', ['text', 'hex', 'base64'])
    .meta({ default: 'text' })
    .exactOptional(),
  prefix: text({
    description: 'What is before the signature in its header, as in sha256=.',
    fix: 'Write what is before the signature, as in sha256=, or leave it out',
  }).exactOptional(),
  signed: text(
    {
      description: 'What is signed: {body} and, if the sender signs them, {timestamp} and {id}.',
      fix: WRITE_TEMPLATE,
    },
    checkTemplate,
  ).default('{body}'),
  timestampHeader: header(
    'The header with the signed timestamp, or with the one of timestampSelector.',
  ).exactOptional(),
  timestampSelector: text(
    { description: 'JMESPath of a time in the signed JSON body.', fix: WRITE_TIME },
    checkTimeSelector,
  ).exactOptional(),
  timestampUnit: oneOf('Unix seconds, Unix milliseconds or ISO 8601.', ['s', 'ms', 'iso'])
    .meta({ default: TIMESTAMP_DEFAULTS.timestampUnit })
    .exactOptional(),
  idHeader: header('The header with the signed id.').exactOptional(),
  toleranceSeconds: whole('Maximum difference between a timestamp and now.', 1, 3600)
    .meta({ default: TIMESTAMP_DEFAULTS.toleranceSeconds })
    .exactOptional(),
});

const rsa = scheme('rsa', {
  header: header('The header with the signature.'),
  encoding: oneOf('How the signature is written.', ['base64', 'hex']).default('base64'),
});

/** The time in the body is read from JSON. */
export const checkTimeInForm: Rule = (value) => {
  const { format, verify } = settingsOf(value);
  if (format !== 'form' || !Object.hasOwn(settingsOf(verify), 'timestampSelector')) return [];
  return [
    {
      path: ['verify', 'timestampSelector'],
      problem: 'reads a JSON body, but "format" is "form"',
      fix: 'Remove one of the two',
    },
  ];
};

/** The schemes that a connection may name. The others are vendors' own and come with their presets. */
const schemes = {
  hmac: ruled(hmac, checkSigned, checkParameters, checkTimestamp).transform((settings) => ({
    ...TIMESTAMP_DEFAULTS,
    ...settings,
  })),
  rsa,
  'standard-webhooks': scheme('standard-webhooks', {}),
  bearer: scheme('bearer', {}),
  header: scheme('header', { header: header('The header with the token.') }),
  query: scheme('query', {
    parameter: text({
      description: 'The query parameter with the token.',
      fix: 'Write the name of a query parameter, as in token',
    }),
  }),
  basic: scheme('basic', {}),
} satisfies Record<ChosenSettings['scheme'], z.ZodType>;

export const CHOSEN = Object.keys(schemes) as ChosenSettings['scheme'][];

type Option = (typeof schemes)[keyof typeof schemes];

export const verify = z
  .discriminatedUnion('scheme', Object.values(schemes) as [Option, ...Option[]], {
    error: `Write an object with a scheme among ${CHOSEN.join(', ')}`,
  })
  .meta({ description: 'How deliveries are verified.' });
