import { SecretNotReady } from '../secrets.ts';

/**
 * The values of one field of a secret: one, or several while a rotation is under way. Empty values count as
 * missing, so that a zero-length key never verifies anything.
 *
 * @throws {SecretNotReady} naming the field and the mend, never the value
 */
export function readValues(secret: Record<string, unknown>, field: string): string[] {
  const given = secret[field];
  const values = (Array.isArray(given) ? given : [given]).filter(
    (value) => value !== undefined && value !== '',
  );
  if (values.length === 0) throw new SecretNotReady(`"${field}" is empty or missing: fill it in`);
  for (const value of values) {
    if (typeof value !== 'string')
      throw new SecretNotReady(`"${field}" is not a string or a list of strings`);
    if (value !== value.trim()) {
      throw new SecretNotReady(`"${field}" begins or ends with white space: store it without`);
    }
  }
  return values as string[];
}
