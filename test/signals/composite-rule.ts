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

/** Gives the state of an alarm by its name or ARN, as the rule has it. */
export type StateOf = (alarm: string) => State;

/**
 * Compiles the rule of a composite alarm into a test and the names in it: ALARM, OK and INSUFFICIENT_DATA of names or ARNs, TRUE, FALSE, AND,
 * OR, NOT and parentheses.
 *
 * @throws for everything else, AT_LEAST included.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
 */
export function compileRule(rule: string): { holds: (stateOf: StateOf) => boolean; names: string[] } {
  const tokens = new Tokens(rule, RULE);
  const names = new Set<string>();
  const holds = either(tokens, names);
  tokens.end();
  return { holds, names: [...names] };
}

type Condition = (stateOf: StateOf) => boolean;

const either = (tokens: Tokens, names: Set<string>): Condition =>
  tokens.binary(
    ['OR'],
    () => both(tokens, names),
    (_, left, right) => (states) => left(states) || right(states),
  );

const both = (tokens: Tokens, names: Set<string>): Condition =>
  tokens.binary(
    ['AND'],
    () => single(tokens, names),
    (_, left, right) => (states) => left(states) && right(states),
  );

function single(tokens: Tokens, names: Set<string>): Condition {
  if (tokens.accept('NOT')) {
    const operand = single(tokens, names);
    return (states) => !operand(states);
  }
  if (tokens.accept('(')) {
    const inner = either(tokens, names);
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
  names.add(name);
  return (states) => states(name) === wanted;
}
