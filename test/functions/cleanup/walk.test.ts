import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListAnswer, PageQuery } from '../../../functions/cleanup/conversations.ts';
import { WalkStopped, walkPages, windowsBetween } from '../../../functions/cleanup/walk.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../functions/time.ts';

/** Walks two windows over a list with the given answers, on its own clock. */
async function walk(answers: (query: PageQuery, asked: number) => ListAnswer, budgetMs = 10 * MINUTE_MS) {
  const windows = [
    { from: 0, to: DAY_MS },
    { from: DAY_MS, to: 2 * DAY_MS },
  ];
  const queries: PageQuery[] = [];
  const waits: number[] = [];
  let clock = 0;
  const seen: unknown[] = [];
  const pages = walkPages(
    {
      list: async (query) => {
        clock += 10;
        queries.push(query);
        return answers(query, queries.length);
      },
      now: () => clock,
      stopAt: budgetMs,
      sleep: async (ms) => {
        waits.push(ms);
        clock += ms;
      },
      random: () => 0.5,
    },
    windows,
  );
  try {
    for await (const page of pages) seen.push(...page);
    return { seen, queries, waits, clock };
  } catch (stopped) {
    return { seen, queries, waits, clock, stopped: stopped as WalkStopped };
  }
}

const FAILS: ListAnswer = { failure: 'PolyAI answered 503', kind: 'passing' };

describe('a walk', () => {
  it('reads one window after the other, each to its last page', async () => {
    const { seen, queries, stopped } = await walk(({ from, cursor = '' }) => ({
      conversations: [`${from / DAY_MS}${cursor}`],
      ...(cursor.length < 2 && { cursor: `${cursor}a` }),
    }));
    expect(stopped).toBeUndefined();
    expect(seen).toEqual(['0', '0a', '0aa', '1', '1a', '1aa']);
    expect(queries[0]).toEqual({ from: 0, to: DAY_MS });
    expect(queries[4]).toEqual({ from: DAY_MS, to: 2 * DAY_MS, cursor: 'a' });
  });

  it('retries after a passing failure, and waits twice as long each time', async () => {
    const { seen, waits } = await walk((_query, asked) => (asked <= 3 ? FAILS : { conversations: [asked] }));
    expect(seen).toEqual([4, 5]);
    expect(waits).toEqual([220, 440, 880]);
  });

  it('completes although the list fails every second time', async () => {
    const { seen, stopped } = await walk((_query, asked) => (asked % 2 ? FAILS : { conversations: [asked] }));
    expect(stopped).toBeUndefined();
    expect(seen).toEqual([2, 4]);
  });

  it('waits as long as Retry-After says', async () => {
    const { waits } = await walk((_query, asked) =>
      asked === 1 ? { ...FAILS, retryAfterMs: 30 * SECOND_MS } : { conversations: [] },
    );
    expect(waits).toEqual([30 * SECOND_MS]);
  });

  it('stops at once when Retry-After is longer than the time left', async () => {
    const { waits, stopped } = await walk(() => ({ ...FAILS, retryAfterMs: HOUR_MS }));
    expect(waits).toEqual([]);
    expect(stopped).toMatchObject({
      needsAction: false,
      message: expect.stringContaining('no time was left'),
    });
  });

  it('stops after twenty attempts for a page, without needing action', async () => {
    const { queries, stopped } = await walk(() => FAILS);
    expect(queries).toHaveLength(20);
    expect(stopped).toMatchObject({ needsAction: false, message: 'PolyAI answered 503, 20 times' });
  });

  it('stops when its time is up, and keeps the pages it has read', async () => {
    const { seen, stopped } = await walk(
      (_query, asked) => ({ conversations: [asked], cursor: `${asked}` }),
      525,
    );
    expect(seen).toEqual([1, 2, 3]);
    expect(stopped).toMatchObject({ needsAction: false, message: 'the time was up' });
  });

  it.each(['lasting', 'unauthorized'] as const)(
    'stops at once at a %s failure, which needs action',
    async (kind) => {
      const { seen, queries, stopped } = await walk((_query, asked) =>
        asked === 1 ? { conversations: ['first'] } : { failure: 'no', kind },
      );
      expect({ seen, asked: queries.length }).toEqual({ seen: ['first'], asked: 2 });
      expect(stopped).toBeInstanceOf(WalkStopped);
      expect(stopped).toMatchObject({ needsAction: true, message: 'no' });
    },
  );

  it.each([1, 2, 5])('stops when a cursor repeats after %i pages', async (cycle) => {
    const { seen, stopped } = await walk((_query, asked) => ({
      conversations: [asked],
      cursor: String(asked % cycle),
    }));
    expect(stopped).toMatchObject({ needsAction: true, message: 'the list repeated a cursor' });
    expect(seen).toHaveLength(cycle + 1);
  });

  it('stops when the pages do not end', async () => {
    const { seen, stopped } = await walk(
      (_query, asked) => ({ conversations: [], cursor: `${asked}` }),
      Number.MAX_SAFE_INTEGER,
    );
    expect(seen).toEqual([]);
    expect(stopped).toMatchObject({ needsAction: true, message: expect.stringContaining('10000 pages') });
  });
});

describe('the windows', () => {
  it('are one day long, except for a shorter last one', () => {
    expect(windowsBetween(0, 2.5 * DAY_MS)).toEqual([
      { from: 0, to: DAY_MS },
      { from: DAY_MS, to: 2 * DAY_MS },
      { from: 2 * DAY_MS, to: 2.5 * DAY_MS },
    ]);
  });

  it('cover the whole span with at most 32 windows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2e12 }), fc.integer({ min: 1, max: 9e12 }), (from, length) => {
        const windows = windowsBetween(from, from + length);
        expect(windows.length).toBeLessThanOrEqual(32);
        expect(windows[0]?.from).toBe(from);
        expect(windows.at(-1)?.to).toBe(from + length);
        for (const [index, window] of windows.entries()) {
          expect(window.to).toBeGreaterThan(window.from);
          if (index > 0) expect(window.from).toBe(windows[index - 1]?.to);
        }
      }),
    );
  });
});
