import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../commands/command.ts';
import { COMMANDS } from '../../commands/list.ts';
import { ROOT } from '../../infra/root.ts';

/** The options that a command has by what it needs. */
const commonOf = ({ stack, span, file }: Partial<Command['needs']>) => [
  '--help',
  '--json',
  ...(stack ? ['--stack', '--profile', '--region'] : []),
  ...(span ? ['--since', '--until'] : []),
  ...(file ? ['--config'] : []),
];

const FILES = globSync(
  ['README.md', 'docs/**/*.md', 'commands/*.ts', 'operate/**/*.ts', 'infra/monitoring/*.ts'],
  { cwd: ROOT },
).filter((file) => file !== 'docs/decisions.md');

type Named = { file: string; text: string };

/** Every place that names a command: in code by a constant or a function, in text in full. */
function namedIn(file: string): Named[] {
  const content = readFileSync(join(ROOT, file), 'utf8');
  const places = content.matchAll(
    /(?:npx --no chat-closer|\$\{CLI\}|command\(watched,) ['`]?([a-z]+[^`'\n]*)/g,
  );
  return [...places].map(([, text = '']) => ({ file, text }));
}

const nameOf = (text: string) =>
  Object.keys(COMMANDS).find((name) => text === name || new RegExp(`^${name}\\b`).test(text));

/** The options that follow, up to the next sentence. */
const optionsOf = (text: string) => text.split(/[.:;,] /)[0]?.match(/(?<= )--[a-z-]+/g) ?? [];

// commander has `help` itself.
const named = FILES.flatMap(namedIn).filter(({ text }) => !text.startsWith('help'));

describe('a command that a page, an answer or an alarm names', () => {
  it('exists', () => {
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ text }) => !nameOf(text))).toEqual([]);
  });

  it('has the options that are named with it', async () => {
    const wrong: (Named & { option: string })[] = [];
    for (const each of named) {
      const name = nameOf(each.text);
      const { options = [], needs = {} } = (await COMMANDS[name ?? '']?.load())?.default ?? {};
      const known = [...commonOf(needs), ...options.flatMap(({ long, short }) => [long, short])];
      for (const option of optionsOf(each.text)) {
        if (!known.includes(option)) wrong.push({ ...each, option });
      }
    }
    expect(wrong).toEqual([]);
  });
});
