import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two texts are equal. The time it takes does not reveal where they differ or how long they are. */
export function equalTexts(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf16le').digest();
}

/**
 * Whether a signature is the expected one. The time it takes does not reveal where they differ. It may reveal the
 * length, which every reader of the scheme's documentation knows; a stored credential needs `equalTexts`.
 */
export function equalSignatures(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
