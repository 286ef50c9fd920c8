import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isGivenUp,
  judge,
  mayHaveClosed,
  nextTryInSeconds,
  OUTCOMES,
  type Outcome,
} from '../../../functions/close/outcome.ts';
import type { PolyAIAnswer } from '../../../functions/polyai.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../functions/time.ts';

const outcomes = Object.keys(OUTCOMES) as Outcome[];
const ageMs = fc.oneof(
  fc.integer({ min: 0, max: 120 * HOUR_MS }),
  fc.integer({ min: 0, max: 60 * SECOND_MS }),
);
const retryAfterMs = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 48 * HOUR_MS }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the outcomes', () => {
  it('are exactly these, each with its next step and whether somebody must act', () => {
    expect(OUTCOMES).toEqual({
      closed: { next: 'done', needsAction: false },
      already_ended: { next: 'done', needsAction: false },
      not_found: { next: 'done', needsAction: false },
      resolved: { next: 'done', needsAction: false },
      no_conversation: { next: 'done', needsAction: false },
      unconfirmed: { next: 'retry', needsAction: false },
      throttled: { next: 'retry', needsAction: false },
      unavailable: { next: 'retry', needsAction: false },
      misdirected: { next: 'retry', needsAction: true },
      unauthorized: { next: 'retry', needsAction: true },
      unknown_target: { next: 'retry', needsAction: true },
      rejected: { next: 'dead_letter', needsAction: true },
      look_up_expired: { next: 'dead_letter', needsAction: true },
    });
  });
});

describe('a judgement', () => {
  const code = fc.oneof(
    fc.constantFrom(
      'CONVERSATIONS_NOT_FOUND',
      'PROJECT_NOT_FOUND',
      'CHAT_TIMEOUT',
      'CHAT_CONVERSATION_ENDED',
    ),
    fc.stringMatching(/^[\w.-]{1,64}$/),
  );
  const answer: fc.Arbitrary<PolyAIAnswer> = fc.oneof(
    fc.record({ failure: fc.string() }),
    fc.record(
      { status: fc.integer({ min: 100, max: 999 }), success: fc.boolean(), errorCode: code },
      { requiredKeys: ['status', 'success'] },
    ),
  );

  it('is always one of the outcomes, with a reason unless it is closed', () => {
    fc.assert(
      fc.property(answer, (any) => {
        const judged = judge(any);
        expect(outcomes).toContain(judged.outcome);
        expect(judged.outcome === 'closed').toBe(judged.reason === undefined);
      }),
    );
  });

  it('is closed only for a 200 with success', () => {
    fc.assert(
      fc.property(answer, (any) => {
        const isClosed = 'status' in any && any.status === 200 && any.success;
        expect(judge(any).outcome === 'closed').toBe(isClosed);
      }),
    );
  });

  it('is not changed by success with any other status', () => {
    fc.assert(
      fc.property(answer, (any) => {
        if (!('status' in any) || any.status === 200) return;
        expect(judge({ ...any, success: true })).toEqual(judge({ ...any, success: false }));
      }),
    );
  });

  it('is never final because of the network or a server that is down', () => {
    const passing = fc.oneof(
      fc.string().map((failure) => ({ failure })),
      fc
        .constantFrom(401, 403, 408, 429, 500, 502, 503, 504, 599)
        .chain((status) =>
          fc.record({ status: fc.constant(status), success: fc.boolean(), errorCode: code }),
        ),
    );
    fc.assert(
      fc.property(passing, (any) => {
        expect(OUTCOMES[judge(any).outcome].next).toBe('retry');
      }),
    );
  });

  it.each([
    ['a status below 200', 199, '', 'misdirected'],
    ['the first status above 2xx', 300, '', 'misdirected'],
    ['another ending than CONVERSATION_ENDED', 400, 'CHAT_CONVERSATION_ENDED_LATER', 'rejected'],
    ['something before CHAT_TIMEOUT', 400, 'NO_CHAT_TIMEOUT', 'rejected'],
    ['something after CHAT_TIMEOUT', 400, 'CHAT_TIMEOUT_UNKNOWN', 'rejected'],
    ['CONVERSATIONS_NOT_FOUND beside a 400', 400, 'CONVERSATIONS_NOT_FOUND', 'rejected'],
    ['CHAT_TIMEOUT beside a 404', 404, 'CHAT_TIMEOUT', 'not_found'],
    ['PROJECT_NOT_FOUND beside a 410', 410, 'PROJECT_NOT_FOUND', 'already_ended'],
    ['PROJECT_NOT_FOUND beside a 403', 403, 'PROJECT_NOT_FOUND', 'unauthorized'],
  ])('is right for %s', (_, status, errorCode, expected) => {
    expect(judge({ status, success: false, errorCode }).outcome).toBe(expected);
  });
});

