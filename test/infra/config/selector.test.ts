import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConversationId, checkFinishedWhen, checkSelector } from '../../../infra/config/selector.ts';

describe('a selector', () => {
  it.each([
    'body.status',
    "body.status == 'closed' && contains(body.tags, 'chat')",
    'headers."x-ticket-id"',
    "body.state == 'on-hold'",
    'sort_by(body.items, &id)[-1].id',
    'let $ticket = body.ticket in $ticket.id',
    "join('-', [body.a, body.b])",
    'not_null(body.a, body.b, body.c)',
    'pad_left(body.id, `8`)',
    "pad_left(body.id, `8`, '0')",
    'body.opened - body.closed',
    "body.state == 'on-hold' && body.opened - body.closed > `0`",
    'body.ids[::-1]',
    '!(body.open)',
    'body.items[?!done].id',
    "body.name == 'it\\'s'",
    '`{"type": "Function", "name": "none"}`.type',
    '$.body.id',
  ])('may be %s', (expression) => {
    expect(checkSelector(expression)).toBeUndefined();
  });

  it.each([
    ['body.status ==', 'is not JMESPath', 'Write JMESPath'],
    ['body.items[?', 'is not JMESPath: it has a [ without a ]', 'Add the missing ]'],
    ['body.chat.', 'is not JMESPath', 'Write JMESPath'],
    ['('.repeat(50_000), 'is not JMESPath: it has a ( without a )', 'Add the missing )'],
    ['body.state == 4', 'the number 4 without backticks', '`4` in backticks'],
    ['body.state > -1.5', 'the number -1.5 without backticks', '`-1.5` in backticks'],
    ['body.a and body.b', '"and", which is not an operator', 'Write && for "and"'],
    ['body.a OR body.b', '"OR", which is not an operator', 'Write || for "or"'],
    ['not body.a', '"not", which is not an operator', 'Write ! for "not"'],
    ["body.a == 'x' & body.b", '"&", which is not an operator', 'Write && for "and"'],
    ["body.a == 'x'&body.b", '"&", which is not an operator', 'Write && for "and"'],
    ["body.status in ['solved']", '"in", which is not an operator', "contains(['solved', 'closed']"],
    ["body.status === 'closed'", '"===", which is not an operator', 'Write == to compare'],
    ["body.status !== 'open'", '"!==", which is not an operator', 'Write != to compare'],
    ["body.status <> 'open'", '"<>", which is not an operator', 'Write != to compare'],
    ['body.status == `closed`', 'a text in backticks, `closed`', "in single quotes, as in 'closed'"],
    ['{{ticket.external_id}}', 'a placeholder, which nothing fills in here', 'Write the path of the field'],
    ['body.{{id}}', 'a placeholder, which nothing fills in here', 'Write the path of the field'],
    [`\${ticket.id}`, 'a placeholder, which nothing fills in here', 'Write the path of the field'],
    ["body['status']", 'a key in square brackets', 'Write a dot and the key'],
    ["(body.status == 'closed'", 'a ( without a )', 'Add the missing )'],
    ["contains(body.tags, 'chat'", 'a ( without a )', 'Add the missing )'],
    ["body.status == 'closed')", 'a ) without a (', 'Add the missing ('],
    ['body.status == ‘closed’', 'a typographic quotation mark (‘)', 'the plain character'],
    ["body.status ==\u00a0'closed'", 'a no-break space (U+00A0)', 'the plain character'],
    ["body.status == 'closed", 'an opening quotation mark without a closing one', 'Close it'],
    ["body.status == 'closed\\'", 'an opening quotation mark without a closing one', 'Close it'],
    ['body.open == `false', 'an opening quotation mark without a closing one', 'Close it'],
    ["body.status = 'closed'", 'a single =', '=='],
    ["body.a == 'x' && body.b = 'y'", 'a single =', '=='],
    ["$status = 'closed'", 'a single =', '=='],
    ['lenght(body.tags)', 'calls lenght(), which does not exist', 'length()'],
    ['body.a || quux(body.b)', 'calls quux()', 'https://jmespath.site'],
    ['constructor(body)', 'calls constructor()', 'https://jmespath.site'],
    ['length()', 'wrong number of arguments (0)', 'It takes 1'],
    ['body.items[?contains(tags)]', 'wrong number of arguments (1)', 'It takes 2'],
    ['pad_left(body.id)', 'wrong number of arguments (1)', 'It takes 2 to 3'],
    ['not_null()', 'wrong number of arguments (0)', 'It takes 1 or more'],
    ['sort_by(body.items, id)', 'a value where it takes an expression', 'Put & before argument 2'],
    ['body.{id: $ticket}', 'uses $ticket, but no let binds it', 'let $ticket'],
    ['let $a = $b, $b = body in $a', 'uses $b, but no let binds it', 'let $b'],
    ['(let $a = body in $a) && $a', 'uses $a, but no let binds it', 'let $a'],
    ['!body.open', 'reads a key of a negation', '!(body.open)'],
    ['body.ids[::0]', 'a step of 0', 'another step'],
    ['headers.x-ticket-id', 'reads x-ticket-id as a subtraction', 'headers."x-ticket-id"'],
    ["body.state-name == 'on-hold'", 'reads state-name as a subtraction', '"state-name"'],
  ])('that is %j is refused', (expression, problem, fix) => {
    expect(checkSelector(expression)).toEqual({
      problem: expect.stringContaining(problem),
      fix: expect.stringContaining(fix),
    });
  });

  it.each([
    'body.a == 4',
    'body.a and body.b',
    'body.a === `1`',
    '{{id}}',
    'body.a == `x`',
    '(body.a',
    'body.a ==',
  ])('that is %j is refused with a link to the page about selectors', (expression) => {
    expect(checkSelector(expression)?.fix).toContain('docs/crm/custom.md#selectors');
  });

  it.each([
    "body.note == 'this and that === {{x}} in ‘quotes’'",
    'body."a and b" == `"x in y"`',
    'body.and.or.in.not',
    'sort_by(body.items, &id)[0].id',
  ])('may have words like operators in a text or a name: %s', (expression) => {
    expect(checkSelector(expression)).toBeUndefined();
  });

  it('of any text is checked without throwing', () => {
    const pieces = fc.constantFrom(
      'body',
      '.id',
      "'",
      '"',
      '`',
      '[',
      ']',
      '(',
      ')',
      '&',
      '$x',
      ' = ',
      '-',
      '{',
      '}',
    );
    const expressions = fc.oneof(
      fc.string(),
      fc.array(pieces).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(expressions, (expression) => {
        for (const check of [checkSelector, checkFinishedWhen, checkConversationId]) {
          expect(() => check(expression)).not.toThrow();
        }
      }),
    );
  });
});

