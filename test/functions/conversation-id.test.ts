import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isId, toConversationId, toId } from '../../functions/conversation-id.ts';

/** What SQS takes in a message. @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
function isAllowedInMessage(text: string): boolean {
  return [...text].every((character) => {
    const point = character.codePointAt(0) ?? 0;
    const inRange = (from: number, to: number) => point >= from && point <= to;
    return (
      [0x9, 0xa, 0xd].includes(point) ||
      inRange(0x20, 0xd7ff) ||
      inRange(0xe000, 0xfffd) ||
      inRange(0x10000, 0x10ffff)
    );
  });
}

describe('an id', () => {
  it.each([
    'c',
    'KpQx-polyai-0001',
    'zen:ticket:5158',
    'ü',
    '💬',
    ' a b ',
    '../../x',
    '{"a":1}',
    'x'.repeat(256),
  ])('may be %j', (value) => {
    expect(isId(value)).toBe(true);
    expect(toId(value)).toBe(value);
  });

  it.each([
    '',
    'x'.repeat(257),
    'a\nb',
    'a\tb',
    'a\0',
    '\u007f',
    '\u0085',
    '\u009f',
    '\ufffe',
    '\uffff',
    '\ud800',
    '\udc00x',
    'x\ud800',
  ])('cannot be %j', (value) => {
    expect(isId(value)).toBe(false);
    expect(toId(value)).toBeUndefined();
    expect(toConversationId(value)).toBeUndefined();
  });

  it.each([
    null,
    undefined,
    true,
    {},
    [],
    ['c1'],
    1.5,
    Number.NaN,
    Infinity,
    2 ** 53,
    -(2 ** 53),
    1n,
    Symbol('c'),
  ])('cannot be made of %p', (value) => {
    expect(isId(value)).toBe(false);
    expect(toId(value)).toBeUndefined();
    expect(toConversationId(value)).toBeUndefined();
  });

  it.each([
    [42, '42'],
    [0, '0'],
    [-7, '-7'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ])('may be made of the safe integer %d', (value, expected) => {
    expect(toId(value)).toBe(expected);
    expect(toConversationId(value)).toBe(expected);
  });

  it('is always one that SQS takes, that stays the same as JSON, and that is its own id', () => {
    const units = fc.array(fc.nat({ max: 0xffff }), { maxLength: 8 });
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      units.map((codes) => String.fromCharCode(...codes)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const id = toConversationId(text);
        if (id === undefined) return;
        expect(isAllowedInMessage(id)).toBe(true);
        expect(Buffer.from(id).toString()).toBe(id);
        expect(JSON.parse(JSON.stringify(id))).toBe(id);
        expect(toConversationId(id)).toBe(id);
      }),
      { numRuns: 1000 },
    );
  });

  it('never makes it throw, whatever the value is', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect([undefined, 'string']).toContain(
          typeof toConversationId(value) === 'string' ? 'string' : undefined,
        );
      }),
    );
  });
});

describe('the address of a conversation in Studio', () => {
  const STUDIO = 'https://studio.uk-1.poly.ai/acme/PROJECT-1/conversations/';

  it.each([
    [`${STUDIO}KpQx-1`, 'KpQx-1'],
    [`${STUDIO}KpQx-1/`, 'KpQx-1'],
    [`${STUDIO}KpQx-1?tab=transcript#turn-3`, 'KpQx-1'],
    [`${STUDIO}KpQx-1/?a=b`, 'KpQx-1'],
    [`${STUDIO}KpQx%201`, 'KpQx 1'],
    [`${STUDIO}KpQx%zz`, 'KpQx%zz'],
    ['https://studio.poly.ai/conversations/KpQx-1', 'KpQx-1'],
    ['HTTPS://STUDIO.POLY.AI/a/b/Conversations/KpQx-1', 'KpQx-1'],
    ['https://studio.poly.ai/conversations/conversations/KpQx-1', 'KpQx-1'],
  ])('%s stands for its last path segment', (address, id) => {
    expect(toConversationId(address)).toBe(id);
  });

  it.each([
    'conversations/KpQx-1',
    '/conversations/KpQx-1',
    'https://example.com/tickets/1',
    'https://example.com/?next=/conversations/KpQx-1',
    'https://example.com/#/conversations/KpQx-1',
    'ftp://example.com/conversations/KpQx-1',
    `${STUDIO}a/b`,
  ])('is not %s, which stays as it is', (text) => {
    expect(toConversationId(text)).toBe(text);
  });

  it.each([`${STUDIO}${'x'.repeat(257)}`, `${STUDIO}a%0Ab`, `${STUDIO}%00`])(
    'cannot bring in what is no id: %s',
    (address) => {
      expect(toConversationId(address)).toBeUndefined();
    },
  );
});
