import { ChatCloserError } from './error.ts';

/**
 * Limits above what any CRM sends, so that parsing a body never takes much longer than hashing it. Those of a form are
 * checked before its signature.
 */
export const LIMITS = {
  /** Fields of a form, or parameters of a query. */
  fields: 1000,
  formCharacters: 256 * 1024,
  /** Values in a JSON body, counted by its commas. */
  jsonValues: 50_000,
  jsonDepth: 256,
  /** Tags of an XML body. An element with a start tag and an end tag counts twice. */
  xmlTags: 50_000,
  /** Events or records in one delivery. */
  events: 1000,
} as const;

/**
 * A body exceeds a limit, or is not what the preset's CRM sends. The message is a predicate of "The body …". The sender
 * sees it, so it never quotes the body.
 */
export class UnreadableBody extends ChatCloserError {
  override name = 'UnreadableBody';
}

/**
 * Parses JSON; an empty text counts as `{}`.
 *
 * @throws {UnreadableBody} when it exceeds `LIMITS`
 * @throws {SyntaxError} when it is not JSON
 */
export function parseJson(text: string): unknown {
  const { values, depth } = measureJson(text);
  if (values > LIMITS.jsonValues) throw new UnreadableBody(`has more than ${LIMITS.jsonValues} values`);
  if (depth > LIMITS.jsonDepth) throw new UnreadableBody(`is nested more than ${LIMITS.jsonDepth} deep`);
  return text.trim() === '' ? {} : JSON.parse(text);
}

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
/** `[` and `{` differ in this bit alone, and so do `]` and `}`. */
const CURLY = 0x20;
const OPENING = '{'.charCodeAt(0);
const CLOSING = '}'.charCodeAt(0);

/** Counts commas and brackets outside of strings. The result for invalid JSON does not matter: it cannot be parsed. */
function measureJson(text: string): { values: number; depth: number } {
  let [values, level, depth] = [1, 0, 0];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = endOfString(text, index);
    else if (code === COMMA) values += 1;
    else if ((code | CURLY) === OPENING) {
      level += 1;
      if (level > depth) depth = level;
    } else if ((code | CURLY) === CLOSING) level -= 1;
  }
  return { values, depth };
}

/** The place of the quotation mark that ends a string, or the end of the text. Long strings are skipped natively. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

/**
 * Parses a form or a query. A field that appears twice keeps its last value.
 *
 * @throws {UnreadableBody} when it exceeds `LIMITS`
 */
export function parseForm(text: string): Record<string, string> {
  return Object.fromEntries(readFields(text));
}

/** The fields of a form or a query in their order. @throws {UnreadableBody} when it exceeds `LIMITS` */
export function readFields(text: string): URLSearchParams {
  if (isTooLargeForm(text)) {
    throw new UnreadableBody(
      `has more than ${LIMITS.fields} fields, or more than ${LIMITS.formCharacters} characters`,
    );
  }
  return new URLSearchParams(text);
}

/** Whether a form or a query exceeds `LIMITS`. It must not parse: URLSearchParams is quadratic in fields without `=`. */
export function isTooLargeForm(text: string): boolean {
  return text.length > LIMITS.formCharacters || occurs(text, '&', LIMITS.fields);
}

/** @throws {UnreadableBody} when a delivery is a list of more events than any CRM sends */
export function checkEvents(body: unknown): void {
  if (Array.isArray(body) && body.length > LIMITS.events) {
    throw new UnreadableBody(`has more than ${LIMITS.events} events`);
  }
}

/** Whether a text has a character at least `count` times. Counting builds nothing, unlike splitting. */
export function occurs(text: string, character: string, count: number): boolean {
  let found = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) {
    found += 1;
    if (found >= count) return true;
  }
  return false;
}
