import { z } from 'zod';
import type { ChosenSettings } from '../../functions/schemes/scheme.ts';
import { ruled } from './rule.ts';
import { checked, formed, keys, oneOf, refuse, text, whole } from './values.ts';
import {
  checkParameters,
  checkSigned,
  checkTemplate,
  checkTimeSelector,
  checkTimestamp,
  TIMESTAMP_DEFAULTS,
  WRITE_TEMPLATE,
  WRITE_TIME,
} from './verify-hmac.ts';

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
