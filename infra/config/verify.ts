import { z } from 'zod';
import type { ChosenSettings } from '../../functions/schemes/scheme.ts';
import { TOLERANCE_SECONDS } from '../../functions/schemes/timestamp.ts';
import { quote, suggest } from './fault.ts';
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
    return { problem: `has an unknown placeholder ${quote(unknown)}`, mend: suggest(unknown, PLACEHOLDERS) };
  }
  return value.includes('{body}')
    ? undefined
    : { problem: 'has no {body}, so anybody could change the body', mend: WRITE_TEMPLATE };
};

function scheme<Name extends ChosenSettings['scheme'], Shape extends z.core.$ZodShape>(
  name: Name,
  shape: Shape,
) {
  return keys(`How deliveries are proven: ${name}.`, { scheme: z.literal(name), ...shape });
}

/** The schemes that a connection may name. The others are vendors' own: their presets name them. */
const CHOICES = {
  hmac: scheme('hmac', {
    header: header('The header with the signature.'),
    algorithm: oneOf('The hash.', ['sha256', 'sha1', 'sha512']).default('sha256'),
    encoding: oneOf('How the signature is written.', ['hex', 'base64']).default('hex'),
    prefix: text({
      description: 'What stands before the signature in its header, as in sha256=.',
      mend: 'Write what stands before the signature, as in sha256=, or leave it out',
    }).exactOptional(),
    signed: text(
      {
        description: 'What is signed: {body} and, where wanted, {timestamp} and {id}.',
        mend: WRITE_TEMPLATE,
      },
      checkTemplate,
    ).default('{body}'),
    timestampHeader: header('The header with the signed timestamp.').exactOptional(),
    timestampUnit: oneOf('Unix seconds, Unix milliseconds or ISO 8601.', ['s', 'ms', 'iso']).default('s'),
    idHeader: header('The header with the signed id.').exactOptional(),
    toleranceSeconds: whole('How far a timestamp may be from now.', 1, 3600).default(TOLERANCE_SECONDS),
  }),
  'standard-webhooks': scheme('standard-webhooks', {}),
  bearer: scheme('bearer', {}),
  header: scheme('header', { header: header('The header with the token.') }),
  query: scheme('query', {
    parameter: text({
      description: 'The query parameter with the token.',
      mend: 'Write the name of a query parameter, as in token',
    }),
  }),
  basic: scheme('basic', {}),
} satisfies Record<ChosenSettings['scheme'], z.ZodType>;

export const CHOSEN = Object.keys(CHOICES) as ChosenSettings['scheme'][];

type Choice = (typeof CHOICES)[ChosenSettings['scheme']];

export const verify = z
  .discriminatedUnion('scheme', Object.values(CHOICES) as [Choice, ...Choice[]], {
    error: `Write an object with a scheme among ${CHOSEN.join(', ')}`,
  })
  .meta({ description: 'How deliveries are proven genuine.' });
