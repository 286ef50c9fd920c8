import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkEvents,
  isTooLargeForm,
  LIMITS,
  parseForm,
  parseJson,
  readFields,
  UnreadableBody,
} from '../../functions/parse-body.ts';

const listOf = (count: number) => `[${Array(count).fill('0').join(',')}]`;
const nested = (depth: number) => '{"a":['.repeat(depth / 2) + ']}'.repeat(depth / 2);

describe('JSON', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(['', ' \r\n'])('of nothing but %j is {}', (text) => {
    expect(parseJson(text)).toEqual({});
  });

  it('has so many values at most', () => {
    expect(parseJson(listOf(LIMITS.jsonValues))).toHaveLength(LIMITS.jsonValues);
    const text = listOf(LIMITS.jsonValues + 1);
    expect(() => parseJson(text)).toThrow(new UnreadableBody('has more than 50000 values'));
  });

  it('is nested so deep at most', () => {
    expect(parseJson(nested(LIMITS.jsonDepth))).toHaveProperty('a');
    expect(() => parseJson(nested(LIMITS.jsonDepth + 2))).toThrow(
      new UnreadableBody('is nested more than 256 deep'),
    );
  });

  it('may have anything in its texts', () => {
    for (const text of [',', '[', '{', '\\"[', '\\\\', '\\\\\\"{']) {
      const json = JSON.stringify({ text: text.repeat(LIMITS.jsonValues + 1), more: [text] });
      expect(parseJson(json)).toEqual(JSON.parse(json));
    }
  });

  it('counts what stands behind a text that ends in a backslash', () => {
    const text = `["\\\\",${nested(LIMITS.jsonDepth)}]`;
    expect(() => parseJson(text)).toThrow(UnreadableBody);
  });

  it('may be as wide as it likes to be, if it is not deep', () => {
    const text = `[${Array(1000).fill(nested(4)).join(',')}]`;
    expect(parseJson(text)).toHaveLength(1000);
  });
});

describe('a form', () => {
  it('is read as URLSearchParams reads it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect([...readFields(text)]).toEqual([...new URLSearchParams(text)]);
      }),
    );
  });

  it.each(['a', 'a=', '', '=', 'a=b'])('has so many fields %j at most', (field) => {
    const text = (count: number) => Array(count).fill(field).join('&');
    expect(isTooLargeForm(text(LIMITS.fields))).toBe(false);
    expect(() => parseForm(text(LIMITS.fields + 1))).toThrow(UnreadableBody);
  });

  it('has so many characters at most', () => {
    const text = (length: number) => `a=${'x'.repeat(length - 2)}`;
    expect(parseForm(text(LIMITS.formCharacters)).a).toHaveLength(LIMITS.formCharacters - 2);
    expect(() => parseForm(text(LIMITS.formCharacters + 1))).toThrow(UnreadableBody);
  });
});

it('takes so many events at most, in a list', () => {
  expect(() => checkEvents(Array(LIMITS.events).fill({}))).not.toThrow();
  expect(() => checkEvents(Array(LIMITS.events + 1).fill({}))).toThrow(UnreadableBody);
  expect(() => checkEvents({ length: LIMITS.events + 1 })).not.toThrow();
});
