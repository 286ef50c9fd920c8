import { z } from 'zod';
import type { ChosenSettings } from '../../functions/schemes/scheme.ts';
import { TOLERANCE_SECONDS } from '../../functions/schemes/timestamp.ts';
import { quote, suggest } from './fault.ts';
import { type Breach, ruled, settingsOf } from './rule.ts';
import { textOf } from './text.ts';
import { type Check, checked, keys, oneOf, refuse, text, whole } from './values.ts';

const header = (description: string) =>
  checked(
    z.string({ error: 'Write the name of a header, as in x-signature' }).toLowerCase(),
    refuse('Write the name of a header, as in x-signature', {
      'is not the name of a header': (value) => !HEADER_NAME.test(value),
    }),
  ).meta({ description, pattern: HEADER_NAME.source });

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

/** What a template signs, and the header that it comes from. */
const SIGNED_HEADERS = { timestampHeader: '{timestamp}', idHeader: '{id}' };
/** Filled in after the rules, which refuse these settings without a timestampHeader. */
const TIMESTAMP_DEFAULTS = { timestampUnit: 's', toleranceSeconds: TOLERANCE_SECONDS } as const;

function checkSigned(value: unknown): Breach[] {
  const settings = settingsOf(value);
  return Object.entries(SIGNED_HEADERS).flatMap(([header, placeholder]): Breach[] => {
    const isSigned = textOf(settings.signed).includes(placeholder);
    if (isSigned === Object.hasOwn(settings, header)) return [];
    return isSigned ? [withoutHeader(header, placeholder)] : [unsigned(header, placeholder)];
  });
}

function withoutHeader(header: string, placeholder: string): Breach {
  return {
    path: ['signed'],
    problem: `has ${placeholder}, but no header provides it`,
    fix: `Add "${header}", or remove ${placeholder}`,
  };
}

function unsigned(header: string, placeholder: string): Breach {
  return {
    path: [header],
    problem: 'is not signed, so it proves nothing',
    fix: `Write ${placeholder} into "signed", as in "${placeholder}.{body}", or remove it`,
  };
}

function checkTimestamp(value: unknown): Breach[] {
  const settings = settingsOf(value);
  if (Object.hasOwn(settings, 'timestampHeader')) return [];
  const idle = Object.keys(TIMESTAMP_DEFAULTS).filter((key) => Object.hasOwn(settings, key));
  return idle.map((key) => ({
    path: [key],
    problem: 'has no effect without timestampHeader',
    fix: 'Remove it, or add "timestampHeader"',
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
  algorithm: oneOf('The hash function.', ['sha256', 'sha1', 'sha512']).default('sha256'),
  encoding: oneOf('How the signature is written.', ['hex', 'base64']).default('hex'),
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
  timestampHeader: header('The header with the signed timestamp.').exactOptional(),
  timestampUnit: oneOf('Unix seconds, Unix milliseconds or ISO 8601.', ['s', 'ms', 'iso'])
    .meta({ default: TIMESTAMP_DEFAULTS.timestampUnit })
    .exactOptional(),
  idHeader: header('The header with the signed id.').exactOptional(),
  toleranceSeconds: whole('Maximum difference between a timestamp and now.', 1, 3600)
    .meta({ default: TIMESTAMP_DEFAULTS.toleranceSeconds })
    .exactOptional(),
});

/** The schemes that a connection may name. The others are vendors' own and come with their presets. */
const schemes = {
  hmac: ruled(hmac, checkSigned, checkTimestamp).transform((settings) => ({
    ...TIMESTAMP_DEFAULTS,
    ...settings,
  })),
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
