import { describe, expect, it } from 'vitest';
import { isAllowedSource } from '../../../functions/intake/source.ts';

describe('isAllowedSource', () => {
  it.each([
    ['192.0.2.0', ['192.0.2.0/24'], true],
    ['192.0.2.255', ['192.0.2.0/24'], true],
    ['192.0.1.255', ['192.0.2.0/24'], false],
    ['192.0.3.0', ['192.0.2.0/24'], false],
    ['192.0.2.77', ['192.0.2.1/24'], true],
    ['198.51.100.7', ['198.51.100.7/32'], true],
    ['198.51.100.8', ['198.51.100.7/32'], false],
    ['198.51.100.8', ['192.0.2.0/24', '198.51.100.0/24'], true],
    ['203.0.113.9', ['0.0.0.0/0'], true],
    ['2001:db8::1', ['2001:db8::/32'], true],
    ['2001:db9::1', ['2001:db8::/32'], false],
    ['2001:db8::1', ['::/0'], true],
    ['192.0.2.1', ['2001:db8::/32'], false],
    ['2001:db8::1', ['192.0.2.0/24'], false],
    ['2001:db8::1', ['0.0.0.0/0'], false],
    ['::ffff:192.0.2.1', ['192.0.2.0/24'], true],
    ['192.0.2.1', [], false],
  ])('for %s in %j is %s', (address, blocks, expected) => {
    expect(isAllowedSource(blocks, address)).toBe(expected);
    expect(isAllowedSource(blocks, address)).toBe(expected);
  });

  it('keeps the lists of two connections separate', () => {
    const one = ['192.0.2.0/24'];
    const other = ['198.51.100.0/24'];
    expect(isAllowedSource(one, '192.0.2.1')).toBe(true);
    expect(isAllowedSource(other, '192.0.2.1')).toBe(false);
  });

  it.each(['198.51.100.7', '198.51.100.7/', '2001:db8::1'])(
    'allows no address for %s, which has no length',
    (block) => {
      expect(isAllowedOrThrows([block], '203.0.113.9')).toBe(false);
      expect(isAllowedOrThrows([block], '2001:db9::9')).toBe(false);
    },
  );
});

function isAllowedOrThrows(blocks: string[], address: string): boolean {
  try {
    return isAllowedSource(blocks, address);
  } catch {
    return false;
  }
}
