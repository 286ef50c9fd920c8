import type { VerifySettings } from '../schemes/scheme.ts';
import { parseTimestamp } from '../schemes/timestamp.ts';

const ISO_8601 = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})$/;
/** In seconds the year 5138, in milliseconds 1973. */
const LEAST_MILLISECONDS = 1e11;
/** The largest time that a `Date` can hold. */
const MOST_MILLISECONDS = 8.64e15;

/**
 * A CRM's own time of an event.
 *
 * @param value ISO 8601 with its zone, or seconds or milliseconds since 1970 as a number or as text
 * @returns Unix milliseconds; `undefined` when it cannot be read, or has no zone
 */
export function toTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? timeOfText(value.trim()) : timeOfNumber(value);
  return time > 0 && time <= MOST_MILLISECONDS ? Math.trunc(time) : undefined;
}

function timeOfText(text: string): number {
  if (/^\d{1,16}(\.\d{1,9})?$/.test(text)) return timeOfNumber(Number(text));
  const [, date, clock, zone = ''] = ISO_8601.exec(text) ?? [];
  return date ? Date.parse(`${date}T${clock}${zone.replace(/(\d{2})(\d{2})$/, '$1:$2')}`) : Number.NaN;
}

function timeOfNumber(value: unknown): number {
  if (typeof value !== 'number') return Number.NaN;
  return value < LEAST_MILLISECONDS ? value * 1000 : value;
}

/**
 * When a verified delivery was signed, where its signature covers a time.
 *
 * @param headers names in lower case
 * @returns Unix milliseconds
 */
export function signedAt(verify: VerifySettings, headers: Record<string, string>): number | undefined {
  const time = signedTime(verify, headers);
  return Number.isFinite(time) ? time : undefined;
}

function signedTime(verify: VerifySettings, headers: Record<string, string>): number {
  switch (verify.scheme) {
    case 'hmac':
      return parseTimestamp(headers[verify.timestampHeader ?? ''] ?? '', verify.timestampUnit);
    case 'standard-webhooks':
      return parseTimestamp(headers['webhook-timestamp'] ?? headers['svix-timestamp'] ?? '', 's');
    case 'hubspot': {
      // The older versions do not sign it.
      const isSigned = headers['x-hubspot-signature-v3'] !== undefined;
      return parseTimestamp((isSigned && headers['x-hubspot-request-timestamp']) || '', 'ms');
    }
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
