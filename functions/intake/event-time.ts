import type { Content } from '../delivery.ts';
import type { HmacSettings, VerifySettings } from '../schemes/scheme.ts';
import { timestampIn } from '../schemes/signature-header.ts';
import { parseTimestamp, timestampInBody } from '../schemes/timestamp.ts';
import { toUnixMs } from '../time.ts';

const ISO_8601 = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})$/;
/** The latest time that a `Date` can hold. */
const MAX_TIME_MS = 8.64e15;

/**
 * Reads the time of an event as a CRM writes it.
 *
 * @param value ISO 8601 with its zone, or seconds or milliseconds since 1970 as a number or as text
 * @returns Unix milliseconds; `undefined` when the value cannot be read or has no zone
 */
export function toTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? timeOfText(value.trim()) : timeOfNumber(value);
  return time > 0 && time <= MAX_TIME_MS ? Math.trunc(time) : undefined;
}

function timeOfText(text: string): number {
  if (/^\d{1,16}(\.\d{1,9})?$/.test(text)) return timeOfNumber(Number(text));
  const [, date, clock, zone = ''] = ISO_8601.exec(text) ?? [];
  return date ? Date.parse(`${date}T${clock}${zone.replace(/(\d{2})(\d{2})$/, '$1:$2')}`) : Number.NaN;
}

function timeOfNumber(value: unknown): number {
  return typeof value === 'number' ? toUnixMs(value) : Number.NaN;
}

/**
 * Reads when a verified delivery was signed, if its signature covers a time.
 *
 * @param content names of headers are in lower case
 * @returns Unix milliseconds
 */
export function signedAt(
  verify: VerifySettings,
  content: Pick<Content, 'body' | 'headers'>,
): number | undefined {
  const time = signedTime(verify, content);
  return Number.isFinite(time) ? time : undefined;
}

function signedTime(verify: VerifySettings, { body, headers }: Pick<Content, 'body' | 'headers'>): number {
  switch (verify.scheme) {
    case 'hmac':
      return parseTimestamp(hmacTime(verify, body, headers) ?? '', verify.timestampUnit);
    case 'standard-webhooks':
      return parseTimestamp(headers['webhook-timestamp'] ?? headers['svix-timestamp'] ?? '', 's');
    case 'hubspot': {
      // The older versions do not sign the timestamp.
      const isSigned = headers['x-hubspot-signature-v3'] !== undefined;
      return parseTimestamp((isSigned && headers['x-hubspot-request-timestamp']) || '', 'ms');
    }
    case 'rsa':
    case 'bearer':
    case 'header':
    case 'query':
    case 'basic':
    case 'twilio':
    case 'jwt':
    case 'event-bus':
      return Number.NaN;
  }
}

/** The time in the body, where the connection names one: a header beside it need not be signed. */
function hmacTime(settings: HmacSettings, body: unknown, headers: Content['headers']): string | undefined {
  const { timestampSelector } = settings;
  return timestampSelector === undefined
    ? timestampIn(settings, headers)
    : timestampInBody(body, timestampSelector);
}
