import type { Aws } from './aws.ts';
import { type LoggedLine, searchLines } from './lines.ts';
import type { Surroundings } from './surroundings.ts';

const POLL_MS = 1000;
/** A log's clock may be behind this machine's. */
const CLOCK_SKEW_MS = 60_000;

type Follow = {
  /** Names of log groups; `undefined` for one that the deployment does not have. */
  groups: readonly (string | undefined)[];
  /** Texts of which a line must have one. Empty: every line. */
  texts: readonly string[];
  /** When to start, in Unix milliseconds. */
  from: number;
  /** How long to wait. */
  timeoutMs: number;
};

type Parts = Pick<Aws, 'logs'> & Pick<Surroundings, 'now' | 'progress' | 'signal' | 'sleep'>;

/**
 * Yields the lines of logs as they come, each once, until the time is over, Ctrl-C, or the caller stops. CloudWatch
 * shows a line a few seconds after it was written.
 */
export async function* followLines(
  { groups, texts, from, timeoutMs }: Follow,
  parts: Parts,
): AsyncGenerator<LoggedLine> {
  const seen = new Set<string>();
  const deadline = parts.now() + timeoutMs;
  while (!parts.signal.aborted) {
    const to = parts.now() + CLOCK_SKEW_MS;
    const { lines } = await searchLines({ groups, texts, from: from - CLOCK_SKEW_MS, to }, parts);
    for (const line of lines) {
      const key = JSON.stringify(line);
      if (seen.has(key)) continue;
      seen.add(key);
      yield line;
    }
    if (parts.now() >= deadline) return;
    await parts.sleep(POLL_MS);
  }
}

/**
 * Waits for the outcome of the closes that a request asked for.
 *
 * @param count how many closes
 * @returns the newest line of each conversation, final or not: not all may be there when the time is over
 */
export async function followCloses(
  requestId: string,
  count: number,
  follow: Omit<Follow, 'texts'>,
  parts: Parts,
): Promise<LoggedLine[]> {
  const newest = new Map<unknown, LoggedLine>();
  for await (const line of followLines({ ...follow, texts: [requestId] }, parts)) {
    if (line.type !== 'close' || line.request_id !== requestId || line.outcome === 'resolved') continue;
    newest.set(line.conversation_id ?? line.shared_id, line);
    parts.progress(`Waiting for the outcome: ${newest.size} of ${count}`);
    if ([...newest.values()].filter(({ final }) => final === true).length >= count) break;
  }
  return [...newest.values()];
}
