import { SecretNotReady } from './secrets.ts';

const BYTE_ORDER_MARKS = /^\ufeff+|\ufeff+$/g;
/** JSON's own quotation marks are read; these, or an object, say that something else was pasted. */
const WRAPPED = /^'.*'$|^`.*`$|^[“”„‘’‚«»].*[“”‘’«»]$|^\[.*\]$|^\{.*\}$|^".*"$/s;

/** How to store a secret so that it stays what was typed. */
const STORE_AS_PLAINTEXT =
  'store the whole secret as JSON, in the console under the tab "Plaintext", as docs/security.md shows';

/**
 * The values of one field of a secret as people paste them: byte order marks around a value are ignored, and a list
 * or a value in quotation marks that the console has stored as text (`"[\"new\",\"old\"]"`, `"\"key\""`) is read as
 * it was meant. Empty values count as missing.
 *
 * @param value a string or a list of strings
 * @returns none where the field is empty or missing
 * @throws {SecretNotReady} naming the field and the fix, never the value
 */
export function readStoredValues(field: string, value: unknown): string[] {
  const values = listOf(value, field).flatMap((each) => listOf(unwrapped(each), field));
  return values.map((each) => plainValue(each, field)).filter((each) => each !== '');
}

/** Some senders of Standard Webhooks show the key with the version of its signatures in front, `v1,whsec_…`. */
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

/** What a text holds that is JSON itself; any other text as it is. */
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
