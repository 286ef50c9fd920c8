import { TOLERANCE_SECONDS } from '../../functions/schemes/timestamp.ts';
import { type Problem, quote, suggest } from './fault.ts';
import { type Breach, type Rule, settingsOf } from './rule.ts';
import { checkSelector } from './selector.ts';
import { readsOf } from './selector-reads.ts';
import { textOf } from './text.ts';
import type { Check } from './values.ts';

// The rules between the settings of the scheme `hmac`.

const PLACEHOLDERS = ['{body}', '{timestamp}', '{id}'];
export const WRITE_TEMPLATE = 'Write it as the sender signs it, as in {timestamp}.{body}';

export const checkTemplate: Check<string> = (value) => {
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
export const TIMESTAMP_DEFAULTS = { timestampUnit: 's', toleranceSeconds: TOLERANCE_SECONDS } as const;

export function checkSigned(value: unknown): Breach[] {
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

export function checkParameters(value: unknown): Breach[] {
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
export function checkTimeSelector(expression: string): Problem | undefined {
  const problem = checkSelector(expression);
  if (problem) return problem;
  const { keys, everything } = readsOf(expression);
  const isBody = !everything && keys.size === 1 && keys.has('body');
  return isBody ? undefined : { problem: 'does not read the body alone', fix: WRITE_TIME };
}

export const WRITE_TIME = 'Write JMESPath of a time in the body, as in body.sent_at';

export function checkTimestamp(value: unknown): Breach[] {
  const settings = settingsOf(value);
  if (TIMES.some((time) => Object.hasOwn(settings, time))) return [];
  const idle = Object.keys(TIMESTAMP_DEFAULTS).filter((key) => Object.hasOwn(settings, key));
  return idle.map((key) => ({
    path: [key],
    problem: 'has no effect without timestampHeader',
    fix: 'Remove it, or add "timestampHeader", "timestampParameter" or "timestampSelector"',
  }));
}

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
