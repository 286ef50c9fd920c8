import { ChatCloserError } from '../error.ts';
import { DAY_MS, SECOND_MS } from '../time.ts';
import type { ListAnswer, PageQuery } from './conversations.ts';

/** The walk ended before the list did. The pages that were read until then count. */
export class WalkStopped extends ChatCloserError {
  override name = 'WalkStopped';
  /** Whether the next walk stops too unless somebody acts. */
  readonly needsAction: boolean;

  constructor(message: string, needsAction: boolean) {
    super(message);
    this.needsAction = needsAction;
  }
}

export type WalkParts = {
  /** Requests one page, once. */
  list: (query: PageQuery, timeoutMs: number) => Promise<ListAnswer>;
  /** Unix milliseconds. */
  now: () => number;
  /** When the walk must end, in Unix milliseconds. */
  stopAt: number;
  sleep: (ms: number) => Promise<void>;
  /** 0 to 1. */
  random: () => number;
};

const MAX_WINDOWS = 32;
const MAX_PAGES = 10_000;
const PAGE_TIMEOUT_MS = 30 * SECOND_MS;
/** An attempt with less time than this cannot succeed. */
const MIN_ATTEMPT_MS = 500;
/** Enough for two minutes of failures, and for a list that fails every second time. */
const MAX_ATTEMPTS = 20;
const FIRST_WAIT_MS = 200;
const MAX_WAIT_MS = 10 * SECOND_MS;
const JITTER = 0.2;

/**
 * Splits a span into windows of a day, or longer ones if there would be more than 32. The oldest window comes first;
 * neighbours share their ends. All times are Unix milliseconds.
 */
export function windowsBetween(from: number, to: number): { from: number; to: number }[] {
  const length = Math.max(DAY_MS, Math.ceil((to - from) / MAX_WINDOWS));
  const count = Math.max(0, Math.ceil((to - from) / length));
  return Array.from({ length: count }, (_, index) => ({
    from: from + index * length,
    to: Math.min(to, from + (index + 1) * length),
  }));
}

/**
 * Yields every page of PolyAI's list, from the oldest time window to the newest. The order within a window is not
 * documented; the windows make sure that a walk that is stopped has seen the older chats.
 *
 * @throws {WalkStopped} when a page cannot be fetched or read, when the pages do not end, and when the time is up
 */
export async function* walkPages(
  parts: WalkParts,
  windows: readonly { from: number; to: number }[],
): AsyncGenerator<unknown[]> {
  let pages = 0;
  for (const window of windows) {
    const cursors = new Set<string>();
    let cursor: string | undefined;
    do {
      if (pages++ >= MAX_PAGES) throw new WalkStopped(`the list did not end after ${MAX_PAGES} pages`, true);
      const page = await nextPage(parts, { ...window, ...(cursor !== undefined && { cursor }) });
      yield page.conversations;
      cursor = page.cursor;
      if (cursor !== undefined && cursors.has(cursor))
        throw new WalkStopped('the list repeated a cursor', true);
      if (cursor !== undefined) cursors.add(cursor);
    } while (cursor !== undefined);
  }
}

async function nextPage(parts: WalkParts, query: PageQuery) {
  const { list, now, stopAt, sleep, random } = parts;
  for (let attempt = 1; ; attempt += 1) {
    const left = stopAt - now();
    if (left < MIN_ATTEMPT_MS) throw new WalkStopped('the time was up', false);
    const answer = await list(query, Math.min(PAGE_TIMEOUT_MS, left));
    if ('conversations' in answer) return answer;
    const { failure, kind, retryAfterMs = 0 } = answer;
    if (kind !== 'passing') throw new WalkStopped(failure, true);
    if (attempt === MAX_ATTEMPTS) throw new WalkStopped(`${failure}, ${attempt} times`, false);
    const wait = Math.max(retryAfterMs, waitBefore(attempt, random()));
    if (wait >= stopAt - now()) throw new WalkStopped(`${failure}, and no time was left to ask again`, false);
    await sleep(wait);
  }
}

/** 200 ms, 400 ms, … doubling up to 10 s, plus up to 20 % jitter. @returns milliseconds */
function waitBefore(attempt: number, random: number): number {
  return Math.round(Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1)) * (1 + JITTER * random));
}
