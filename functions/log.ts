import type { Where } from './fault-places.ts';

/** One line of the outcome log: `type` first, ids only, never a body, a header or a secret. */
export type Line = { type: 'delivery' | 'close' | 'cleanup' | 'canary' | 'fault' } & Record<string, unknown>;

/**
 * Writes one JSON object a line. Not `console.log`, which Lambda's JSON log format wraps into an escaped
 * string. Fields that are `undefined` are left out.
 */
export function writeLine(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/**
 * The line of a fault: anything unexpected, or something that needs somebody.
 *
 * @param where what failed; docs/operations.md says what to do about each
 * @param error only its name and message are written, never what was being worked on
 */
export function faultLine(requestId: string | undefined, where: Where, error: unknown): Line {
  const { name = 'Error', message = String(error) } = (error ?? {}) as Partial<Error>;
  return { type: 'fault', request_id: requestId, where, error: { name, message } };
}
