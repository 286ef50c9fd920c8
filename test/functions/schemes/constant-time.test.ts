import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalTexts } from '../../../functions/schemes/constant-time.ts';

describe('equalTexts', () => {
  it('is true exactly for equal texts, whatever their length', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(equalTexts(a, a)).toBe(true);
        expect(equalTexts(a, b)).toBe(a === b);
      }),
    );
  });

  it('is false for a text and its beginning', () => {
    expect(equalTexts('abc', 'ab')).toBe(false);
    expect(equalTexts('', 'a')).toBe(false);
    expect(equalTexts('a\0', 'a')).toBe(false);
  });
});
