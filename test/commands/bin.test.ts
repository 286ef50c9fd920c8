import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';

const BIN = join(ROOT, 'bin/chat-closer.js');

it('the program of the command line may be executed by everybody', () => {
  expect(statSync(BIN).mode & 0o777).toBe(0o755);
  expect(readFileSync(BIN, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).bin).toEqual({
    'chat-closer': 'bin/chat-closer.js',
  });
});

it('it starts the command line on Node 24, whatever version it runs on itself, and passes its output on', () => {
  const output = execFileSync(process.execPath, [BIN, 'help'], { encoding: 'utf8' });
  expect(output).toContain('Usage: npx --no chat-closer');
});
