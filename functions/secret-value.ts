import { SecretNotReady } from './secrets.ts';

const BYTE_ORDER_MARKS = /^\ufeff+|\ufeff+$/g;
/** A value in other quotation marks than JSON's, or in brackets, was not pasted as it should be. */
const WRAPPED = /^'.*'$|^`.*`$|^[“”„‘’‚«»].*[“”‘’«»]$|^\[.*\]$|^\{.*\}$|^".*"$/s;

/** How to store a secret so that the console does not change it. */
const STORE_AS_PLAINTEXT =
  'store the whole secret as JSON, in the console under the tab "Plaintext", as docs/security.md shows';

/**
 * Reads the values of one field of a secret, in the forms in which people paste them. Byte order marks around a value
 * are ignored. A list or a quoted value that the console has stored as text (`"[\"new\",\"old\"]"`, `"\"key\""`) is
 * unwrapped. Empty values count as missing.
 *
 * @param value a string or a list of strings
 * @returns an empty list if the field is empty or missing
 * @throws {SecretNotReady} with the field and the fix, never the value
 */
export function readStoredValues(field: string, value: unknown): string[] {
  const values = listOf(value, field).flatMap((each) => listOf(unwrapped(each), field));
  return values.map((each) => plainValue(each, field)).filter((each) => each !== '');
}

/** Removes the signature version that some senders of Standard Webhooks show before the key, as in `v1,whsec_…`. */
export function withoutVersion(secret: string): string {
  return secret.replace(/^v1a?,/, '');
}

function listOf(value: unknown, field: string): string[] {
  const values = (Array.isArray(value) ? value : [value]).filter((each) => each !== undefined);
  if (!values.every((each) => typeof each === 'string')) {
    throw new SecretNotReady(`"${field}" is not a string or a list of strings`);
  }
  return values;
}

/** The string or list in a text that is JSON; any other text unchanged. */
function unwrapped(text: string): unknown {
  const plain = text.replace(BYTE_ORDER_MARKS, '');
  if (!/^\s*["[]/.test(plain)) return plain;
  try {
    const value = JSON.parse(plain);
    return typeof value === 'string' || Array.isArray(value) ? value : plain;
  } catch {
    return plain;
  }
}

function plainValue(text: string, field: string): string {
  const value = text.replace(BYTE_ORDER_MARKS, '');
  if (value !== value.trim()) {
    throw new SecretNotReady(`"${field}" begins or ends with white space: store it without`);
  }
  if (WRAPPED.test(value)) {
    throw new SecretNotReady(`"${field}" is wrapped in quotation marks or brackets: ${STORE_AS_PLAINTEXT}`);
  }
  return value;
}
