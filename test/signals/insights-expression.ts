import { callFunction } from './insights-functions.ts';
import { toRegex } from './insights-grammar.ts';
import { compare, isTrue, ORDER, toNumber, type Value } from './insights-values.ts';
import { type Tokens, unquote } from './lexer.ts';

export type Evaluate<Context> = (context: Context) => Value;

/** Where expressions differ: over one record, or over a group of records in `stats`. */
export type Dialect<Context> = {
  field: (name: string, tokens: Tokens) => Evaluate<Context>;
  /** Parses the arguments of a function of the dialect's own, or gives undefined. */
  call: (name: string, tokens: Tokens) => Evaluate<Context> | undefined;
};

/**
 * Parses an expression: `or`, `and`, `not`, comparisons, arithmetic, functions. On a field that is not
 * there `!=` holds (seen on AWS: https://github.com/DataBiosphere/azul/issues/5884) and other comparisons do
 * not. `not` before such a comparison, `not like` and `not in` throw, because AWS does not say what they give.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
 */
export function expression<C>(tokens: Tokens, dialect: Dialect<C>): Evaluate<C> {
  const both = () =>
    tokens.binary<Evaluate<C>>(
      ['and'],
      () => negation(tokens, dialect),
      (_, left, right) => (context) => isTrue(left(context)) && isTrue(right(context)),
    );
  return tokens.binary<Evaluate<C>>(
    ['or'],
    both,
    (_, left, right) => (context) => isTrue(left(context)) || isTrue(right(context)),
  );
}

function negation<C>(tokens: Tokens, dialect: Dialect<C>): Evaluate<C> {
  if (!tokens.accept('not')) return comparison(tokens, dialect);
  const operand = negation(tokens, dialect);
  return (context) => {
    const value = operand(context);
    return value === undefined ? undocumented(tokens) : !isTrue(value);
  };
}

function comparison<C>(tokens: Tokens, dialect: Dialect<C>): Evaluate<C> {
  const left = sum(tokens, dialect);
  const operator = tokens.accept('=', '!=', '<', '<=', '>', '>=', '=~', 'like', 'in', 'not');
  if (!operator) return left;
  const negated = operator === '!=' || operator === 'not';
  const test = operator === 'not' ? tokens.expect('like', 'in') : operator;
  const holds = testOf(test === '!=' ? '=' : test, tokens, dialect);
  return (context) => {
    const value = left(context);
    const result = value === undefined ? undefined : holds(value, context);
    if (!negated) return result;
    if (result !== undefined) return !result;
    return operator === '!=' || undocumented(tokens);
  };
}

type Test<C> = (value: Value, context: C) => boolean | undefined;

function testOf<C>(operator: string, tokens: Tokens, dialect: Dialect<C>): Test<C> {
  if (operator === 'in') {
    tokens.expect('[');
    const items = tokens.list(']', () => sum(tokens, dialect));
    return (value, context) => items.some((item) => compare(value, item(context)) === 0);
  }
  if (operator === 'like' || operator === '=~') return likeness(operator, tokens);
  const right = sum(tokens, dialect);
  const order = ORDER[operator] as (sign: number) => boolean;
  return (value, context) => {
    const other = right(context);
    return other === undefined ? undefined : order(compare(value, other));
  };
}

function likeness<C>(operator: string, tokens: Tokens): Test<C> {
  if (tokens.peek().kind === 'regex') {
    const regex = toRegex(tokens.next().text);
    return (value) => regex.test(String(value));
  }
  if (operator === '=~') tokens.fail('=~ needs a regular expression');
  const part = unquote(tokens.take('string'));
  return (value) => String(value).includes(part);
}

const sum = <C>(tokens: Tokens, dialect: Dialect<C>): Evaluate<C> =>
  tokens.binary(['+', '-'], () => product(tokens, dialect), arithmetic);

const product = <C>(tokens: Tokens, dialect: Dialect<C>): Evaluate<C> =>
  tokens.binary(['*', '/', '%'], () => power(tokens, dialect), arithmetic);

const power = <C>(tokens: Tokens, dialect: Dialect<C>): Evaluate<C> =>
  tokens.binary(['^'], () => atom(tokens, dialect), arithmetic);

function arithmetic<C>(operator: string, left: Evaluate<C>, right: Evaluate<C>): Evaluate<C> {
  const operation = OPERATIONS[operator] as (a: number, b: number) => number;
  return (context) => {
    const [a, b] = [toNumber(left(context)), toNumber(right(context))];
    const result = a === undefined || b === undefined ? Number.NaN : operation(a, b);
    return Number.isFinite(result) ? result : undefined;
  };
}

const OPERATIONS: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': (a, b) => a ** b,
};

const KEYWORDS = ['and', 'or', 'not', 'in', 'like', 'as', 'by', 'asc', 'desc', 'true', 'false', 'null'];

function atom<C>(tokens: Tokens, dialect: Dialect<C>): Evaluate<C> {
  const { kind, text } = tokens.peek();
  if (tokens.accept('-')) return arithmetic('-', () => 0, atom(tokens, dialect));
  if (tokens.accept('(')) {
    const inner = expression(tokens, dialect);
    tokens.expect(')');
    return inner;
  }
  if (KEYWORDS.includes(text)) tokens.fail('expected a field or a value (true and false are 1 and 0)');
  if (kind === 'field' && tokens.peek(1).text === '(') return invocation(tokens, dialect);
  const token = tokens.next();
  if (kind === 'string') return () => unquote(token.text);
  if (kind === 'number') return () => Number(token.text);
  if (kind === 'field') return dialect.field(text, tokens);
  if (kind === 'quoted field') return dialect.field(text.slice(1, -1), tokens);
  return tokens.invalid(`${JSON.stringify(text)} at ${token.at} is no value`);
}

function invocation<C>(tokens: Tokens, dialect: Dialect<C>): Evaluate<C> {
  const name = tokens.next().text;
  tokens.expect('(');
  const own = dialect.call(name, tokens);
  if (own) return own;
  const parameters = tokens.list(')', () => expression(tokens, dialect));
  const apply = callFunction(name, parameters.length);
  if (!apply)
    return tokens.invalid(`the function ${name} with ${parameters.length} arguments is not supported`);
  return (context) => apply(parameters.map((parameter) => parameter(context)));
}

function undocumented(tokens: Tokens): never {
  throw new Error(
    'Logs Insights: AWS does not say what not, not like and not in give for a field that is not there. Write ' +
      `"ispresent(f) and …" or "not ispresent(f) or …" around it, in: ${tokens.text}`,
  );
}
