import type { Options } from '../scripts/command/options.ts';
import { type FinalLine, LOOK_UP } from './final-line.ts';

export type NewestLines = {
  add(line: FinalLine): void;
  result(): {
    /** Each conversation once, by its newest line, where that has an outcome that was asked for. */
    chosen: FinalLine[];
    /** The newest lines of those that had such an outcome and have another one since. */
    overtaken: FinalLine[];
    /** The projects of all lines with such an outcome, asked for or not. */
    projects: string[];
  };
};

/**
 * Keeps the newest final line of each conversation, and of each shared id that was looked up: what was closed
 * since must not be asked for again. The lines may come in any order.
 */
export function createNewestLines({
  outcomes,
  projects,
}: Pick<Options, 'outcomes' | 'projects'>): NewestLines {
  const newest = new Map<unknown, FinalLine>();
  const askedFor = new Set<unknown>();
  const seen = new Set<string>();

  function add(line: FinalLine): void {
    const isAskedFor = outcomes.includes(line.outcome);
    if (isAskedFor) seen.add(line.project);
    if (projects.length > 0 && !projects.includes(line.project)) return;
    if (isAskedFor) askedFor.add(keyOf(line));
    for (const key of [keyOf(line), lookUpOf(line)]) {
      if (key === undefined) continue;
      const known = newest.get(key);
      if (!known || known.at <= line.at) newest.set(key, line);
    }
  }

  function result() {
    const all = [...askedFor].flatMap((key) => newest.get(key) ?? []);
    return {
      chosen: all.filter(({ outcome }) => outcomes.includes(outcome)),
      overtaken: all.filter(({ outcome }) => !outcomes.includes(outcome)),
      projects: [...seen].sort(),
    };
  }

  return { add, result };
}

/** What has no id is a close of its own, which no other line can tell of. */
function keyOf(line: FinalLine): unknown {
  const { id, project, note = '' } = line;
  return id ? JSON.stringify([project, note, id]) : line;
}

/** The look-up that a line with a conversation came from: it has ended as well. */
function lookUpOf({ project, note, line }: FinalLine): unknown {
  const { shared_id: id } = line;
  return note || typeof id !== 'string' ? undefined : JSON.stringify([project, LOOK_UP, id]);
}
