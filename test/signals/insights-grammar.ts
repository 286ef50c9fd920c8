import type { Grammar } from './lexer.ts';

/** A slash starts a regular expression only where the language expects one. Elsewhere it divides. */
export const INSIGHTS: Grammar = {
  name: 'Logs Insights',
  kinds: [
    ['space', /\s+|#[^\n]*/],
    ['string', /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/],
    ['quoted field', /`[^`]+`/],
    ['regex', /(?<=(?:\blike|=~|\bparse\s+[@\w.]+)\s*)\/(?:[^/\\]|\\.)+\//],
    ['duration', /\d+(?:ms|s|m|h|d)\b/],
    ['number', /\d+(?:\.\d+)?/],
    ['field', /@?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*/],
    ['operator', /=~|!=|<=|>=|[-=<>()+*/^%,|[\]]/],
  ],
};

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The milliseconds of a duration like `5m`. */
export function durationMs(text: string): number {
  const [, count, unit = ''] = /^(\d+)([a-z]+)$/.exec(text) ?? [];
  return Number(count) * (UNIT_MS[unit] ?? Number.NaN);
}

/** The regular expression between two slashes. `(?i)` is known at its start, alone or after `^`. */
export function toRegex(text: string): RegExp {
  const [, anchor = '', insensitive, rest = ''] = /^\/(\^?)(\(\?i\))?(.*)\/$/s.exec(text) ?? [];
  return new RegExp(anchor + rest, insensitive ? 'i' : '');
}
