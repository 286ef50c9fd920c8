import { createHash } from 'node:crypto';

const HASH_LENGTH = 8;

/**
 * Shortens a name that is too long: it then ends in a hyphen and a hash of the whole name, so that two long names
 * stay different.
 */
export function shorten(name: string, maxLength: number): string {
  if (name.length <= maxLength) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  return `${name.slice(0, maxLength - HASH_LENGTH - 1)}-${hash}`;
}
