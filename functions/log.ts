import { ENVIRONMENT } from './environment.ts';
import type { Where } from './fault-places.ts';
import type { FaultLine, Line } from './line.ts';

export type { Line };

/** Writes one line. Not `console.log`, which Lambda's JSON log format wraps into an escaped string. */
export function writeLine(line: Line): void {
  process.stdout.write(`${lineText(line, process.env[ENVIRONMENT.service])}\n`);
}

/**
 * The text of a line as the log has it: one JSON object, `type` first. Fields that are `undefined` are left out.
 *
 * @param service the stack's name, the first dimension of every metric
 */
export function lineText({ type, ...fields }: Line, service: string | undefined): string {
  return JSON.stringify({ type, service, ...fields });
}

/**
 * The line of a fault: anything unexpected, or something that needs somebody.
 *
 * @param where what failed; docs/operations.md says what to do about each
 * @param error only its name and message are written, never what was being worked on
 */
export function faultLine(requestId: string | undefined, where: Where, error: unknown): FaultLine {
  const { name = 'Error', message = String(error) } = (error ?? {}) as Partial<Error>;
  return { type: 'fault', request_id: requestId, where, error: { name, message } };
}
