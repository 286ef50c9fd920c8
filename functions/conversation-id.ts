const MAX_LENGTH = 256;
/** No id and no address is longer, and cutting what surrounds it would cost time. */
const MAX_TEXT = 2048;

/** White space of every kind, byte order marks and other characters that nobody sees. */
const AROUND = /^[\s\u0085\p{Cf}]+|[\s\u0085\p{Cf}]+$/gu;
const INSIDE = /[\s\u0085\p{Cf}]/u;

/** A template's field that nothing was filled into: Liquid and smart values, Velocity, Salesforce. */
const PLACEHOLDER = /\{\{|\{%|\{!|\$!?\{|\$!?esc\./i;

/** What templates and scripts write for "there is none". */
const NOTHING = new Set(['', 'null', 'undefined', 'none', 'nil', 'nan', 'n/a', '-', '–', '—']);

/**
 * Whether a text can travel in a message as an id: not empty, at most 256 characters, without control
 * characters, U+FFFE, U+FFFF or lone surrogates, which SQS would refuse for ever.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function isId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_LENGTH &&
    value.isWellFormed() &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    !/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(value)
  );
}

/**
 * A string or safe integer as an id that can travel. White space and byte order marks around it are removed;
 * inside it they make it unusable.
 *
 * @returns `undefined` for everything else, and for what only says that there is no id
 */
export function toId(value: unknown): string | undefined {
  const text = trimmed(value);
  return isId(text) && !INSIDE.test(text) && !saysNothing(text) ? text : undefined;
}

/**
 * A PolyAI conversation id as a CRM may hold it: the id itself, which is opaque, or the address of the
 * conversation in Agent Studio, whose last path segment it is.
 *
 * @returns `undefined` when there is no id in it that could be sent to PolyAI
 */
export function toConversationId(value: unknown): string | undefined {
  return toId(withoutLink(value));
}

/**
 * Whether a field holds something, be it usable as an id or not. An empty text, an unfilled placeholder
 * (`{{ticket.field}}`, `${field}`, `$!{field}`, `$esc.…`) and a word for nothing (`null`, `None`, `-`) do not;
 * nor does the address of a conversation that ends in one of them.
 */
export function isGiven(value: unknown): boolean {
  const text = trimmed(withoutLink(value));
  return text !== undefined && text !== null && !saysNothing(text);
}

/** The first of several fields that holds something: the dedicated one comes before a general one. */
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
