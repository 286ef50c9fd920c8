import type { LoggedLine } from '../lines.ts';
import type { Depth } from '../queue-depth.ts';
import { count } from './closes.ts';
import type { Trouble } from './trouble.ts';

const STILL_MS = 15 * 60_000;

/**
 * Whether the worker has stopped: closes were queued 15 minutes ago or more, are still on the queue, and nothing was
 * tried since.
 *
 * @param now Unix milliseconds
 */
export function workerStopped(
  lines: readonly LoggedLine[],
  depth: Depth | undefined,
  now: number,
): Trouble[] {
  const lastTry = lines.findLast(({ type }) => type === 'close')?.at ?? '';
  const queued = lines.filter(
    ({ type, accepted, at }) => type === 'delivery' && Number(accepted) > 0 && at > lastTry,
  );
  const since = queued[0]?.at;
  if (!depth?.waiting || since === undefined || now - Date.parse(since) < STILL_MS) return [];
  return [
    {
      cause: 'worker_stopped',
      chats: depth.waiting,
      since,
      sentence: `${count(depth.waiting)} ${depth.waiting === 1 ? 'waits' : 'wait'} in the queue since ${since}, and the worker has tried none since. SQS keeps them for 14 days.`,
      next: 'npx --no chat-closer doctor',
    },
  ];
}
