import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCopies } from '../../../functions/close/copies.ts';
import type { CloseRequest } from '../../../functions/close-request.ts';

const NOW = Date.parse('2026-08-01T12:00:00Z');
const MINUTE = 60_000;

function close(dueAt?: number, change: Partial<CloseRequest> = {}): CloseRequest {
  return {
    v: 1,
    requestId: 'request-1',
    source: 'webhook',
    project: 'support',
    conversationId: 'CONV-1',
    receivedAt: '2026-08-01T11:00:00.000Z',
    ...(dueAt !== undefined && { notBefore: new Date(dueAt).toISOString() }),
    ...change,
  };
}

function createContainer() {
  const clock = { now: NOW };
  return { clock, copies: createCopies(() => clock.now) };
}

describe('a message of a close that was sent back', () => {
  it('is dropped while a later copy waits on the queue', () => {
    const { copies } = createContainer();
    copies.sentBack(close(), NOW + 30 * MINUTE);
    expect(copies.isSuperseded(close(NOW + MINUTE))).toBe(true);
  });

  it.each<[string, CloseRequest]>([
    ['its own time is the later one', close(NOW + 31 * MINUTE)],
    ['its own time is the same', close(NOW + 30 * MINUTE)],
    ['it was never sent back, as after a redrive', close()],
    ['the copy is of another request', close(NOW + MINUTE, { requestId: 'request-2' })],
    ['the copy is of another chat of the request', close(NOW + MINUTE, { conversationId: 'CONV-2' })],
    [
      'the copy is of the look-up before it',
      { ...close(NOW + MINUTE, { sharedId: 'CONV-1' }), conversationId: undefined } as never,
    ],
  ])('is kept if %s', (_, message) => {
    const { copies } = createContainer();
    copies.sentBack(close(), NOW + 30 * MINUTE);
    expect(copies.isSuperseded(message)).toBe(false);
  });

  it('is kept when the time of the later copy has come, give or take the clocks of two containers', () => {
    const { clock, copies } = createContainer();
    copies.sentBack(close(), NOW + 30 * MINUTE);
    clock.now = NOW + 30 * MINUTE - 10_000;
    expect(copies.isSuperseded(close(NOW + MINUTE))).toBe(false);
  });

  it('is kept if no copy is known, because the memory is limited', () => {
    const { copies } = createContainer();
    copies.sentBack(close(), NOW + 30 * MINUTE);
    for (let n = 0; n < 10_000; n += 1)
      copies.sentBack(close(undefined, { requestId: `other-${n}` }), NOW + 30 * MINUTE);
    expect(copies.isSuperseded(close(NOW + MINUTE))).toBe(false);
  });

  it('is never the last one that is dropped, whoever receives which copy when', () => {
    const step = fc.record({
      container: fc.nat(2),
      message: fc.nat(20),
      passMs: fc.nat(40 * MINUTE),
      waitMs: fc.integer({ min: 31_000, max: 90 * MINUTE }),
      /** The send is confirmed, but its delete is lost. */
      isDuplicated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = NOW;
        // The clocks differ by up to 4 s.
        const containers = [-2000, 0, 2000].map((skew) => {
          const read = () => now + skew;
          return { read, copies: createCopies(read) };
        });
        const alive = [close(NOW)];
        for (const { container, message, passMs, waitMs, isDuplicated } of steps) {
          now += passMs;
          const { read, copies } = containers[container] as (typeof containers)[number];
          const index = message % alive.length;
          const received = alive[index] as CloseRequest;
          if (copies.isSuperseded(received)) {
            alive.splice(index, 1);
          } else {
            const dueAt = Date.parse(received.notBefore ?? '');
            const next = dueAt > read() ? dueAt : read() + waitMs;
            copies.sentBack(received, next);
            alive.push(close(next));
            if (!isDuplicated) alive.splice(index, 1);
          }
          expect(alive.length).toBeGreaterThan(0);
        }
      }),
    );
  });
});
