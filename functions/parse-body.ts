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
const OPENING = new Set([...'[{'].map((character) => character.charCodeAt(0)));
const CLOSING = new Set([...']}'].map((character) => character.charCodeAt(0)));

/** Counts commas and brackets outside of strings. The result for invalid JSON does not matter: it cannot be parsed. */
function measureJson(text: string): { values: number; depth: number } {
  let [values, level, depth, isInText] = [1, 0, 0, false];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isInText && code === BACKSLASH) index += 1;
    else if (code === QUOTE) isInText = !isInText;
    else if (isInText) continue;
    else if (code === COMMA) values += 1;
    else if (OPENING.has(code)) depth = Math.max(depth, ++level);
    else if (CLOSING.has(code)) level -= 1;
  }
  return { values, depth };
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
  return text.length > LIMITS.formCharacters || text.split('&', LIMITS.fields + 1).length > LIMITS.fields;
}

/** @throws {UnreadableBody} when a delivery is a list of more events than any CRM sends */
export function checkEvents(body: unknown): void {
  if (Array.isArray(body) && body.length > LIMITS.events) {
    throw new UnreadableBody(`has more than ${LIMITS.events} events`);
  }
}
