import type { State } from './alarm-state.ts';
import { type Grammar, Tokens } from './lexer.ts';

const RULE: Grammar = {
  name: 'alarm rule',
  kinds: [
    ['space', /\s+/],
    ['string', /"[^"]+"/],
    ['operator', /[()]/],
    ['word', /[^\s()"]+/],
  ],
};

/** Gives the state of an alarm by its name or ARN. */
export type StateOf = (alarm: string) => State;

/**
 * Compiles the rule of a composite alarm: ALARM, OK and INSUFFICIENT_DATA of names or ARNs, TRUE, FALSE, AND,
 * OR, NOT and parentheses.
 *
 * @throws for everything else, AT_LEAST included.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
 */
export function compileRule(rule: string): (stateOf: StateOf) => boolean {
  const tokens = new Tokens(rule, RULE);
  const evaluate = either(tokens);
  tokens.end();
  return evaluate;
}

type Condition = (stateOf: StateOf) => boolean;

const either = (tokens: Tokens): Condition =>
  tokens.binary(
    ['OR'],
    () => both(tokens),
    (_, left, right) => (states) => left(states) || right(states),
  );

const both = (tokens: Tokens): Condition =>
  tokens.binary(
    ['AND'],
    () => single(tokens),
    (_, left, right) => (states) => left(states) && right(states),
  );

function single(tokens: Tokens): Condition {
  if (tokens.accept('NOT')) {
    const operand = single(tokens);
    return (states) => !operand(states);
  }
  if (tokens.accept('(')) {
    const inner = either(tokens);
    tokens.expect(')');
    return inner;
  }
  if (tokens.is('TRUE', 'FALSE')) {
    const value = tokens.next().text === 'TRUE';
    return () => value;
  }
  const wanted = tokens.expect('ALARM', 'OK', 'INSUFFICIENT_DATA');
  tokens.expect('(');
  const quoted = tokens.peek().kind === 'string';
  const name = quoted ? tokens.next().text.slice(1, -1) : tokens.take('word');
  tokens.expect(')');
  return (states) => states(name) === wanted;
}
