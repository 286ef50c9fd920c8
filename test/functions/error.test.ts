import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';

const files = globSync('functions/**/*.ts', { cwd: ROOT });
const sources = files.map((file) => readFileSync(join(ROOT, file), 'utf8'));
const classes = sources.flatMap((source) => [
  ...source.matchAll(/class (\w+) extends (\w+) \{\s+override name = '(\w+)';/g),
]);

describe('the error classes of the functions', () => {
  it.each(classes.map(([, name, base, named]) => ({ name, base, named })))(
    '$name extends ChatCloserError and carries its own name',
    ({ name, base, named }) => {
      expect(base).toBe(name === 'ChatCloserError' ? 'Error' : 'ChatCloserError');
      expect(named).toBe(name);
    },
  );

  it('are all found by this test', () => {
    const found = sources.flatMap((source) => source.match(/class \w+ extends/g) ?? []);
    expect(classes).toHaveLength(found.length);
    expect(classes.length).toBeGreaterThan(5);
  });
});
