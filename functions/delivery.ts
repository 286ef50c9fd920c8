/** One HTTP request of a CRM, as it arrived: nothing decoded but the transport's base64. */
export type Delivery = {
  /** Upper case. */
  method: string;
  /** Names in lower case; a header sent twice is joined with a comma, as API Gateway gives it. */
  headers: Record<string, string>;
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

/**
 * Reads a verified delivery. JSON, or a form where the content type says so; an empty body counts as `{}`.
 *
 * @throws {SyntaxError | TypeError} when the bytes are not UTF-8 or not JSON
 */
export function readContent(delivery: Delivery): Content {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(delivery.body);
  return {
    body: isForm(delivery) ? fields(text) : text.trim() === '' ? {} : JSON.parse(text),
    headers: delivery.headers,
    query: fields(delivery.rawQuery),
  };
}

function isForm({ headers }: Delivery): boolean {
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers['content-type'] ?? '');
}

function fields(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}
