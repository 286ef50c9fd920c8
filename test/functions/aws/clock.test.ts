import { describe, expect, it } from 'vitest';
import { createClock } from '../../../functions/aws/clock.ts';

const NOW = Date.parse('2026-08-01T12:00:00.000Z');
const HOUR = 3_600_000;
const dateHeader = (time: number) => ({ date: new Date(time).toUTCString() });

function start() {
  let now = NOW;
  const clock = createClock(() => now);
  return { clock, pass: (ms: number) => (now += ms) };
}

describe('the clock', () => {
  it('is the function’s own until an answer tells the time', () => {
    expect(start().clock.date().getTime()).toBe(NOW);
  });

  it('follows the service, and says that a second attempt is worth it when it was wrong', () => {
    const { clock } = start();
    expect(clock.learn(dateHeader(NOW + HOUR), clock.date())).toBe(true);
    expect(clock.date().getTime()).toBe(NOW + HOUR);
    expect(clock.learn(dateHeader(NOW + HOUR), clock.date())).toBe(false);
  });

  it.each([239_000, -239_000])('asks for no second attempt when it is %d ms off', (ms) => {
    const { clock } = start();
    expect(clock.learn(dateHeader(NOW + ms), clock.date())).toBe(false);
    expect(clock.date().getTime()).toBe(NOW + ms);
  });

  it.each([
    ['no date', {}],
    ['an unreadable date', { date: 'yesterday' }],
    ['an answer of a cache', { ...dateHeader(NOW + HOUR), age: '60' }],
  ])('learns nothing from %s', (_what, headers) => {
    const { clock } = start();
    expect(clock.learn(headers, clock.date())).toBe(false);
    expect(clock.date().getTime()).toBe(NOW);
  });

  it('learns nothing from an answer that was held up while the function was frozen', () => {
    const { clock, pass } = start();
    const sent = clock.date();
    pass(HOUR);
    expect(clock.learn(dateHeader(NOW), sent)).toBe(false);
    expect(clock.date().getTime()).toBe(NOW + HOUR);
  });
});
