const MAX_LENGTH = 256;

/**
 * Whether a value can travel as an id: a non-empty string of at most 256 characters without control
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

/** A string or safe integer as an id that can travel; `undefined` for everything else. */
export function toId(value: unknown): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  return isId(text) ? text : undefined;
}

/**
 * A PolyAI conversation id as a CRM may hold it: the id itself, which is opaque, or the address of the
 * conversation in Agent Studio, whose last path segment it is.
 *
 * @returns `undefined` when there is no id in it that could be sent to PolyAI
 */
export function toConversationId(value: unknown): string | undefined {
  return toId(typeof value === 'string' ? (idOfDeepLink(value) ?? value) : value);
}

/** `https://studio.<region>.poly.ai/<account>/<project>/conversations/<id>` */
function idOfDeepLink(text: string): string | undefined {
  const segment = /^https?:\/\/[^/?#\s]+\/(?:[^?#\s]+\/)?conversations\/([^/?#\s]+)\/?(?:[?#]\S*)?$/i.exec(
    text,
  )?.[1];
  try {
    return segment && decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
