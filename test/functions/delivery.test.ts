import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import custom from '../../functions/crm/custom.ts';
import { readContent } from '../../functions/delivery.ts';
import { LIMITS } from '../../functions/parse-body.ts';
import { delivery } from '../../samples/delivery.ts';

const TYPES = [
  undefined,
  'application/json',
  'text/plain',
  'text/xml',
  'application/x-www-form-urlencoded',
  'Application/X-WWW-Form-URLEncoded ;charset=utf-8',
  'application/cloudevents+json',
];
const FORM = { format: 'form' } as const;

describe('a JSON body', () => {
  it('is read as JSON, whatever the content type says', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...TYPES), (value, type) => {
        const text = JSON.stringify(value);
        const { body } = readContent(delivery({ headers: { 'content-type': type }, body: text }));
        expect(body).toEqual(JSON.parse(text));
      }),
    );
  });

  it('can begin with a byte order mark', () => {
    const body = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"a":1}')]);
    expect(readContent(delivery({ body })).body).toEqual({ a: 1 });
  });

  it.each(['', ' ', '\r\n'])('that is only %j counts as {}', (body) => {
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

  it('can be nested up to the limit', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(readContent(delivery({ body: nested(LIMITS.jsonDepth) })).body).toHaveLength(1);
    for (const depth of [LIMITS.jsonDepth + 1, 100_000]) {
      expect(() => readContent(delivery({ body: nested(depth) }))).toThrow(/nested more than 256 deep/);
    }
  });

  it.each([
    ['cut short', '{"a":'],
    ['with something behind it', '{} {}'],
    ['with a comment', '{} // x'],
    ['of a form', 'a=1&b=2'],
    ['of a bare word', 'NaN'],
  ])('%s is refused', (_how, body) => {
    expect(() => readContent(delivery({ body }))).toThrow(SyntaxError);
  });

  it.each([
    ['Latin-1', Buffer.from('{"a":"é"}', 'latin1')],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
    ['an overlong sequence', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a lone surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['cut inside a character', Buffer.from('"é').subarray(0, 2)],
  ])('in %s is refused', (_what, body) => {
    expect(() => readContent(delivery({ body }))).toThrow();
  });
});

describe('a form', () => {
  const read = (body: string | Buffer, type?: string) =>
    readContent(delivery({ headers: { 'content-type': type }, body }), custom.parse, FORM).body;

  it.each(TYPES)('is read if the connection has that format, with the content type %s', (type) => {
    expect(read('a=1&b=x+y%C3%A9&c', type)).toEqual({ a: '1', b: 'x yé', c: '' });
    expect(read('{"a":"&b=2&"}', type)).toEqual({ '{"a":"': '', b: '2', '"}': '' });
  });

  it.each(TYPES)('is not read if the connection has another format, with the content type %s', (type) => {
    const form = delivery({ headers: { 'content-type': type }, body: 'a=1' });
    expect(() => readContent(form, custom.parse, {})).toThrow(SyntaxError);
    expect(() => readContent(form, custom.parse, { format: 'json' })).toThrow(SyntaxError);
  });

  it('that is not UTF-8 is refused', () => {
    expect(() => read(Buffer.from('a=é', 'latin1'))).toThrow();
  });

  it('keeps the last of two fields of the same name', () => {
    expect(read('a=1&a=2')).toEqual({ a: '2' });
  });

  it('cannot change what an object inherits', () => {
    const body = read('__proto__=x&__proto__[polluted]=1');
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

it('the query is read as well as the body, and the last of two parameters with the same name counts', () => {
  const content = readContent(delivery({ query: 'a=1&a=2&b=%2F&__proto__=x' }));
  expect(content.query).toMatchObject({ a: '2', b: '/' });
  expect(Object.getPrototypeOf(content.query)).toBe(Object.prototype);
});

it('a query above the limit of parameters is refused', () => {
  const query = (count: number) => Array(count).fill('a').join('&');
  expect(readContent(delivery({ query: query(LIMITS.fields) })).query).toEqual({ a: '' });
  expect(() => readContent(delivery({ query: query(LIMITS.fields + 1) }))).toThrow(/1000 fields/);
});
