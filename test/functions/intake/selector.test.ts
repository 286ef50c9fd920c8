import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selector } from '../../../functions/intake/selector.ts';

const CONTENT = {
  body: { status: 'closed', chat: { id: 'c1' }, tags: ['a', 'b'], 'a-b': 1 },
  headers: { 'x-event': 'closed' },
  query: { id: 'c2' },
};

describe('a selector', () => {
  it.each([
    ['body.chat.id', 'c1'],
    ["body.status == 'closed'", true],
    ['headers."x-event"', 'closed'],
    ['query.id', 'c2'],
    ['body.tags', ['a', 'b']],
    ['body.tags[?@ == `"b"`]', ['b']],
    ['body.chat.[id]', ['c1']],
    ['body.absent.deeper', null],
  ])('%s selects', (expression, expected) => {
    expect(selector(expression)(CONTENT)).toEqual(expected);
  });

  it('returns undefined when it meets a type that it cannot work on', () => {
    expect(selector("contains(body.absent, 'x')")(CONTENT)).toBeUndefined();
    expect(selector('abs(body.status)')(CONTENT)).toBeUndefined();
  });

  it.each(['', 'body.', 'body[', 'body == ', 'body."id', 'body..id', '{'])(
    'that cannot be parsed throws: %j',
    (expression) => {
      expect(() => selector(expression)).toThrow();
    },
  );

  it('never throws when it is applied, whatever the content is', () => {
    const expressions = fc.constantFrom(
      'body.*.id',
      'sort(body)',
      'max_by(body, &id)',
      "join(',', body)",
      'body[::2]',
    );
    fc.assert(
      fc.property(fc.jsonValue(), expressions, (body, expression) => {
        expect(() => selector(expression)({ body, headers: {}, query: {} })).not.toThrow();
      }),
    );
  });

  it('does not change the content', () => {
    const before = structuredClone(CONTENT);
    selector('sort(body.tags) | reverse(@)')(CONTENT);
    expect(CONTENT).toEqual(before);
  });
});
