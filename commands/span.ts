import { DURATION, toMinutes } from '../infra/config/duration.ts';
import type { Span } from '../operate/lines.ts';

const MINUTE_MS = 60_000;

/**
 * Reads `--since` and `--until`. Each is a duration back from now (`30m`, `6h`, `2d`) or a time in ISO 8601. A time
 * without a zone is in UTC.
 *
 * @param now Unix milliseconds
 * @throws {Error} naming the option, and how to write it
 */
export function readSpan(since: string, until: string | undefined, now: number): Span {
  const from = readTime('--since', since, now);
  const to = until === undefined ? now : readTime('--until', until, now);
  if (from < to) return { from, to };
  throw new Error(`--since ${since} is not before --until ${until ?? 'now'}.`);
}

function readTime(option: string, text: string, now: number): number {
  if (DURATION.test(text)) return now - toMinutes(text) * MINUTE_MS;
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text);
  const time = isTime
    ? Date.parse(hasZone ? text : `${text.replace(' ', 'T')}${text.length > 10 ? 'Z' : ''}`)
    : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new Error(`${option} ${text} is not a time. Write 30m, 6h or 2d, or 2026-07-01T12:00Z.`);
}

/** Says on standard error which span a command looks at, so that an answer can be piped. */
export function saySpan(span: Span): void {
  process.stderr.write(`Looking at ${spanText(span)}.\n`);
}

/** The span in words, such as `2026-07-01 12:00 to 2026-07-02 12:00 UTC`. */
export function spanText({ from, to }: Span): string {
  const minute = (time: number) => new Date(time).toISOString().slice(0, 16).replace('T', ' ');
  return `${minute(from)} to ${minute(to)} UTC`;
}