describe('a finishedWhen', () => {
  it.each(['always', 'closed', "body.status == 'closed'", "body.status && body.status != 'open'", '`false`'])(
    'may be %s',
    (expression) => {
      expect(checkFinishedWhen(expression)).toBeUndefined();
    },
  );

  it.each([
    'body.status == "closed"',
    'body.status == closed',
    "body.status != 'open'",
    '`true`',
    '!(body.open)',
  ])('that is %j is refused, because it is true for an empty delivery', (expression) => {
    expect(checkFinishedWhen(expression)).toEqual({
      problem: expect.stringContaining('true for an empty delivery'),
      fix: expect.stringContaining('write "always"'),
    });
  });

  it('is checked like any selector', () => {
    expect(checkFinishedWhen('body.status ==')?.problem).toContain('is not JMESPath');
  });
});

describe('a conversationId', () => {
  it.each(['body.id', 'body.ids[]', '[body.first, body.second]', 'body', 'always'])(
    'may be %s',
    (expression) => {
      expect(checkConversationId(expression)).toBeUndefined();
    },
  );

  it.each(["'conversation-1'", '`17`', "['conversation-1']", "body.id || 'none'", 'to_string(body.id)'])(
    'that is %j is refused, because it gives an id for an empty delivery',
    (expression) => {
      expect(checkConversationId(expression)).toEqual({
        problem: expect.stringContaining('gives an id for an empty delivery'),
        fix: expect.stringContaining('Write the path of the id'),
      });
    },
  );

  it('is checked like any selector', () => {
    expect(checkConversationId('headers.x-id')?.problem).toContain('subtraction');
  });
});