describe('mayHaveClosed', () => {
  const answer = (status: number, success = false) => ({ status, success });
  const WITHOUT_DOUBT = [200, 301, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 501, 503];

  it.each([200, 201, 202, 204, 299, 502, 504])('is true for a %i without success', (status) => {
    expect(mayHaveClosed(answer(status))).toBe(true);
  });

  it.each(WITHOUT_DOUBT)('is false for a %i', (status) => {
    expect(mayHaveClosed(answer(status, true))).toBe(false);
  });

  it('is true without an answer, unless nothing was sent', () => {
    expect(mayHaveClosed({ failure: 'reset' })).toBe(true);
    expect(mayHaveClosed({ failure: 'refused', neverSent: true })).toBe(false);
  });
});

describe('the next attempt', () => {
  it.each([
    [0, 10],
    [9 * SECOND_MS, 10],
    [10 * SECOND_MS, 10],
    [20 * SECOND_MS, 20],
    [40 * SECOND_MS, 40],
    [40 * SECOND_MS + 1, 41],
    [59 * MINUTE_MS, 3540],
    [HOUR_MS, 3600],
    [25 * HOUR_MS, 3600],
  ])('for a request that is %i ms old comes in %i s', (age, seconds) => {
    expect(nextTryInSeconds(age, 0, 0)).toBe(seconds);
  });

  it('comes after 10 s, 10 s, 20 s, 40 s and so on, doubling, and then every hour', () => {
    const waits: number[] = [];
    for (let age = 0; waits.length < 13; age += (waits.at(-1) ?? 0) * SECOND_MS) {
      waits.push(nextTryInSeconds(age, 0, 0));
    }
    expect(waits).toEqual([10, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
  });

  it('comes up to 20 % later, in proportion to the random number', () => {
    expect(nextTryInSeconds(100 * SECOND_MS, 0, 0.25)).toBe(105);
    expect(nextTryInSeconds(100 * SECOND_MS, 0, 1)).toBe(120);
    fc.assert(
      fc.property(ageMs, random, (age, jitter) => {
        const least = nextTryInSeconds(age, 0, 0);
        const seconds = nextTryInSeconds(age, 0, jitter);
        expect(seconds).toBeGreaterThanOrEqual(least);
        expect(seconds).toBeLessThanOrEqual(Math.ceil(least * 1.2));
      }),
    );
  });

  it('comes at different times for requests that failed together', () => {
    const seconds = Array.from({ length: 10 }, (_, n) => nextTryInSeconds(10 * MINUTE_MS, 0, n / 10));
    expect(new Set(seconds).size).toBe(10);
  });

  it('follows Retry-After up to a day', () => {
    expect(nextTryInSeconds(0, 90 * SECOND_MS, 0)).toBe(90);
    expect(nextTryInSeconds(0, 90 * SECOND_MS + 1, 0)).toBe(91);
    expect(nextTryInSeconds(0, 24 * HOUR_MS, 0)).toBe(86_400);
    expect(nextTryInSeconds(0, 365 * 24 * HOUR_MS, 1)).toBe(86_400);
    fc.assert(
      fc.property(ageMs, retryAfterMs, random, (age, asked, jitter) => {
        const seconds = nextTryInSeconds(age, asked, jitter);
        expect(seconds * SECOND_MS).toBeGreaterThanOrEqual(Math.min(asked, 24 * HOUR_MS));
      }),
    );
  });

  it('is never earlier because of a Retry-After', () => {
    expect(nextTryInSeconds(HOUR_MS, SECOND_MS, 0)).toBe(3600);
    fc.assert(
      fc.property(ageMs, retryAfterMs, random, (age, asked, jitter) => {
        expect(nextTryInSeconds(age, asked, jitter)).toBeGreaterThanOrEqual(nextTryInSeconds(age, 0, jitter));
      }),
    );
  });

  it('is always between ten seconds and a day', () => {
    const wild = fc.oneof(ageMs, fc.double({ min: 0, noNaN: true }));
    fc.assert(
      fc.property(wild, fc.oneof(retryAfterMs, wild), random, (age, asked, jitter) => {
        const seconds = nextTryInSeconds(age, asked, jitter);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(10);
        expect(seconds).toBeLessThanOrEqual(24 * 3600);
      }),
    );
  });
});

describe('giving up', () => {
  it('happens after 74 hours, or a day later while it is in doubt whether the chat was closed', () => {
    expect(isGivenUp(74 * HOUR_MS - 1)).toBe(false);
    expect(isGivenUp(74 * HOUR_MS)).toBe(true);
    expect(isGivenUp(98 * HOUR_MS - 1, true)).toBe(false);
    expect(isGivenUp(98 * HOUR_MS, true)).toBe(true);
  });

  it('stays true for every later time', () => {
    fc.assert(
      fc.property(ageMs, ageMs, (age, later) => {
        for (const isInDoubt of [false, true]) {
          if (isGivenUp(age, isInDoubt)) expect(isGivenUp(age + later, isInDoubt)).toBe(true);
        }
        if (isGivenUp(age, true)) expect(isGivenUp(age)).toBe(true);
      }),
    );
  });
});

describe('an outage', () => {
  /** The ages at which a request is tried, up to the first attempt after the outage or the last attempt. */
  function tries(outageMs: number, jitter: () => number, askedMs = 0): number[] {
    const ages = [0];
    for (let age = 0; age < outageMs && !isGivenUp(age); ) {
      age += nextTryInSeconds(age, askedMs, jitter()) * SECOND_MS;
      ages.push(age);
    }
    return ages;
  }

  it('of a day costs about thirty calls for each request', () => {
    fc.assert(
      fc.property(fc.infiniteStream(random), (jitter) => {
        const calls = tries(24 * HOUR_MS, () => jitter.next().value).length;
        expect(calls).toBeGreaterThanOrEqual(28);
        expect(calls).toBeLessThanOrEqual(36);
      }),
    );
    expect(tries(24 * HOUR_MS, () => 0)).toHaveLength(34);
  });

  it('of a weekend costs about ninety calls for each request', () => {
    expect(tries(72 * HOUR_MS, () => 0)).toHaveLength(82);
  });

  it('of up to a weekend is survived by every request, which is tried soon after it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 72 * HOUR_MS }),
        fc.infiniteStream(random),
        (outageMs, jitter) => {
          const healedAt = tries(outageMs, () => jitter.next().value).at(-1) ?? 0;
          const least = Math.max(outageMs + 12 * SECOND_MS, outageMs * 2.2);
          expect(healedAt).toBeGreaterThanOrEqual(outageMs);
          expect(healedAt).toBeLessThanOrEqual(Math.min(least, outageMs + 1.2 * HOUR_MS) + SECOND_MS);
          expect(healedAt).toBeLessThan(74 * HOUR_MS);
        },
      ),
    );
  });

  it('with long Retry-After answers is survived too, with few calls', () => {
    const ages = tries(64 * HOUR_MS, () => 0, 11 * HOUR_MS);
    expect(ages).toEqual([0, 11, 22, 33, 44, 55, 66].map((hours) => hours * HOUR_MS));
  });

  it('that does not end is given up at the first attempt after 74 hours', () => {
    const ages = tries(Number.POSITIVE_INFINITY, () => 0.5);
    const last = ages.at(-1) ?? 0;
    expect(last).toBeGreaterThanOrEqual(74 * HOUR_MS);
    expect(last).toBeLessThanOrEqual(75.2 * HOUR_MS);
    expect(ages.at(-2)).toBeLessThan(74 * HOUR_MS);
  });
});
