const MAX_LENGTH = 256;
/** No id or URL is longer. Trimming a longer text would take too much time. */
const MAX_TEXT = 2048;

/** Every kind of white space, byte order marks and other invisible characters. */
const AROUND = /^[\s\u0085\p{Cf}]+|[\s\u0085\p{Cf}]+$/gu;
const INSIDE = /[\s\u0085\p{Cf}]/u;

/** An unfilled template field, as Liquid, smart values, Velocity and Salesforce write it. */
const PLACEHOLDER = /\{\{|\{%|\{!|\$!?\{|\$!?esc\./i;

/** Words that templates and scripts write for a missing value. */
const NOTHING = new Set(['', 'null', 'undefined', 'none', 'nil', 'nan', 'n/a', '-', '–', '—']);

/**
 * Whether a value can be sent in a queue message as an id: a text that is not empty, has at most 256 characters, and
 * has no control characters, U+FFFE, U+FFFF or lone surrogates, which SQS never accepts.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function isId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_LENGTH &&
    value.isWellFormed() &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
    !/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(value)
  );
}

/**
 * Converts a string or safe integer to an id that can be sent. White space and byte order marks around it are removed;
 * inside it they make it unusable.
 *
 * @returns `undefined` for every other value, and for a placeholder or a word such as `null`
 */
export function toId(value: unknown): string | undefined {
  const text = trimmed(value);
  return isId(text) && !INSIDE.test(text) && !saysNothing(text) ? text : undefined;
}

/**
 * Converts a CRM's field to a PolyAI conversation id. The field holds the id itself, which is opaque, or the URL of the
 * conversation in Agent Studio, which ends with the id.
 *
 * @returns `undefined` when the field has no id that could be sent to PolyAI
 */
export function toConversationId(value: unknown): string | undefined {
  return toId(withoutLink(value));
}

/**
 * Whether a field has a value, usable as an id or not. An empty text, an unfilled placeholder (`{{ticket.field}}`,
 * `${field}`, `$!{field}`, `$esc.…`) and a word for a missing value (`null`, `None`, `-`) do not count; neither does the
 * URL of a conversation that ends in one of them.
 */
export function isGiven(value: unknown): boolean {
  const text = trimmed(withoutLink(value));
  return text !== undefined && text !== null && !saysNothing(text);
}

/** The first field that has a value. Pass the dedicated field before a general one. */
export function firstGiven(...values: unknown[]): unknown {
  return values.find(isGiven);
}

function trimmed(value: unknown): unknown {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value.length <= MAX_TEXT ? value.replace(AROUND, '') : value;
}

function saysNothing(value: unknown): boolean {
  return typeof value === 'string' && (NOTHING.has(value.toLowerCase()) || PLACEHOLDER.test(value));
}

function withoutLink(value: unknown): unknown {
  const text = trimmed(value);
  return typeof text === 'string' && text.length <= MAX_TEXT ? (idOfDeepLink(text) ?? text) : text;
}

/** `https://studio.<region>.poly.ai/<account>/<project>/conversations/<id>` */
function idOfDeepLink(text: string): string | undefined {
  const segment = /^https?:\/\/[^/?#\s]+\/(?:[^?#\s]+\/)?conversations\/([^/?#\s]*)\/?(?:[?#]\S*)?$/i.exec(
    text,
  )?.[1];
  try {
    return segment && decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
