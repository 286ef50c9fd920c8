import { parseJson, selectField } from './json-field.ts';
import { escapeRegex, type Grammar, Tokens, unquote } from './lexer.ts';

const JSON_PATTERN: Grammar = {
  name: 'JSON filter pattern',
  kinds: [
    ['space', /\s+/],
    ['string', /"(?:[^"\\]|\\.)*"/],
    ['selector', /\$(?:\.[A-Za-z0-9_-]+|\[\d+\])+/],
    ['operator', /&&|\|\||!=|<=|>=|[=<>(){}]/],
    ['word', /[A-Za-z0-9_.*+-]+/],
  ],
};
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

type Condition = (event: unknown) => boolean;

/**
 * Compiles a JSON pattern, `{ ($.a = "x*") && ($.b >= 5 || $.c NOT EXISTS) }`. A comparison with an array, an
 * object, null or a field that is not there is false, `!=` too (for the last, AWS's pattern tester says so:
 * https://github.com/DataBiosphere/azul/issues/5884). What AWS does not document throws when it happens: a
 * number compared with a string, a boolean compared by `=`.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
 */
export function compileJsonPattern(pattern: string): (text: string) => boolean {
  const tokens = new Tokens(pattern, JSON_PATTERN);
  tokens.expect('{');
  const condition = either(tokens);
  tokens.expect('}');
  tokens.end();
  return (text) => {
    const event = parseJson(text);
    return event !== undefined && condition(event);
  };
}

const either = (tokens: Tokens): Condition =>
  tokens.binary(
    ['||'],
    () => both(tokens),
    (_, left, right) => (event) => left(event) || right(event),
  );

const both = (tokens: Tokens): Condition =>
  tokens.binary(
    ['&&'],
    () => single(tokens),
    (_, left, right) => (event) => left(event) && right(event),
  );

function single(tokens: Tokens): Condition {
  if (tokens.accept('(')) {
    const inner = either(tokens);
    tokens.expect(')');
    return inner;
  }
  const selector = tokens.take('selector');
  if (tokens.accept('NOT')) {
    tokens.expect('EXISTS');
    return (event) => selectField(event, selector) === undefined;
  }
  if (tokens.accept('IS')) {
    const wanted = { TRUE: true, FALSE: false, NULL: null }[tokens.expect('TRUE', 'FALSE', 'NULL')];
    return (event) => selectField(event, selector) === wanted;
  }
  if (tokens.is('EXISTS')) tokens.fail('EXISTS is not supported. Write = "*"');
  return comparison(tokens, selector, tokens.expect('=', '!=', '<', '<=', '>', '>='));
}

function comparison(tokens: Tokens, selector: string, operator: string): Condition {
  const { kind } = tokens.peek();
  const literal = kind === 'string' ? unquote(tokens.next().text) : tokens.take('word');
  const numeric = kind === 'word' && NUMBER.test(literal);
  if (!numeric && operator !== '=' && operator !== '!=') tokens.fail(`${operator} needs a number`);
  const holds = numeric ? numberTest(operator, Number(literal)) : textTest(operator, literal);
  return (event) => {
    const value = selectField(event, selector);
    const refuse = (what: string): never => {
      throw new Error(
        `AWS does not document ${what}: ${selector} ${operator} ${literal}, in: ${tokens.text}`,
      );
    };
    if (typeof value === 'boolean') return refuse('comparing a boolean. Use IS TRUE or IS FALSE');
    if (typeof value !== 'string' && typeof value !== 'number') return false;
    if (literal !== '*' && (typeof value === 'number') !== numeric) {
      return refuse('comparing a number with a string');
    }
    return holds(value);
  };
}

function numberTest(operator: string, literal: number): (value: unknown) => boolean {
  return (field) => {
    const value = Number(field);
    if (operator === '=') return value === literal;
    if (operator === '!=') return value !== literal;
    if (operator === '<') return value < literal;
    if (operator === '<=') return value <= literal;
    return operator === '>' ? value > literal : value >= literal;
  };
}

/** An asterisk is a wildcard at the start and at the end only. */
function textTest(operator: string, literal: string): (value: unknown) => boolean {
  const [, start, middle = '', end] = /^(\*?)(.*?)(\*?)$/s.exec(literal) ?? [];
  const pattern = new RegExp(`^${start ? '.*' : ''}${escapeRegex(middle)}${end ? '.*' : ''}$`, 's');
  return (value) => pattern.test(String(value)) === (operator === '=');
}
