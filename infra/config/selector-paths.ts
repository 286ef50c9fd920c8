import { nearest } from './fault.ts';
import { readsOf } from './selector-reads.ts';

/** Pieces of an expression: a text, a literal, a name, or one other character. */
const TOKENS = /'(?:\\.|[^'\\])*'|`[^`]*`|"(?:\\.|[^"\\])*"|[A-Za-z_]\w*|\s+|./gs;
const WORDS = ['true', 'false', 'null'];

/**
 * Suggests the expression that was likely meant, with a known key at the start of each path.
 *
 * @param unknown keys at the start of a path that do not exist
 * @param roots the keys that exist, the usual one first
 */
export function suggestPaths(expression: string, unknown: string[], roots: readonly string[]): string {
  const word = unknown.find((key) => WORDS.includes(key));
  if (word) return `Write \`${word}\` in backticks`;
  const meant = correct(expression, unknown, roots);
  const [key = ''] = unknown;
  return `Did you mean ${isRight(meant, roots) ? meant : beginning(key, name(key), roots)}?`;
}

function correct(expression: string, unknown: string[], roots: readonly string[]): string {
  let depth = 0;
  let before = '';
  let corrected = '';
  for (const token of expression.match(TOKENS) ?? []) {
    const key = token.replace(/^"|"$/g, '');
    // In brackets a path starts at an element.
    const isWrong = depth === 0 && unknown.includes(key) && !/^['`]/.test(token);
    if (isWrong && /[$@]\.$/.test(before)) corrected = corrected.slice(0, -2);
    const isStart = !before.endsWith('.') || /[$@]\.$/.test(before);
    corrected += isWrong && isStart ? beginning(key, token, roots) : token;
    if ('[{'.includes(token)) depth += 1;
    if (']}'.includes(token)) depth -= 1;
    before = (before + token.trim()).slice(-2);
  }
  return corrected;
}

/** Takes `Body` for `body`, and `chat` for a key of it. */
function beginning(key: string, written: string, roots: readonly string[]): string {
  return nearest(key, roots, 1) ?? `${roots[0]}.${written}`;
}

function name(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : `"${key}"`;
}

function isRight(expression: string, roots: readonly string[]): boolean {
  try {
    return [...readsOf(expression).keys].every((key) => roots.includes(key));
  } catch {
    return false;
  }
}
