import type { Chat } from './asks.ts';
import { HOUR, MINUTE, type Schedule, type Window } from './schedule.ts';

/** Minutes from the end of a trouble until the chats that waited for it were closed: the median and the last one. */
export type Recovery = { trouble: string; count: number; medianMin: number; lastMin: number };

const LONG = ['outage', 'revoked', 'storm', 'event_source_off'];

/** For chats acknowledged during a trouble: how long after its end they were closed. */
export function createRecoveries(schedule: Schedule, now: () => number) {
  const found = new Map<string, number[]>();

  function nameOf({ trouble, project, from, to }: Window): string {
    const begin = schedule.windows[0]?.from ?? 0;
    return `${trouble}${project ? ` of ${project}` : ''}, ${((to - from) / HOUR).toFixed(1)} h, from hour ${((from - begin) / HOUR).toFixed(0)}`;
  }

  return {
    /** A chat was closed just now. */
    note({ refusedAs, acknowledgedAt = now(), project }: Chat): void {
      // A chat that PolyAI refuses is closed by chance, if at all.
      if (refusedAs) return;
      const over = schedule.windows.filter(
        (window) =>
          (window.project === undefined || window.project === project) &&
          window.to - window.from >= 10 * MINUTE &&
          window.from <= acknowledgedAt &&
          acknowledgedAt < window.to &&
          window.to <= now() &&
          LONG.includes(window.trouble),
      );
      for (const window of over) {
        const name = nameOf(window);
        const waits = found.get(name) ?? [];
        found.set(name, waits);
        waits.push(now() - window.to);
      }
    },
    report: (): Recovery[] =>
      [...found].map(([trouble, waits]) => {
        const sorted = waits.sort((a, b) => a - b);
        return {
          trouble,
          count: sorted.length,
          medianMin: (sorted[sorted.length >> 1] ?? 0) / MINUTE,
          lastMin: (sorted.at(-1) ?? 0) / MINUTE,
        };
      }),
  };
}
