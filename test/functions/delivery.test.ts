import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readContent } from '../../functions/delivery.ts';
import { delivery } from '../support/delivery.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('a JSON body', () => {
  it('is read as what it is, whatever the content type says, if not a form', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom(undefined, 'application/json', 'text/plain'),
        (value, type) => {
          const text = JSON.stringify(value);
          const { body } = readContent(delivery({ headers: { 'content-type': type }, body: text }));
          expect(body).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it('may begin with a byte order mark', () => {
    const body = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"a":1}')]);
    expect(readContent(delivery({ body })).body).toEqual({ a: 1 });
  });

  it.each(['', ' ', '\r\n'])('of nothing but %j counts as {}', (body) => {
    expect(readContent(delivery({ body })).body).toEqual({});
  });

  it('keeps the last of two fields of the same name', () => {
    expect(readContent(delivery({ body: '{"a":1,"a":2}' })).body).toEqual({ a: 2 });
  });

  it('cannot change what an object inherits', () => {
    const { body } = readContent(
      delivery({ body: '{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}' }),
    );
    expect((body as { polluted?: unknown }).polluted).toBeUndefined();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('may be nested deeply', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(readContent(delivery({ body: deep })).body).toHaveLength(1);
  });

  it.each([
    ['cut short', '{"a":'],
    ['with something behind it', '{} {}'],
    ['with a comment', '{} // x'],
    ['of a form that does not say so', 'a=1&b=2'],
    ['of a bare word', 'NaN'],
  ])('%s is not read', (_how, body) => {
    expect(() => readContent(delivery({ body }))).toThrow(SyntaxError);
  });

  it.each([
    ['Latin-1', Buffer.from('{"a":"é"}', 'latin1')],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
    ['an overlong sequence', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a lone surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['cut inside a character', Buffer.from('"é').subarray(0, 2)],
  ])('in %s is not read', (_what, body) => {
    expect(() => readContent(delivery({ body }))).toThrow();
  });
});

describe('a form', () => {
  it.each([
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=UTF-8',
    'Application/X-WWW-Form-URLEncoded ;charset=utf-8',
  ])('is one as %s', (type) => {
    const { body } = readContent(delivery({ headers: { 'content-type': type }, body: 'a=1&b=x+y%C3%A9&c' }));
    expect(body).toEqual({ a: '1', b: 'x yé', c: '' });
  });

  it.each(['application/x-www-form-urlencodedx', 'text/plain; application/x-www-form-urlencoded'])(
    'is none as %s',
    (type) => {
      expect(() => readContent(delivery({ headers: { 'content-type': type }, body: 'a=1' }))).toThrow(
        SyntaxError,
      );
    },
  );

  it('that is not UTF-8 is not read', () => {
    expect(() => readContent(delivery({ headers: FORM, body: Buffer.from('a=é', 'latin1') }))).toThrow();
  });

  it('keeps the last of two fields of the same name', () => {
    expect(readContent(delivery({ headers: FORM, body: 'a=1&a=2' })).body).toEqual({ a: '2' });
  });

  it('cannot change what an object inherits', () => {
    const { body } = readContent(delivery({ headers: FORM, body: '__proto__=x&__proto__[polluted]=1' }));
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

it('reads the query beside the body, the last of two of the same name', () => {
  const content = readContent(delivery({ query: 'a=1&a=2&b=%2F&__proto__=x' }));
  expect(content.query).toMatchObject({ a: '2', b: '/' });
  expect(Object.getPrototypeOf(content.query)).toBe(Object.prototype);
});
