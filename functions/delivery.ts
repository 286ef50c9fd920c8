/** One HTTP request of a CRM, as it arrived: nothing decoded but the transport's base64. */
export type Delivery = {
  /** Upper case. */
  method: string;
  /** Names in lower case; a header sent twice is joined with a comma, as API Gateway gives it. */
  headers: Record<string, string>;
  /** Where the CRM sent it, as its signature may cover it: the API's own address or `publicUrl`, and the query. */
  url: string;
  /** Without the question mark, exactly as sent. */
  rawQuery: string;
  /** The body's bytes exactly as sent. */
  body: Buffer;
  sourceIp: string;
};

/** What selectors see. A field sent twice in a form or a query keeps its last value. */
export type Content = {
  body: unknown;
  headers: Record<string, string>;
  query: Record<string, string>;
};

/** Reads a body's text. @throws {Error} when it is not what it should be */
export type Parse = (text: string, delivery: Delivery) => unknown;

/**
 * Reads a verified delivery.
 *
 * @param parse the preset's own way with a body, where it has one
 * @throws {Error} when the bytes are not UTF-8 or cannot be parsed
 */
export function readContent(delivery: Delivery, parse: Parse = parseBody): Content {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(delivery.body);
  return { body: parse(text, delivery), headers: delivery.headers, query: fields(delivery.rawQuery) };
}

/** JSON, or a form where the content type says so; an empty body counts as `{}`. */
export function parseBody(text: string, delivery: Delivery): unknown {
  if (isForm(delivery)) return fields(text);
  return text.trim() === '' ? {} : JSON.parse(text);
}

/** Whether the content type says that the body is a form. */
export function isForm({ headers }: Delivery): boolean {
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers['content-type'] ?? '');
}

function fields(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}
