import { describe, expect, it } from 'vitest';
import { EMPTY, FLOOR, ZENDESK } from '../../../scripts/bench/names.ts';
import { reportText, targetsOf } from '../../../scripts/bench/report.ts';

const figures = (own: number, bundle = 65_000) => [
  { name: EMPTY, cpuMs: 20 },
  { name: FLOOR, cpuMs: 40, wallMs: 50, memory: 60e6, bundle: 2000 },
  { name: ZENDESK, cpuMs: own, wallMs: 70, memory: 65e6, bundle },
];

describe('the targets', () => {
  it('are multiples of the floor in the same run', () => {
    expect(targetsOf({ cold: figures(48), warm: figures(61) })).toEqual([
      { target: 'cold start, Zendesk, by the floor', measured: 1.2, limit: 1.2, holds: true },
      { target: 'warm delivery, Zendesk, by the floor', measured: 1.525, limit: 1.5, holds: false },
      { target: 'bundle, Zendesk, bytes', measured: 65_000, limit: 100_000, holds: true },
    ]);
  });

  it('include every verification, which must take no longer than the library', () => {
    const verify = [{ name: 'hmac · library', bytes: 1024, ours: 3, theirs: 2 }];
    expect(targetsOf({ verify })).toEqual([
      { target: 'hmac · library, 1 KiB', measured: 1.5, limit: 1.05, holds: false },
    ]);
  });
});

describe('the report', () => {
  it('has CPU, multiples, wall time, memory and bundle of each function', () => {
    const text = reportText({ cold: figures(48) });
    expect(text).toMatch(/receiver, Zendesk alone +│ 48\.00 +│ 1\.20 +│ 2\.40 +│ 70\.00 +│ 65 +│ 65\.0/);
    expect(text).toContain('All 2 targets hold.');
  });

  it('names what does not hold', () => {
    expect(reportText({ cold: figures(60, 120_000) })).toContain(
      '2 of 2 targets do not hold in this run:\n  cold start, Zendesk, by the floor: 1.50, at most 1.2',
    );
  });
});
