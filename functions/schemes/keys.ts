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
