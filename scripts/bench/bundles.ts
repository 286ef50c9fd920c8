import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { buildSync } from 'esbuild';
import { DEFAULT_STACK, loadConfiguration } from '../../infra/config/load.ts';
import { ROOT } from '../../infra/root.ts';
import { ChatCloserStack } from '../../infra/stack.ts';
import { BENCH_FOLDER } from './runtime-client.ts';

type Resource = { Type: string; Properties: { Code?: { S3Key?: string } } };

/**
 * Bundles the functions of a configuration as a deployment does.
 *
 * @param name a folder for what is built
 * @param content of a connections.json
 * @returns the folder of each function, by the name of its construct: `Receive`, `Close`, …
 */
export function buildFunctions(name: string, content: object): Record<string, string> {
  const outdir = join(BENCH_FOLDER, name);
  rmSync(outdir, { recursive: true, force: true });
  const file = join(BENCH_FOLDER, `${name}.json`);
  writeFileSync(file, JSON.stringify(content));
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  const app = new App({ context, outdir });
  const stack = new ChatCloserStack(app, DEFAULT_STACK, {
    configuration: loadConfiguration(file, DEFAULT_STACK),
  });
  app.synth();
  const { Resources } = JSON.parse(readFileSync(join(outdir, stack.templateFile), 'utf8'));
  return Object.fromEntries(
    Object.entries<Resource>(Resources)
      .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
      .map(([id, { Properties }]) => [
        id.replace(/Function\w*$/, ''),
        join(outdir, `asset.${Properties.Code?.S3Key?.replace(/\.zip$/, '')}`),
      ]),
  );
}

/** Bundles a baseline with the same settings. @returns its folder */
export function buildBaseline(name: string): string {
  const folder = join(BENCH_FOLDER, name);
  buildSync({
    entryPoints: [join(import.meta.dirname, 'baselines', `${name}.ts`)],
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return folder;
}
