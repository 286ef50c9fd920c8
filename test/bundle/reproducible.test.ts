import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { App } from 'aws-cdk-lib';
import { expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { temporaryFolder } from '../support/configuration.ts';
import { EVERYTHING } from '../support/everything.ts';

// The same commit gives the same assets wherever it lies, so that a reviewer can compare what is deployed with it.

const MINUTE = 60_000;
const SOURCES = ['functions', 'infra', 'package.json', 'tsconfig.json', 'docs/crm'];

/** The names of the assets, which are the hashes of their contents. */
async function assetsOf(root: string): Promise<string[]> {
  const { ChatCloserStack } = await import(pathToFileURL(join(root, 'infra/stack.ts')).href);
  const { checkConfiguration } = await import(pathToFileURL(join(root, 'infra/config/load.ts')).href);
  const outdir = temporaryFolder();
  const app = new App({ outdir });
  new ChatCloserStack(app, 'closer', { configuration: checkConfiguration(EVERYTHING, 'test', 'closer') });
  app.synth();
  return readdirSync(outdir)
    .filter((name) => name.startsWith('asset.'))
    .sort();
}

it('the bundles of every function are the same bytes in two folders', { timeout: 3 * MINUTE }, async () => {
  const copy = join(temporaryFolder(), 'another place with a longer name');
  for (const path of SOURCES) cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  expect(readFileSync(join(copy, 'infra/stack.ts'))).toEqual(readFileSync(join(ROOT, 'infra/stack.ts')));
  const here = await assetsOf(ROOT);
  expect(here).toHaveLength(5);
  expect(await assetsOf(copy)).toEqual(here);
});
