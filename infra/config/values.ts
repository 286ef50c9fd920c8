import { z } from 'zod';
import { DURATION, toMinutes } from './duration.ts';
import { nearest, type Problem, quote, suggest } from './fault.ts';
import { type Breach, issueOf, ruled, settingsOf } from './rule.ts';

/** The form of names of projects and connections, which become parts of URLs and of names of secrets. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/;

/** For a name of another form. */
const BAD_NAME: Problem = {
  problem: 'is not a valid name: it becomes part of a URL',
  fix: 'Use 1 to 64 of a-z, 0-9 and -, beginning and ending with a letter or digit',
};

export type Check<Value> = (value: Value) => Problem | undefined;

/** Adds a check to a type. It sees only values of the type. */
export function checked<Type extends z.ZodType>(type: Type, check: Check<z.output<Type>>): Type {
  return type.superRefine((value, context) => {
    const problem = check(value);
    if (problem) context.addIssue(issueOf({ ...problem, path: [] }));
  });
}

/** A check from a table of problems, each with its test. The first problem found is reported. */
export function refuse<Value>(
  fix: string,
  problems: Record<string, (value: Value) => boolean>,
): Check<Value> {
  return (value) => {
    const problem = Object.keys(problems).find((each) => problems[each]?.(value));
    return problem === undefined ? undefined : { problem, fix };
  };
}

type Words = { description: string; fix: string };

/** A string that is not empty. `check` sees no empty one. */
export function text({ description, fix }: Words, check: Check<string> = () => undefined) {
  const empty = refuse<string>(fix, { 'is empty': (value) => value.trim() === '' });
  return checked(z.string({ error: fix }), (value) => empty(value) ?? check(value)).meta({
    description,
    minLength: 1,
  });
}

/** A string of one form. `check` sees no string of another form. */
export function formed(words: Words, form: RegExp, problem: string, check: Check<string> = () => undefined) {
  const own = refuse<string>(words.fix, { [problem]: (value) => !form.test(value) });
  return text(words, (value) => own(value) ?? check(value)).meta({
    description: words.description,
    pattern: form.source,
  });
}

export function whole(description: string, minimum: number, maximum: number) {
  const fix = `Write a whole number from ${minimum} to ${maximum}`;
  const check = refuse<number>(fix, {
    'is not a whole number': (value) => !Number.isSafeInteger(value),
    [`is less than ${minimum}`]: (value) => value < minimum,
    [`is more than ${maximum}`]: (value) => value > maximum,
  });
  return checked(z.number({ error: fix }), check).meta({ description, type: 'integer', minimum, maximum });
}

export function oneOf<Choice extends string>(description: string, choices: readonly Choice[]) {
  return z.enum(choices, { error: suggest(undefined, choices) }).meta({ description });
}

/** An object with these keys and no others. */
export function keys<Shape extends z.core.$ZodShape>(description: string, shape: Shape) {
  const known = Object.keys(shape);
  return z
    .strictObject(shape, { error: `Write an object with keys among ${known.join(', ')}` })
    .superRefine((_, context) => explainUnknownKeys(context.issues, known), { when: () => true })
    .meta({ description });
}

/** zod's issue for unknown keys does not say which ones are known. Each key gets its own issue that does. */
function explainUnknownKeys(issues: z.core.$ZodRawIssue[], known: string[]): void {
  for (const issue of issues.filter(isOwn)) {
    const explained = issue.keys
      // readJsonFile refuses this key at any place.
      .filter((key) => key !== '__proto__')
      .map((key) => ({ ...issueOf(unknownKey(key, known)), input: issue.input }));
    issues.splice(issues.indexOf(issue), 1, ...explained);
  }
}

function isOwn(issue: z.core.$ZodRawIssue): issue is z.core.$ZodRawIssue<z.core.$ZodIssueUnrecognizedKeys> {
  return issue.code === 'unrecognized_keys' && (issue.path ?? []).length === 0;
}

function unknownKey(key: string, known: string[]) {
  const meant = nearest(key, known);
  return {
    path: [key],
    problem: 'is not a known key',
    fix:
      meant === undefined ? `Remove it. Known keys are ${known.join(', ')}` : `Did you mean ${quote(meant)}?`,
    meant,
  };
}

/** An object whose keys are names that the user chooses. */
export function named<Type extends z.ZodType>(description: string, type: Type, none: string) {
  const record = z.record(z.string().meta({ pattern: NAME.source }), type, {
    error: 'Write an object with a name of your choice for each',
  });
  const isEmpty = refuse<Record<string, unknown>>('Add one as the README shows', {
    [none]: (value) => Object.keys(value).length === 0,
  });
  return ruled(checked(record, isEmpty), checkNames).meta({ description, minProperties: 1 });
}

function checkNames(value: unknown): Breach[] {
  const names = Object.keys(settingsOf(value)).filter((name) => !NAME.test(name));
  return names.map((name) => ({ path: [name], ...BAD_NAME }));
}

export function listOf(words: Words, item: z.ZodType<string>) {
  const check = refuse<string[]>(words.fix, { 'is empty': (value) => value.length === 0 });
  return checked(z.array(item, { error: words.fix }), check).meta({
    description: words.description,
    minItems: 1,
  });
}

export const ADDRESS =
  'Write https://host, or for a trial http:// on a loopback address, with nothing after the path';

export const checkAddress = refuse<string>(ADDRESS, {
  'is not a URL': (value) => !/^[a-z][a-z0-9+.-]*:\/\/[^\s\\]+$/i.test(value) || !URL.canParse(value),
  'has a user name or a password': (value) => /^[^/]*\/\/[^/?#]*@/.test(value),
  'has a query': (value) => value.includes('?'),
  'has a fragment': (value) => value.includes('#'),
  'is neither https nor http on a loopback address': (value) => !isSafe(new URL(value)),
});

function isSafe({ protocol, hostname }: URL): boolean {
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}

export const segment = (description: string, example: string, check?: Check<string>) =>
  formed(
    { description, fix: `Write one plain path segment, as in ${example}` },
    /^(?!\.{1,2}$)[A-Za-z0-9._~-]+$/,
    'is not one plain path segment',
    check,
  );

/** A duration as in `30m`, `12h` or `14d`. `check` gets the minutes. */
export function duration(description: string, check: Check<number> = () => undefined) {
  const fix = 'Write a duration, as in 30m, 12h or 14d';
  const form = refuse<string>(fix, { 'is not a duration': (value) => !DURATION.test(value) });
  return text({ description, fix }, (value) => form(value) ?? check(toMinutes(value))).meta({
    description,
    pattern: DURATION.source,
  });
}

/** A secret that the user makes. */
export const SECRET = {
  existingSecret: formed(
    {
      description: 'Name or full ARN of your own secret, instead of the one that the stack makes.',
      fix: 'Write the name or the full ARN (with the six characters at its end) of a secret in Secrets Manager',
    },
    /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]{1,512}-[A-Za-z0-9]{6}|[\w/+=.@-]{1,512})$/,
    'is neither the name nor the full ARN of a secret',
  ).exactOptional(),
  existingSecretKey: formed(
    {
      description: 'ARN of the KMS key that encrypts existingSecret, if it is your own key.',
      fix: 'Write the ARN of the key: arn:aws:kms:<region>:<account>:key/<id>',
    },
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
    'is not the ARN of a KMS key',
  ).exactOptional(),
};
