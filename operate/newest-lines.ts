import { matches } from './dead-letter.ts';
import { type FinalLine, LOOK_UP } from './final-line.ts';
import { isWithin } from './lines.ts';
import type { Selection } from './options.ts';

export type NewestLines = {
  add(line: FinalLine): void;
  result(): {
    /** The newest line of each conversation whose newest outcome is a requested one. */
    chosen: FinalLine[];
    /** The newest lines of conversations that had a requested outcome and have had another since. */
    overtaken: FinalLine[];
    /** The projects of all lines with a requested outcome, whether the project was requested or not. */
    projects: string[];
  };
};

/**
 * Keeps the newest final line of each conversation and of each looked-up shared id, because a chat that was closed
 * since must not be closed again. The lines may come in any order.
 */
export function createNewestLines({
  outcomes,
  projects,
  connections,
  conversations,
  requestIds,
  span,
}: Omit<Selection, 'lateLookUp'>): NewestLines {
  const newest = new Map<unknown, FinalLine>();
  const requested = new Set<unknown>();
  const seen = new Set<string>();

  function add(line: FinalLine): void {
    const isRequested =
      outcomes.includes(line.outcome) && (span === undefined || isWithin(span, line.loggedAt));
    if (isRequested) seen.add(line.project);
    if (projects.length > 0 && !projects.includes(line.project)) return;
    if (isRequested) requested.add(keyOf(line));
    for (const key of [keyOf(line), lookUpOf(line)]) {
      if (key === undefined) continue;
      const known = newest.get(key);
      if (!known || known.loggedAt <= line.loggedAt) newest.set(key, line);
    }
  }

  function result() {
    const all = [...requested].flatMap((key) => newest.get(key) ?? []).filter(isWanted);
    return {
      chosen: all.filter(({ outcome }) => outcomes.includes(outcome)),
      overtaken: all.filter(({ outcome }) => !outcomes.includes(outcome)),
      projects: [...seen].sort(),
    };
  }

  /** Only at the end: a newer line of another request may have overtaken the one that was asked for. */
  function isWanted({ connection, id, line }: FinalLine): boolean {
    return (
      matches(connections, connection) &&
      matches(conversations, id) &&
      matches(requestIds, typeof line.request_id === 'string' ? line.request_id : undefined)
    );
  }

  return { add, result };
}

/** A line without an id is its own key: no other line can be about the same close. */
function keyOf(line: FinalLine): unknown {
  const { id, project, note = '' } = line;
  return id ? JSON.stringify([project, note, id]) : line;
}

/** The key of the look-up that led to this line's conversation. That look-up has ended too. */
function lookUpOf({ project, note, line }: FinalLine): unknown {
  const { shared_id: id } = line;
  return note || typeof id !== 'string' ? undefined : JSON.stringify([project, LOOK_UP, id]);
}
