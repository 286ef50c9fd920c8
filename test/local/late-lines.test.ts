import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchForLateLines } from '../../local/late-lines.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function watch(onFlush: (lines: ReturnType<typeof watchForLateLines>) => void = () => {}) {
  let flushes = 0;
  const lines = watchForLateLines(async () => {
    flushes += 1;
    onFlush(lines);
  });
  return { lines, flushes: () => flushes, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

describe('a line that the emulator keeps back', () => {
  it('is fetched two seconds after PolyAI has answered', async () => {
    const { lines, flushes, pass } = watch((each) => each.arrived());
    lines.expect();
    await pass(1999);
    expect(flushes()).toBe(0);
    await pass(1);
    expect(flushes()).toBe(1);
    await pass(60_000);
    expect(flushes()).toBe(1);
  });

  it('is not fetched when it comes in time', async () => {
    const { lines, flushes, pass } = watch();
    lines.expect();
    await pass(1000);
    lines.arrived();
    await pass(60_000);
    expect(flushes()).toBe(0);
  });

  it('is fetched even though another one has come', async () => {
    const { lines, flushes, pass } = watch();
    lines.expect();
    lines.expect();
    lines.arrived();
    await pass(2000);
    expect(flushes()).toBe(1);
  });

  it('is fetched again after a failure, five times at most, and the next one is fetched too', async () => {
    const { lines, flushes, pass } = watch(() => {
      throw new Error('the emulator is busy');
    });
    lines.expect();
    await pass(60_000);
    expect(flushes()).toBe(5);
    lines.expect();
    await pass(60_000);
    expect(flushes()).toBe(10);
  });

  it('is fetched when it is expected during another fetch', async () => {
    const { lines, flushes, pass } = watch((each) => {
      each.arrived();
      if (flushes() === 1) each.expect();
    });
    lines.expect();
    await pass(60_000);
    expect(flushes()).toBe(2);
  });

  it('is not fetched after stop', async () => {
    const { lines, flushes, pass } = watch();
    lines.expect();
    lines.stop();
    await pass(60_000);
    expect(flushes()).toBe(0);
  });

  it('is still fetched when an unexpected line came before', async () => {
    const { lines, flushes, pass } = watch();
    lines.arrived();
    lines.expect();
    await pass(2000);
    expect(flushes()).toBe(1);
  });
});
