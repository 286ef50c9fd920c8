import { compileJsonPattern } from './filter-pattern-json.ts';
import { type Grammar, Tokens, unquote } from './lexer.ts';

const TERMS: Grammar = {
  name: 'filter pattern',
  kinds: [
    ['space', /\s+/],
    ['sign', /[?-]/],
    ['string', /"(?:[^"\\]|\\.)*"/],
    ['term', /[A-Za-z0-9_]+/],
  ],
};

export type Match = (text: string) => boolean;

/**
 * Compiles a metric filter's pattern into a test of one log event's text. Knows terms (`a "b c" -d`, `?a ?b`)
 * and JSON patterns. Throws on everything else, regular expressions and space-delimited patterns included.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function compilePattern(pattern: string): Match {
  const text = pattern.trim();
  return text.startsWith('{') ? compileJsonPattern(text) : compileTerms(text);
}

function compileTerms(pattern: string): Match {
  const tokens = new Tokens(pattern, TERMS);
  const terms: { sign: string; term: string }[] = [];
  while (tokens.peek().kind !== 'end') {
    const sign = tokens.accept('?', '-') ?? '';
    const term = tokens.peek().kind === 'string' ? unquote(tokens.next().text) : tokens.take('term');
    terms.push({ sign, term });
  }
  const optional = terms.filter(({ sign }) => sign === '?');
  if (optional.length === 0) {
    return (text) => terms.every(({ sign, term }) => text.includes(term) === (sign !== '-'));
  }
  // AWS ignores optional terms beside others, which nobody can want.
  if (optional.length < terms.length) tokens.invalid('terms with ? cannot be combined with other terms');
  return (text) => optional.some(({ term }) => text.includes(term));
}
