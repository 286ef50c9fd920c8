/** One line of the outcome log: `type` first, ids only, never a body, a header or a secret. */
export type Line = { type: 'delivery' | 'close' | 'cleanup' | 'fault' } & Record<string, unknown>;

/**
 * Writes one JSON object a line. Not `console.log`, which Lambda's JSON log format wraps into an escaped
 * string. Fields that are `undefined` are left out.
 */
export function writeLine(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Anything unexpected: where it was and what it says, never what it was working on. */
export function faultLine(requestId: string | undefined, where: string, error: unknown): Line {
  const { name = 'Error', message = String(error) } = (error ?? {}) as Partial<Error>;
  return { type: 'fault', request_id: requestId, where, error: { name, message } };
}
