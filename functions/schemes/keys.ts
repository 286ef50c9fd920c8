import { createSecretKey, type KeyObject } from 'node:crypto';
import { readStoredValues } from '../secret-value.ts';
import { SecretNotReady } from '../secrets.ts';

/**
 * The values of one field of a secret: one value, or several during a rotation. Empty values count as missing,
 * so that a key of length zero never verifies anything.
 *
 * @throws {SecretNotReady} naming the field and the fix, never the value
 */
export function readValues(secret: Record<string, unknown>, field: string): string[] {
  const values = readStoredValues(field, secret[field]);
  if (values.length === 0) throw new SecretNotReady(`"${field}" is empty or missing: fill it in`);
  return values;
}

/** The UTF-8 of a text as the key of an HMAC. Node encodes a text again for each use, and takes this as it is. */
export function textKey(text: string): KeyObject {
  return createSecretKey(text, 'utf8');
}

/**
 * Decodes a key in base64, with or without its padding.
 *
 * @returns `undefined` for any other text: only the canonical spelling counts
 */
export function decodeKey(text: string): Buffer | undefined {
  return decodeBase64(text.includes('=') ? text : text.padEnd(Math.ceil(text.length / 4) * 4, '='));
}

/** Accepts only the canonical spelling, so that every changed bit of a signature is noticed. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
