import { z } from 'zod';
import { DURATION, toMinutes } from './duration.ts';
import { type Finding, suggest } from './fault.ts';

/** The rule for names of projects and connections, which stand in addresses and in names of secrets. */
export const NAME = /^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/;

export type Check<Value> = (value: Value) => Finding | undefined;

/** A value with a check of its own, which runs whatever else is wrong in the file. */
export function checked<Type extends z.ZodType>(type: Type, check: Check<z.output<Type>>): Type {
  return type.check((context) => {
    const { problem, mend } = check(context.value) ?? {};
    if (problem)
      context.issues.push({ code: 'custom', input: context.value, message: problem, params: { mend } });
  });
}

/** A check from a table: what can be wrong, as the rest of a sentence, with its test. */
export function refuse<Value>(
  mend: string,
  problems: Record<string, (value: Value) => boolean>,
): Check<Value> {
  return (value) => {
    const problem = Object.keys(problems).find((each) => problems[each]?.(value));
    return problem === undefined ? undefined : { problem, mend };
  };
}

type Words = { description: string; mend: string };

/** A string; `check` sees none that is empty. */
export function text({ description, mend }: Words, check: Check<string> = () => undefined) {
  const empty = refuse<string>(mend, { 'is empty': (value) => value.trim() === '' });
  return checked(z.string({ error: mend }), (value) => empty(value) ?? check(value)).meta({
    description,
    minLength: 1,
  });
}

/** A string of one form; `check` sees none of another. */
export function formed(words: Words, form: RegExp, problem: string, check: Check<string> = () => undefined) {
  const own = refuse<string>(words.mend, { [problem]: (value) => !form.test(value) });
  return text(words, (value) => own(value) ?? check(value)).meta({
    description: words.description,
    pattern: form.source,
  });
}

export function whole(description: string, minimum: number, maximum: number) {
  const mend = `Write a whole number from ${minimum} to ${maximum}`;
  const check = refuse<number>(mend, {
    'is not a whole number': (value) => !Number.isSafeInteger(value),
    [`is less than ${minimum}`]: (value) => value < minimum,
    [`is more than ${maximum}`]: (value) => value > maximum,
  });
  return checked(z.number({ error: mend }), check).meta({ description, type: 'integer', minimum, maximum });
}

export function oneOf<Choice extends string>(description: string, choices: readonly Choice[]) {
  return z.enum(choices, { error: suggest(undefined, choices) }).meta({ description });
}

/** An object that knows these keys and no others. */
export function keys<Shape extends z.core.$ZodShape>(description: string, shape: Shape) {
  const known = Object.keys(shape).join(', ');
  // zod's issue for an unknown key does not say which ones are known, so its message does.
  const error = ({ code }: { code: string }) =>
    code === 'unrecognized_keys' ? known : `Write an object with keys among ${known}`;
  return z.strictObject(shape, { error }).meta({ description });
}

/** An object of the user's own names; rules.ts checks them. */
export function named<Type extends z.ZodType>(description: string, type: Type, none: string) {
  const mend = 'Write an object with a name of your own for each';
  const check = refuse<Record<string, unknown>>(`Add one: the README shows how`, {
    [none]: (value) => Object.keys(value).length === 0,
  });
  const names = z.string().meta({ pattern: NAME.source });
  return checked(z.record(names, type, { error: mend }), check).meta({ description, minProperties: 1 });
}

export function listOf(words: Words, item: z.ZodType<string>) {
  const check = refuse<string[]>(words.mend, { 'is empty': (value) => value.length === 0 });
  return checked(z.array(item, { error: words.mend }), check).meta({
    description: words.description,
    minItems: 1,
  });
}

export const ADDRESS =
  'Write https://host, or http:// on a loopback address for a trial, with nothing after the path';

export const checkAddress = refuse<string>(ADDRESS, {
  'is not an address': (value) => !/^[a-z][a-z0-9+.-]*:\/\/[^\s\\]+$/i.test(value) || !URL.canParse(value),
  'carries a user name or a password': (value) => /^[^/]*\/\/[^/?#]*@/.test(value),
  'carries a query': (value) => value.includes('?'),
  'carries a fragment': (value) => value.includes('#'),
  'is neither https nor http on a loopback address': (value) => !isSafe(new URL(value)),
});

function isSafe({ protocol, hostname }: URL): boolean {
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}

export const segment = (description: string, example: string, check?: Check<string>) =>
  formed(
    { description, mend: `Write one plain path segment, as in ${example}` },
    /^(?!\.{1,2}$)[A-Za-z0-9._~-]+$/,
    'is not one plain path segment',
    check,
  );

/** `30m`, `12h`, `14d`; `check` gets the minutes. */
export function duration(description: string, check: Check<number> = () => undefined) {
  const mend = 'Write a duration, as in 30m, 12h or 14d';
  const form = refuse<string>(mend, { 'is not a duration': (value) => !DURATION.test(value) });
  return text({ description, mend }, (value) => form(value) ?? check(toMinutes(value))).meta({
    description,
    pattern: DURATION.source,
  });
}

/** A secret of the user’s own. */
export const SECRET = {
  existingSecret: formed(
    {
      description: 'Name or full ARN of a secret of your own, instead of the one that the stack makes.',
      mend: 'Write the name or the full ARN (six characters at its end included) of a secret in Secrets Manager',
    },
    /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]{1,512}-[A-Za-z0-9]{6}|[\w/+=.@-]{1,512})$/,
    'is neither the name nor the full ARN of a secret',
  ).exactOptional(),
  existingSecretKey: formed(
    {
      description: 'ARN of the KMS key that encrypts existingSecret, where it is one of your own.',
      mend: 'Write the ARN of the key: arn:aws:kms:<region>:<account>:key/<id>',
    },
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
    'is not the ARN of a KMS key',
  ).exactOptional(),
};
