import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { fixtureNames } from '../../samples/fixture.ts';
import { temporaryFolder, writeFiles } from '../support/folder.ts';

// Adds a CRM on trial to a copy of the project, as CONTRIBUTING.md says: one file, one line, one fixture folder,
// one page, and `npm run generate`. It is Gorgias under another name.

const NOT_COPIED = ['node_modules', '.git', '.venv', 'cdk.out', 'coverage'];
const FIXTURES = ['finished.json', 'not-finished.json', 'no-id.json', 'reopened.json', 'malformed.json'];

function copyProject(): string {
  const copy = temporaryFolder();
  for (const name of readdirSync(ROOT).filter((each) => !NOT_COPIED.includes(each))) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** The files that `npm run generate` has written. */
function generate(project: string): string[] {
  const output = execFileSync(process.execPath, ['scripts/generate.ts'], { cwd: project, encoding: 'utf8' });
  return [...output.matchAll(/^wrote (.+)$/gm)].map(([, file = '']) => file);
}

it('needs one file, one line, one fixture folder, one page and npm run generate', () => {
  const copy = copyProject();
  const read = (file: string) => readFileSync(join(copy, file), 'utf8');
  const index = read('functions/crm/index.ts');
  writeFiles(copy, {
    'functions/crm/trial-desk.ts': read('functions/crm/gorgias.ts'),
    'functions/crm/index.ts': `import trialDesk from './trial-desk.ts';\n${index.replace(
      /^ {2}twilio,$/m,
      "  'trial-desk': trialDesk,\n  twilio,",
    )}`,
    'docs/crm/trial-desk.md': read('docs/crm/gorgias.md')
      .replaceAll('Gorgias', 'Trial Desk')
      .replaceAll('gorgias', 'trial-desk'),
    ...Object.fromEntries(
      FIXTURES.map((name) => [
        `samples/fixtures/trial-desk/${name}`,
        read(`samples/fixtures/gorgias/${name}`).replaceAll('gorgias', 'trial-desk'),
      ]),
    ),
  });

  expect(generate(copy)).toEqual(
    expect.arrayContaining([
      'README.md',
      'connections.schema.json',
      'docs/conversation-id.md',
      'docs/crm/README.md',
      'docs/security.md',
    ]),
  );
  expect(generate(copy)).toEqual([]);
  expect(read('README.md')).toContain('[Trial Desk](docs/crm/trial-desk.md)');
  expect(read('docs/crm/README.md')).toContain('| [Trial Desk](trial-desk.md) | `trial-desk` |');
  expect(read('docs/conversation-id.md')).toContain('| [`trial-desk`](crm/trial-desk.md) |');
  expect(read('docs/security.md')).toContain('[`trial-desk`](crm/trial-desk.md)');
  const { passed, failed } = registryTests(copy, 'trial-desk');
  expect(failed).toBe(0);
  expect(passed).toBeGreaterThan(FIXTURES.length);
});

/** Runs the tests that read every CRM's files in the copy, for one CRM. */
function registryTests(project: string, crm: string) {
  const results = join(project, 'results.json');
  const selection = ['--project', 'unit', '-t', `^${crm} `, 'test/functions/crm/registry.test.ts'];
  const { VITEST: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...selection, '--reporter=json', `--outputFile=${results}`],
    { cwd: project, env, encoding: 'utf8' },
  );
  if (!existsSync(results)) throw new Error(`The tests of the copy did not run: ${stdout}${stderr}`);
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(results, 'utf8'));
  return { passed: numPassedTests, failed: numFailedTests };
}

it('gives no fixtures for a CRM without the folder, so that the test of the CRM can say so', () => {
  expect(fixtureNames('no-such-crm')).toEqual([]);
});
