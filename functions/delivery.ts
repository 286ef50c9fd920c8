import { checkEvents, parseForm, parseJson } from './parse-body.ts';

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

/** What of a connection says how its bodies are read. */
export type ReadSettings = { format?: 'json' | 'form'; verify?: { scheme: string } };

/**
 * Reads a body's text. No header may decide how, unless the proof covers it or covers nothing at all.
 *
 * @throws {Error} when it is not what it should be
 */
export type Parse = (text: string, delivery: Delivery, settings: ReadSettings) => unknown;

/**
 * Reads a verified delivery: as JSON, whatever its content type, where the preset has no other way.
 *
 * @param parse the preset's own way with a body, where it has one
 * @param settings the connection's
 * @throws {UnreadableBody} when it is beyond a limit
 * @throws {Error} when the bytes are not UTF-8 or cannot be parsed
 */
export function readContent(
  delivery: Delivery,
  parse: Parse = parseJson,
  settings: ReadSettings = {},
): Content {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(delivery.body);
  const body = parse(text, delivery, settings);
  checkEvents(body);
  return { body, headers: delivery.headers, query: parseForm(delivery.rawQuery) };
}
