import type { Delivery } from '../delivery.ts';
import type { Refusal } from '../refusal.ts';
import { equalTexts } from './constant-time.ts';

/**
 * Compares a shared secret with the credential of a delivery.
 *
 * @param keys the stored values; several during a rotation
 * @param given the credential of the delivery, if it has one
 */
export function compareCredential(keys: string[], given: string | undefined): Refusal | undefined {
  if (!given) return { code: 'credential_missing', detail: 'The credential is missing.' };
  // Tries every key, so that the time does not reveal which one matched.
  const matches = keys.map((key) => equalTexts(key, given));
  return matches.includes(true)
    ? undefined
    : { code: 'credential_mismatch', detail: 'The credential is not equal to the stored one.' };
}

/**
 * The value after the scheme in the `Authorization` header, if there is exactly one.
 *
 * @param scheme upper and lower case are equal
 */
export function readAuthorization(scheme: string, { headers }: Delivery): string | undefined {
  const [given, value, ...more] = (headers.authorization ?? '').split(' ');
  return given?.toLowerCase() === scheme.toLowerCase() && more.length === 0 ? value : undefined;
}
