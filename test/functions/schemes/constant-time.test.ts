import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalSignatures, equalTexts } from '../../../functions/schemes/constant-time.ts';

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

  it('is false for two different halves of a character, which are the same in UTF-8', () => {
    expect(Buffer.from('\ud800')).toEqual(Buffer.from('\ud801'));
    expect(equalTexts('\ud800', '\ud801')).toBe(false);
    expect(equalTexts('\ud800', '\ufffd')).toBe(false);
  });
});

describe('equalSignatures', () => {
  it('is true exactly for the expected signature', () => {
    const signature = fc.base64String();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), signature, (given, expected) => {
        expect(equalSignatures(expected, expected)).toBe(true);
        expect(equalSignatures(given, expected)).toBe(given === expected);
      }),
    );
  });

  it.each(['', 'abc=', 'abcd=', 'bbc', 'abć'])('is false for %j instead of another signature', (given) => {
    expect(equalSignatures(given, 'abc')).toBe(false);
  });
});
