import type { Delivery } from '../delivery.ts';
import type { Refusal } from '../refusal.ts';
import { equalTexts } from './constant-time.ts';

/** Compares a shared secret with what a delivery carries. */
export function compareCredential(keys: string[], given: string | undefined): Refusal | undefined {
  if (!given) return { code: 'credential_missing', detail: 'The credential is missing.' };
  // Every key is tried, so that the time does not tell which one matched.
  const matches = keys.map((key) => equalTexts(key, given));
  return matches.includes(true)
    ? undefined
    : { code: 'credential_mismatch', detail: 'The credential is not the stored one.' };
}

/** The one value after the scheme in `Authorization`; its name may be in any case. */
export function readAuthorization(scheme: string, { headers }: Delivery): string | undefined {
  const [given, value, ...more] = (headers.authorization ?? '').split(' ');
  return given?.toLowerCase() === scheme.toLowerCase() && more.length === 0 ? value : undefined;
}
