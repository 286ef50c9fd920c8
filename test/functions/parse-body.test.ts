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

  it.each(['', ' \r\n'])('that is only %j is {}', (text) => {
    expect(parseJson(text)).toEqual({});
  });

  it('is refused above the limit of values', () => {
    expect(parseJson(listOf(LIMITS.jsonValues))).toHaveLength(LIMITS.jsonValues);
    const text = listOf(LIMITS.jsonValues + 1);
    expect(() => parseJson(text)).toThrow(new UnreadableBody('has more than 50000 values'));
  });

  it('is refused above the limit of depth', () => {
    expect(parseJson(nested(LIMITS.jsonDepth))).toHaveProperty('a');
    expect(() => parseJson(nested(LIMITS.jsonDepth + 2))).toThrow(
      new UnreadableBody('is nested more than 256 deep'),
    );
  });

  it('can have commas and brackets in its strings', () => {
    for (const text of [',', '[', '{', '\\"[', '\\\\', '\\\\\\"{']) {
      const json = JSON.stringify({ text: text.repeat(LIMITS.jsonValues + 1), more: [text] });
      expect(parseJson(json)).toEqual(JSON.parse(json));
    }
  });

  it('is measured correctly after a string that ends in a backslash', () => {
    const text = `["\\\\",${nested(LIMITS.jsonDepth)}]`;
    expect(() => parseJson(text)).toThrow(UnreadableBody);
  });

  it('counts the values outside of strings, whatever the strings hold', () => {
    const tricky = fc.string({ unit: fc.constantFrom('"', '\\', ',', '[', '}', 'a') });
    fc.assert(
      fc.property(fc.array(tricky, { maxLength: 20 }), (strings) => {
        // As many values as are missing to the limit, and one more.
        const missing = LIMITS.jsonValues - Math.max(1, strings.length);
        const fill = (count: number) => JSON.stringify([...strings, ...Array(count).fill(0)]);
        const count = strings.length === 0 ? missing + 1 : missing;
        expect(() => parseJson(fill(count))).not.toThrow();
        expect(() => parseJson(fill(count + 1))).toThrow(UnreadableBody);
      }),
      { numRuns: 30 },
    );
  });

  it('can be as wide as the limit of values allows, if it is not deep', () => {
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

  it.each(['a', 'a=', '', '=', 'a=b'])('is refused above the limit of fields like %j', (field) => {
    const text = (count: number) => Array(count).fill(field).join('&');
    expect(isTooLargeForm(text(LIMITS.fields))).toBe(false);
    expect(() => parseForm(text(LIMITS.fields + 1))).toThrow(UnreadableBody);
  });

  it('is refused above the limit of characters', () => {
    const text = (length: number) => `a=${'x'.repeat(length - 2)}`;
    expect(parseForm(text(LIMITS.formCharacters)).a).toHaveLength(LIMITS.formCharacters - 2);
    expect(() => parseForm(text(LIMITS.formCharacters + 1))).toThrow(UnreadableBody);
  });
});

it('a list of events is refused above the limit', () => {
  expect(() => checkEvents(Array(LIMITS.events).fill({}))).not.toThrow();
  expect(() => checkEvents(Array(LIMITS.events + 1).fill({}))).toThrow(UnreadableBody);
  expect(() => checkEvents({ length: LIMITS.events + 1 })).not.toThrow();
});
