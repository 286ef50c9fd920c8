import { type Grammar, Tokens, unquote } from './lexer.ts';
import { call } from './metric-math-functions.ts';
import { type Numbers, pairwise, type Scope, type Value } from './metric-math-values.ts';

const MATH: Grammar = {
  name: 'metric math',
  kinds: [
    ['space', /\s+/],
    ['number', /\d+(\.\d+)?/],
    ['string', /"[^"]*"|'[^']*'/],
    ['function', /[A-Z][A-Z0-9_]*/],
    ['id', /[a-z][A-Za-z0-9_]*/],
    ['operator', /&&|\|\||==|!=|<=|>=|[-+*/^<>(),[\]]/],
  ],
};

type Expression = (scope: Scope) => Value;

/**
 * Compiles a metric math expression.
 *
 * @throws for what it does not know, and for functions that AWS advises against in alarms (SUM, MAX, … of one
 *   time series): they depend on how many extra periods an evaluation retrieves.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function compileMath(expression: string): (scope: Scope) => Numbers {
  const tokens = new Tokens(expression, MATH);
  const evaluate = logical(tokens, 0);
  tokens.end();
  return (scope) => {
    const value = evaluate(scope);
    if (value.kind === 'series') return value.values;
    throw new Error(`metric math: the result is not one time series, in: ${expression}`);
  };
}

const LEVELS = [
  ['OR', '||'],
  ['AND', '&&'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/'],
];

function logical(tokens: Tokens, level: number): Expression {
  const operators = LEVELS[level];
  if (!operators) return unary(tokens);
  return tokens.binary(
    operators,
    () => logical(tokens, level + 1),
    (operator, left, right) => (scope) => pairwise(operator, left(scope), right(scope)),
  );
}

function unary(tokens: Tokens): Expression {
  if (!tokens.accept('-')) return power(tokens);
  const operand = unary(tokens);
  return (scope) => pairwise('*', { kind: 'scalar', value: -1 }, operand(scope));
}

function power(tokens: Tokens): Expression {
  const base = atom(tokens);
  if (!tokens.accept('^')) return base;
  const exponent = unary(tokens);
  return (scope) => pairwise('^', base(scope), exponent(scope));
}

function atom(tokens: Tokens): Expression {
  const { kind, text } = tokens.peek();
  if (tokens.accept('(')) {
    const inner = logical(tokens, 0);
    tokens.expect(')');
    return inner;
  }
  if (tokens.accept('[')) {
    const items = tokens.list(']', () => logical(tokens, 0));
    return (scope) => ({ kind: 'array', items: items.flatMap((item) => seriesIn(item(scope))) });
  }
  if (kind === 'number') {
    tokens.next();
    return () => ({ kind: 'scalar', value: Number(text) });
  }
  if (kind === 'id') {
    tokens.next();
    return (scope) => {
      const values = Object.hasOwn(scope.series, text) ? scope.series[text] : undefined;
      return values ? { kind: 'series', values } : tokens.invalid(`no metric has the id ${text}`);
    };
  }
  return invocation(tokens);
}

function invocation(tokens: Tokens): Expression {
  const name = tokens.take('function');
  // FILL's ways of filling are words, not calls.
  if (name === 'REPEAT' || name === 'LINEAR') return () => ({ kind: 'word', word: name });
  tokens.expect('(');
  const parameters = tokens.list(')', (): Expression => {
    if (tokens.peek().kind !== 'string') return logical(tokens, 0);
    const word = unquote(tokens.next().text);
    return () => ({ kind: 'word', word });
  });
  return (scope) => {
    const values = parameters.map((parameter) => parameter(scope));
    return call(name, values, scope) ?? tokens.invalid(`${name} is not supported with these arguments`);
  };
}

function seriesIn(value: Value): Numbers[] {
  if (value.kind === 'series') return [value.values];
  if (value.kind === 'array') return value.items;
  throw new Error(`metric math: an array holds time series, not a ${value.kind}.`);
}
