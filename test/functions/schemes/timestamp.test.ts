import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTimestamp, TOLERANCE_SECONDS } from '../../../functions/schemes/timestamp.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECOND = 1000;
const UNITS = ['s', 'ms', 'iso'] as const;
type Unit = (typeof UNITS)[number];

function write(unit: Unit, at: number): string {
  if (unit === 'iso') return new Date(at).toISOString();
  return unit === 's' ? String(Math.floor(at / SECOND)) : String(at);
}

function check(text: string | undefined, unit: Unit, now = NOW): string {
  return checkTimestamp(text, unit, TOLERANCE_SECONDS, now)?.code ?? 'accepted';
}

describe.each(UNITS)('a timestamp in %s', (unit) => {
  it.each([
    ['now', 0, 'accepted'],
    ['exactly 300 s ago', 300_000, 'accepted'],
    ['exactly 300 s ahead', -300_000, 'accepted'],
    ['300.001 s ago', 300_001, 'timestamp_stale'],
    ['300.001 s ahead', -300_001, 'timestamp_stale'],
    ['ten minutes ago', 600_000, 'timestamp_stale'],
    ['ten minutes ahead', -600_000, 'timestamp_stale'],
  ])('has the expected result %s', (_when, age, expected) => {
    expect(check(write(unit, NOW), unit, NOW + age)).toBe(expected);
  });

  it.each([
    'abc',
    'NaN',
    'Infinity',
    '-Infinity',
    'null',
    ' ',
    '+1',
    '-1',
    '1e12',
    '0x1',
    '１７',
    '1,2',
    '[]',
  ])('of %j is malformed', (text) => {
    expect(check(text, unit)).toBe('timestamp_malformed');
  });

  it('with other text before or after it is malformed', () => {
    for (const broken of [' @', '@ ', '@\n', '@,@', '@ @', '+@', '@Z', '@.0.0']) {
      expect(check(broken.replaceAll('@', write(unit, NOW)), unit)).toBe('timestamp_malformed');
    }
  });

  it('that is absent or empty is missing', () => {
    expect(check(undefined, unit)).toBe('timestamp_missing');
    expect(check('', unit)).toBe('timestamp_missing');
  });

  it('in another unit is never accepted', () => {
    for (const other of UNITS.filter((each) => each !== unit)) {
      expect(check(write(other, NOW), unit)).not.toBe('accepted');
    }
  });

  it('is accepted within the tolerance, exact to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: -400_000, max: 400_000 }), (age) => {
        const expected = Math.abs(age) <= 300_000 ? 'accepted' : 'timestamp_stale';
        expect(check(write(unit, NOW), unit, NOW + age)).toBe(expected);
      }),
    );
  });

  it('never throws and is never accepted when it is arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(check(text, unit)).not.toBe('accepted');
      }),
    );
  });
});

describe('an ISO 8601 timestamp', () => {
  it.each([
    '2026-07-01T12:00:00Z',
    '2026-07-01T12:00Z',
    '2026-07-01T12:00:00.1Z',
    '2026-07-01T12:00:00.672717030Z',
    '2026-07-01T14:00:00+02:00',
    '2026-07-01T14:00:00+0200',
    '2026-07-01T05:00:00-07:00',
  ])('may be %s', (text) => {
    expect(check(text, 'iso')).toBe('accepted');
  });

  it.each([
    ['has no time zone', '2026-07-01T12:00:00'],
    ['has no time', '2026-07-01'],
    ['has no such month', '2026-13-01T12:00:00Z'],
    ['has no such hour', '2026-07-01T25:00:00Z'],
    ['is in the form of e-mail', 'Wed, 01 Jul 2026 12:00:00 GMT'],
    ['has a blank instead of the T', '2026-07-01 12:00:00Z'],
    ['is in lower case', '2026-07-01t12:00:00z'],
    ['has the long form of a year', '+002026-07-01T12:00:00Z'],
    ['has a zero byte and text after it, which Date.parse ignores', '2026-07-01T12:00:00Z\0x'],
  ])('that %s is malformed', (_how, text) => {
    expect(check(text, 'iso')).toBe('timestamp_malformed');
  });
});
