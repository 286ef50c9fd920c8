import { checkEvents, parseForm, parseJson } from './parse-body.ts';

/** One HTTP request of a CRM as it arrived. Only the transport's base64 is decoded. */
export type Delivery = {
  /** The HTTP method in upper case. */
  method: string;
  /** Names in lower case; a header sent twice is joined with a comma, as API Gateway gives it. */
  headers: Record<string, string>;
  /** The URL that the CRM called, which its signature may cover: the API's own or `publicUrl`, with the query. */
  url: string;
  /** The query exactly as sent, without the question mark. */
  rawQuery: string;
  /** The bytes of the body exactly as sent. */
  body: Buffer;
  sourceIp: string;
};

/** The value that selectors are applied to. A field that a form or query has twice keeps its last value. */
export type Content = {
  body: unknown;
  headers: Record<string, string>;
  query: Record<string, string>;
};

/** What of a connection says how its bodies are read. */
export type ReadSettings = { format?: 'json' | 'form'; verify?: { scheme: string } };

/**
 * Parses the text of a body. A header must not decide how, unless the signature covers that header or there is no
 * signature.
 *
 * @throws {Error} when the text does not have the expected format
 */
export type Parse = (text: string, delivery: Delivery, settings: ReadSettings) => unknown;

/**
 * Reads the content of a verified delivery. Without `parse` the body is JSON, whatever its content type says.
 *
 * @param parse the preset's own parser, if it has one
 * @param settings the connection's settings
 * @throws {UnreadableBody} when the body exceeds a limit
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
