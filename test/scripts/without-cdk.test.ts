import { globSync } from 'node:fs';
import { buildSync, type Metafile } from 'esbuild';
import { expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import config from '../../vitest.config.ts';

/** The CDK takes seconds to load, except this table of regions: it loads alone, in some hundredths of a second. */
const LIGHT = 'aws-cdk-lib/region-info';

/** The test files that vitest.config.ts gives to the project `unit`, relative to the repository. */
function unitTests(): string[] {
  const projects = config.test?.projects ?? [];
  const unit = projects.find(
    (each) => typeof each === 'object' && 'test' in each && each.test?.name === 'unit',
  );
  const include = typeof unit === 'object' && 'test' in unit ? (unit.test?.include ?? []) : [];
  return include.flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
}

/** What each file imports when it runs: esbuild leaves out types. */
function imports(entryPoints: string[]): Metafile['inputs'] {
  const { metafile } = buildSync({
    entryPoints,
    absWorkingDir: ROOT,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
    write: false,
    outdir: 'unused',
    logLevel: 'silent',
  });
  return metafile.inputs;
}

/** The chains of files by which a file reaches the CDK, each once for each file that imports it. */
function waysToCdk(inputs: Metafile['inputs'], start: string): string[] {
  const chains = new Map([[start, start]]);
  const found: string[] = [];
  for (const [file, chain] of chains) {
    for (const { path, external } of inputs[file]?.imports ?? []) {
      if (!external && !chains.has(path)) chains.set(path, `${chain} > ${path}`);
      if (external && /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/.test(path) && path !== LIGHT)
        found.push(`${chain} > ${path}`);
    }
  }
  return found;
}

it('no unit test loads the CDK', () => {
  const files = unitTests();
  expect(files.length).toBeGreaterThan(70);
  const inputs = imports(files);
  expect(files.flatMap((file) => waysToCdk(inputs, file))).toEqual([]);
});

it('a chain names the files through which the CDK is reached', () => {
  const file = 'test/support/stack.ts';
  expect(waysToCdk(imports([file]), file)).toContain(`${file} > infra/stack.ts > aws-cdk-lib`);
});
