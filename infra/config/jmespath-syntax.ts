import { type Problem, quote } from './fault.ts';
import { nameStray, STRAY } from './stray.ts';

const PAGE = 'docs/crm/custom.md#selectors';

/** A habit from another language, and its counterpart in JMESPath. */
type Habit = [pattern: RegExp, problem: (found: string) => string, fix: (found: string) => string];

const OPERATORS: Record<string, string> = {
  and: 'Write && for "and"',
  or: 'Write || for "or"',
  not: 'Write ! for "not", as in !(body.open)',
  in: `Write contains(['solved', 'closed'], body.status)`,
  is: 'Write == for "is"',
  '&': 'Write && for "and"',
  '===': 'Write == to compare',
  '!==': 'Write != to compare',
  '<>': 'Write != to compare',
};

/** The first match explains the fault, so the order matters. Texts and quoted names are removed before. */
const HABITS: Habit[] = [
  [
    /\{\{.*?(\}\}|$)|\$!?\{.*?(\}|$)/,
    (found) => `has ${quote(found)}, a placeholder, which nothing fills in here`,
    () => 'Write the path of the field in the delivery, as in body.external_id',
  ],
  [
    /(?<![\w.])(?:and|or|not|in|is)(?=\s|\()|===|!==|<>|(?<=[\w)\]'"`]\s*)&(?!&)/i,
    (found) => `has ${quote(found)}, which is not an operator`,
    (found) => OPERATORS[found.toLowerCase()] ?? 'Write && or ||',
  ],
  [
    /(?<=[=!<>]\s*)-?\d+(?:\.\d+)?/,
    (found) => `has the number ${found} without backticks`,
    (found) => `Write \`${found}\` in backticks`,
  ],
  [
    /\w\s*\[\s*''\s*\]/,
    () => 'reads a key in square brackets',
    () => 'Write a dot and the key, as in body.status or body."a key"',
  ],
];

/**
 * Explains why an expression does not parse.
 *
 * @param message the library's own, used if it is not one of the usual mistakes
 * @see https://jmespath.site
 */
export function explainSyntax(expression: string, message: string): Problem {
  const { problem, fix } = findStray(expression) ??
    findTextInBackticks(expression) ??
    findHabit(withoutTexts(expression)) ??
    findBracket(withoutTexts(expression)) ?? { problem: `(${message})`, fix: '' };
  const separator = problem.startsWith('(') ? ' ' : ': it ';
  return {
    problem: `is not JMESPath${separator}${problem}`,
    fix: fix ? `${fix}: see ${PAGE}` : `Write JMESPath as ${PAGE} shows, as in body.ticket.id`,
  };
}

function findStray(expression: string): Problem | undefined {
  const found = STRAY.exec(withoutTexts(expression))?.[0];
  return found === undefined
    ? undefined
    : { problem: `has ${nameStray(found)}`, fix: `Write the plain character instead: ' or a space` };
}

function findTextInBackticks(expression: string): Problem | undefined {
  const [literal] = expression.match(/`[^`]*`/g)?.filter((each) => !isJson(each.slice(1, -1))) ?? [];
  return literal === undefined
    ? undefined
    : {
        problem: `has a text in backticks, ${literal}`,
        fix: `Write text in single quotes, as in '${literal.slice(1, -1)}'`,
      };
}

function findHabit(expression: string): Problem | undefined {
  for (const [pattern, problem, fix] of HABITS) {
    const found = pattern.exec(expression)?.[0];
    if (found !== undefined) return { problem: problem(found), fix: fix(found) };
  }
  return undefined;
}

function findBracket(expression: string): Problem | undefined {
  const pairs = ['()', '[]', '{}'].map(([open = '', close = '']) => {
    const count = (sign: string) => expression.split(sign).length - 1;
    return { open, close, missing: count(open) - count(close) };
  });
  const pair = pairs.find(({ missing }) => missing !== 0);
  if (!pair) return undefined;
  const [there, lacking] = pair.missing > 0 ? [pair.open, pair.close] : [pair.close, pair.open];
  return { problem: `has a ${there} without a ${lacking}`, fix: `Add the missing ${lacking}` };
}

/** Empties quotes and backticks, so that a text is not taken for part of the expression. */
function withoutTexts(expression: string): string {
  return expression
    .replace(/'(?:\\.|[^'\\])*'/g, "''")
    .replace(/"(?:\\.|[^"\\])*"/g, '""')
    .replace(/`[^`]*`/g, '``');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
