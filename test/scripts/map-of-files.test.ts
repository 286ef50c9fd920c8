import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const [, MAP = ''] = README.split('## Map of the files');

/** Files and folders directly in a folder, the test's own kind of dust left out. */
function entries(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
}

describe('the README', () => {
  it.each(
    ['functions', 'infra', 'scripts', 'docs'].flatMap((folder) =>
      entries(folder).map((name) => [folder, name]),
    ),
  )('has %s/%s in its map of the files', (_, name) => {
    expect(MAP).toContain(name);
  });

  it.each(entries('docs').filter((name) => name.endsWith('.md')))('leads to docs/%s', (name) => {
    expect(README).toContain(`](docs/${name}`);
  });
});
