import { toRegex } from './insights-grammar.ts';
import { escapeRegex, type Tokens, unquote } from './lexer.ts';

/**
 * Reads what `parse` extracts: a text with asterisks, `"user=*, took=*" as user, took`, or a regular expression
 * in which every group has a name. `names` are those of the groups, in order.
 */
export function extraction(tokens: Tokens): { pattern: RegExp; names: string[] } {
  return tokens.peek().kind === 'regex' ? named(tokens) : glob(tokens);
}

function named(tokens: Tokens): { pattern: RegExp; names: string[] } {
  const pattern = toRegex(tokens.next().text);
  const names = [...pattern.source.matchAll(/\(\?<(\w+)>/g)].map(([, name = '']) => name);
  const groups = new RegExp(`${pattern.source}|`).exec('')?.length ?? 0;
  if (names.length === 0 || groups !== names.length + 1) {
    tokens.invalid('every group of a regular expression in parse needs a name');
  }
  return { pattern, names };
}

function glob(tokens: Tokens): { pattern: RegExp; names: string[] } {
  const parts = unquote(tokens.take('string')).split('*').map(escapeRegex);
  tokens.expect('as');
  const names: string[] = [];
  do names.push(tokens.take('field'));
  while (tokens.accept(','));
  if (names.length !== parts.length - 1) tokens.invalid('parse needs a name for each asterisk');
  const source = parts
    .slice(1)
    .reduce((text, part) => `${text}(.*${part === '' ? '' : '?'})${part}`, parts[0] ?? '');
  return { pattern: new RegExp(source, 's'), names };
}
