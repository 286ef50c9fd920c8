import type { Delivery, ReadSettings } from '../delivery.ts';
import { valueAt } from '../json.ts';
import { parseJson } from '../parse-body.ts';
import { type Crm, eventsOf, isOneOf, type OwnAnswer, USUAL_ANSWER_MS } from './crm.ts';

type Headers = Record<string, string>;

/**
 * CloudEvents over HTTP in each of its modes: structured (the body is one event), batched (the body is a list of
 * events) and binary (the headers are the attributes, the body is the data).
 *
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md
 */
const cloudevents: Crm = {
  verify: { scheme: 'bearer' },
  schemes: ['bearer', 'query', 'standard-webhooks'],
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: false,
  hasBatches: true,
  takes: ['verify', 'conversationId', 'finishedValues', 'publicUrl', 'allowedSources'],
  requires: ['finishedValues'],
  greet,
  parse,
  read: ({ body }, { finishedValues = [] }) =>
    eventsOf(body)
      .map(withDecodedData)
      .map((event) => ({
        finished:
          valueAt(event, 'specversion') !== undefined && isOneOf(finishedValues, valueAt(event, 'type')),
        conversationId: valueAt(event, 'data', 'polyai_conversation_id'),
        deliveryId: valueAt(event, 'id'),
        event,
      })),
};

export default cloudevents;

/** Answers the handshake by which a sender asks for consent. It grants nothing: every delivery needs its proof. */
function greet({ method, headers }: Delivery): OwnAnswer | undefined {
  const origin = headers['webhook-request-origin'] ?? '';
  if (method !== 'OPTIONS' || !/^[\x21-\x7e]{1,255}$/.test(origin)) return undefined;
  const rate = headers['webhook-request-rate'] ?? '';
  return {
    status: 200,
    headers: {
      allow: 'POST',
      'webhook-allowed-origin': origin,
      // `*` is no limit. Too many requests are throttled anyway.
      'webhook-allowed-rate': /^[1-9]\d{0,14}$/.test(rate) ? rate : '*',
    },
  };
}

/**
 * Parses the event or the batch. The headers say which mode it is, and no signature covers them, so a signed body is
 * always read as structured.
 *
 * @throws {Error} when it cannot be parsed
 */
function parse(text: string, { headers }: Delivery, { verify }: ReadSettings): unknown {
  const isBodySigned = verify?.scheme === 'standard-webhooks';
  return isBinary(headers) && !isBodySigned ? binaryEvent(text, headers) : parseJson(text);
}

function isStructured(headers: Headers): boolean {
  return /^application\/cloudevents/i.test(headers['content-type'] ?? '');
}

function isBinary(headers: Headers): boolean {
  return !isStructured(headers) && headers['ce-specversion'] !== undefined;
}

/** @throws {Error} when an attribute is not UTF-8 or JSON data cannot be parsed */
function binaryEvent(text: string, headers: Headers): Record<string, unknown> {
  const { 'content-type': datacontenttype } = headers;
  const attributes = Object.entries(headers).flatMap(([header, value]) => {
    const [, name] = /^ce-([a-z0-9]+)$/.exec(header) ?? [];
    return name === undefined ? [] : [[name, attribute(value)]];
  });
  const data = text !== '' && isJson(datacontenttype) ? parseJson(text) : text;
  return { ...Object.fromEntries(attributes), datacontenttype, data };
}

/** Removes the quotes of older versions of the binding, then percent-decodes once. A lone percent sign stays. */
function attribute(value: string): string {
  const [, quoted] = /^"(.*)"$/.exec(value) ?? [];
  const unquoted = quoted === undefined ? value : quoted.replace(/\\(.)/g, '$1');
  return unquoted.replace(/(%[0-9a-f]{2})+/gi, decodeURIComponent);
}

/** Decodes an event's `data_base64` into `data`: as JSON if it is JSON, else as text. */
function withDecodedData(event: unknown): unknown {
  const encoded = valueAt(event, 'data_base64');
  if (typeof encoded !== 'string' || valueAt(event, 'data') !== undefined) return event;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  return { ...(event as object), data: isJson(valueAt(event, 'datacontenttype')) ? parsed(text) : text };
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** Whether data is JSON by its media type. Data without a media type is JSON. */
function isJson(mediaType: unknown = 'application/json'): boolean {
  return /^[\w.+-]+\/([\w.-]+\+)?json\s*(;|$)/i.test(String(mediaType));
}
