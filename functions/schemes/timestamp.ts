import { selector } from '#selector';
import type { Refusal } from '../refusal.ts';
import type { HmacSettings } from './scheme.ts';

/** The tolerance of Standard Webhooks and most vendors, for the past and for the future. */
export const TOLERANCE_SECONDS = 300;

const ISO_8601 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;

/**
 * Checks that a signed timestamp exists, can be read, and is at most `toleranceSeconds` in the past or future.
 *
 * @param now Unix milliseconds
 */
export function checkTimestamp(
  text: string | undefined,
  unit: HmacSettings['timestampUnit'],
  toleranceSeconds: number,
  now: number,
): Refusal | undefined {
  if (!text) return { code: 'timestamp_missing', detail: 'The timestamp is missing.' };
  const time = parseTimestamp(text, unit);
  if (!Number.isFinite(time)) {
    return { code: 'timestamp_malformed', detail: 'The timestamp cannot be read.' };
  }
  if (Math.abs(now - time) > toleranceSeconds * 1000) {
    return {
      code: 'timestamp_stale',
      detail: 'The timestamp is too far from the current time.',
    };
  }
  return undefined;
}

/** @returns Unix milliseconds, or NaN if the text cannot be read */
export function parseTimestamp(text: string, unit: HmacSettings['timestampUnit']): number {
  if (unit === 'iso') return ISO_8601.test(text) ? Date.parse(text) : Number.NaN;
  if (!/^\d{1,15}$/.test(text)) return Number.NaN;
  return unit === 's' ? Number(text) * 1000 : Number(text);
}

/**
 * The time at a selector, as text.
 *
 * @param body the parsed body, whose bytes are verified
 * @returns `undefined` when there is neither a text nor a number
 */
export function timestampInBody(body: unknown, timestampSelector: string): string | undefined {
  const time = selector(timestampSelector)({ body });
  return typeof time === 'number' || typeof time === 'string' ? String(time) : undefined;
}
