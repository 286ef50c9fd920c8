import { type Dialect, type Evaluate, expression } from './insights-expression.ts';
import type { Row } from './insights-record.ts';
import { toNumber, type Value } from './insights-values.ts';
import type { Tokens } from './lexer.ts';
import { percentileOf } from './metrics.ts';

type Group = Row[];
type Aggregate = (values: Exclude<Value, undefined>[], tokens: Tokens) => Value;

const total = (numbers: number[]) => numbers.reduce((sum, value) => sum + value, 0);

/** Over the values of one field, in order of time, oldest first. Records without the field do not count. */
const AGGREGATES: Record<string, Aggregate> = {
  count: (values) => values.length,
  count_distinct: (values) => new Set(values).size,
  sum: (values, tokens) => total(numbersOf(values, tokens)),
  avg: (values, tokens) => total(numbersOf(values, tokens)) / values.length,
  min: (values) => extreme(values, -1),
  max: (values) => extreme(values, 1),
  earliest: (values) => values[0],
  latest: (values) => values.at(-1),
};

/**
 * Expressions over a group of records: aggregates, and arithmetic on them. `latest` and `earliest` take the
 * newest and oldest record that has the field; AWS does not say whether those without it count.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
 */
export function overGroups(perRecord: Dialect<Row>): Dialect<Group> {
  return {
    field: (name, tokens) => tokens.invalid(`stats needs a function like max(${name})`),
    call: (name, tokens) => {
      if (name === 'pct') return percentile(tokens, perRecord);
      const aggregate = Object.hasOwn(AGGREGATES, name) ? AGGREGATES[name] : undefined;
      return aggregate && aggregated(name, aggregate, tokens, perRecord);
    },
  };
}

function aggregated(
  name: string,
  aggregate: Aggregate,
  tokens: Tokens,
  dialect: Dialect<Row>,
): Evaluate<Group> {
  if (name === 'count' && tokens.accept('*', ')')) {
    if (tokens.peek(-1).text === '*') tokens.expect(')');
    return (group) => group.length;
  }
  const field = expression(tokens, dialect);
  tokens.expect(')');
  return (group) => {
    const values = valuesOf(group, field);
    return values.length === 0 && !name.startsWith('count') ? undefined : aggregate(values, tokens);
  };
}

function percentile(tokens: Tokens, dialect: Dialect<Row>): Evaluate<Group> {
  const field = expression(tokens, dialect);
  tokens.expect(',');
  const share = Number(tokens.take('number'));
  tokens.expect(')');
  return (group) => {
    const numbers = numbersOf(valuesOf(group, field), tokens);
    return numbers.length === 0 ? undefined : percentileOf(numbers, share);
  };
}

function valuesOf(group: Group, field: Evaluate<Row>) {
  return group
    .toSorted((a, b) => Number(a.get('@timestamp') ?? 0) - Number(b.get('@timestamp') ?? 0))
    .map(field)
    .filter((value) => value !== undefined);
}

function numbersOf(values: Value[], tokens: Tokens): number[] {
  return values.map(
    (value) => toNumber(value) ?? tokens.invalid(`${JSON.stringify(value)} is not a number, as stats needs`),
  );
}

function extreme(values: Exclude<Value, undefined>[], sign: number): Value {
  const numbers = values.map(toNumber).filter((value) => value !== undefined);
  if (numbers.length === values.length) {
    return numbers.reduce((a, b) => (Math.sign(b - a) === sign ? b : a));
  }
  return values.map(String).reduce((a, b) => (b > a === sign > 0 ? b : a));
}
