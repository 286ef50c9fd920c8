import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstGiven, isGiven, isId, toConversationId, toId } from '../../functions/conversation-id.ts';

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
  it.each(['c', 'KpQx-polyai-0001', 'zen:ticket:5158', 'ü', '💬', '../../x', '{"a":1}', 'x'.repeat(256)])(
    'can be %j',
    (value) => {
      expect(isId(value)).toBe(true);
      expect(toId(value)).toBe(value);
    },
  );

  it.each([
    '',
    'x'.repeat(257),
    'a\nb',
    'a\tb',
    '\0a',
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
  ])('cannot be made from %s', (value) => {
    expect(isId(value)).toBe(false);
    expect(toId(value)).toBeUndefined();
    expect(toConversationId(value)).toBeUndefined();
  });

  it.each([
    [42, '42'],
    [0, '0'],
    [-7, '-7'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ])('can be made from the safe integer %d', (value, expected) => {
    expect(toId(value)).toBe(expected);
    expect(toConversationId(value)).toBe(expected);
  });

  it('is always accepted by SQS, survives JSON, and stays the same when it is converted again', () => {
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

  it('is made without an exception, whatever the value is', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect([undefined, 'string']).toContain(
          typeof toConversationId(value) === 'string' ? 'string' : undefined,
        );
      }),
    );
  });
});

/** Every kind of white space, byte order marks and other invisible characters. */
const UNSEEN = [
  ...[' ', '\t', '\n', '\r\n', '\v', '\f', '\u0085', '\u00a0', '\u1680', '\u2002', '\u2028', '\u2029'],
  ...['\u202f', '\u205f', '\u3000', '\ufeff', '\u00ad', '\u180e', '\u200b', '\u200e', '\u202e', '\u2060'],
];

describe('an invisible character', () => {
  it.each(UNSEEN)('is removed around an id, and makes an id unusable inside it: %j', (unseen) => {
    expect(toId(`${unseen}CONV-1${unseen}${unseen}`)).toBe('CONV-1');
    expect(toConversationId(`${unseen}CONV-1`)).toBe('CONV-1');
    expect(toId(`CONV${unseen}1`)).toBeUndefined();
    expect(isGiven(`CONV${unseen}1`)).toBe(true);
  });

  it.each(UNSEEN)('alone is not an id: %j', (unseen) => {
    expect(toId(unseen)).toBeUndefined();
    expect(isGiven(unseen)).toBe(false);
  });

  it('is not removed from a text that is longer than any id or URL', () => {
    // Removing it would take quadratic time: hours at this length.
    const text = `${' '.repeat(1_000_000)}x${' '.repeat(1_000_000)}x`;
    expect(toConversationId(text)).toBeUndefined();
    expect(isGiven(text)).toBe(true);
  });
});

describe('a word for a missing id', () => {
  it.each([
    ...['{{ticket.external_id}}', '{{ ticket.ticket_field_1 }}', 'x-{{a}}', '{% if a %}', '{!Case.Id}'],
    ...[
      '$'.concat('{input.id}'),
      '$!{input.id}',
      '$esc.jsonString($input.id)',
      '$!esc.json($a)',
      '{{ a b }}',
    ],
    ...['null', 'undefined', 'None', 'none', 'NULL', 'nil', '-', ' - ', 'NaN', 'N/A', '', null, undefined],
    ...['https://studio.poly.ai/a/p/conversations/', 'https://studio.poly.ai/a/p/conversations/null'],
    'https://studio.poly.ai/a/p/conversations/{{ticket.external_id}}',
  ])('%j', (value) => {
    expect(isGiven(value)).toBe(false);
    expect(toConversationId(value)).toBeUndefined();
  });

  it.each(['nullable', 'none-1', '--', 'a-', '$5', '{a}', 0, 'undefined1', [], {}, false])(
    'is not %j',
    (value) => {
      expect(isGiven(value)).toBe(true);
    },
  );

  it('is skipped in favour of the next field', () => {
    expect(firstGiven(' ', '{{a}}', null, 'c2', 'c3')).toBe('c2');
    expect(firstGiven('', 'None')).toBeUndefined();
  });
});

describe('the URL of a conversation in Agent Studio', () => {
  const STUDIO = 'https://studio.uk-1.poly.ai/acme/PROJECT-1/conversations/';

  it.each([
    [`${STUDIO}KpQx-1`, 'KpQx-1'],
    [`${STUDIO}KpQx-1/`, 'KpQx-1'],
    [`${STUDIO}KpQx-1?tab=transcript#turn-3`, 'KpQx-1'],
    [`${STUDIO}KpQx-1/?a=b`, 'KpQx-1'],
    [`${STUDIO}KpQx-1%20`, 'KpQx-1'],
    [` ${STUDIO}KpQx-1\u00a0`, 'KpQx-1'],
    [`\ufeff${STUDIO}KpQx-1/?a=b\n`, 'KpQx-1'],
    [`${STUDIO}KpQx%zz`, 'KpQx%zz'],
    ['https://studio.poly.ai/conversations/KpQx-1', 'KpQx-1'],
    ['HTTPS://STUDIO.POLY.AI/a/b/Conversations/KpQx-1', 'KpQx-1'],
    ['https://studio.poly.ai/conversations/conversations/KpQx-1', 'KpQx-1'],
  ])('%s is read as its last path segment', (address, id) => {
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
  ])('is not %s, which stays unchanged', (text) => {
    expect(toConversationId(text)).toBe(text);
  });

  it.each([
    `${STUDIO}${'x'.repeat(257)}`,
    `${STUDIO}a%0Ab`,
    `${STUDIO}KpQx%201`,
    `${STUDIO}KpQx 1`,
    STUDIO,
    `${STUDIO}null`,
    `${STUDIO}%00`,
  ])('does not make an unusable id usable: %s', (address) => {
    expect(toConversationId(address)).toBeUndefined();
  });
});
