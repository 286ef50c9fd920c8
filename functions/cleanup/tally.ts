import type { CleanupProject } from '../connections.ts';
import { createSample } from './sample.ts';
import { judgeChat, type SkipReason } from './stale.ts';

/** What a run has counted so far. */
export type Counts = {
  /** Pages of PolyAI's list. */
  pages: number;
  /** Different chats with a usable id. */
  seen: number;
  open: number;
  stale: number;
  skipped: Partial<Record<SkipReason, number>>;
  /** Start of the oldest open chat in Unix milliseconds; infinite if there is none. */
  oldestOpen: number;
  /** The stale chats to close: all of them, or a random sample of `maxCloses`. */
  ids: readonly string[];
};

/**
 * Counts the chats of a run, page by page. A chat can be on two pages, because the time windows share their ends and
 * the list changes meanwhile; it counts once.
 *
 * @param now Unix milliseconds
 * @param random 0 to 1
 */
export function createTally(project: CleanupProject, now: () => number, random: () => number) {
  const sample = createSample<string>(project.cleanup.maxCloses, random);
  const known = new Set<string>();
  const skipped: Partial<Record<SkipReason, number>> = {};
  let [pages, open, stale, oldestOpen] = [0, 0, 0, Number.POSITIVE_INFINITY];

  function addChat(chat: unknown): void {
    const { id, isOpen, openSince = Number.POSITIVE_INFINITY, skip } = judgeChat(chat, project, now());
    if (id && known.has(id)) return;
    if (id) known.add(id);
    if (isOpen) open += 1;
    oldestOpen = Math.min(openSince, oldestOpen);
    if (skip) {
      skipped[skip] = (skipped[skip] ?? 0) + 1;
      return;
    }
    stale += 1;
    sample.add(id);
  }

  return {
    addPage(chats: readonly unknown[]): void {
      pages += 1;
      for (const chat of chats) addChat(chat);
    },
    counts(): Counts {
      return { pages, seen: known.size, open, stale, skipped, oldestOpen, ids: sample.items };
    },
  };
}
