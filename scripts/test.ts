import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from '../infra/root.ts';

// Runs all checks, or the named ones: `node scripts/test.ts types unit`. A failed check does not stop the others.
// Words after `--` select test files by their path: `node scripts/test.ts unit -- outcome`.
// The last line is the sum. A check without tests counts as one.

type Count = { passed: number; failed: number };

const [named, patterns] = split(process.argv.slice(2));

const CHECKS: Record<string, () => Count> = {
  format: () => command('biome', 'ci', '--error-on-warnings', '.'),
  // The page runs in a browser, so it has other types.
  types: () => sum(command('tsc'), command('tsc', '-p', 'local/console/page')),
  unit: () => vitest('unit'),
  infrastructure: () => vitest('infrastructure'),
  bundle: () => vitest('bundle'),
  soak: () => vitest('soak'),
  e2e: () => vitest('e2e'),
};

const BIN = join(ROOT, 'node_modules/.bin');
const env = { ...process.env, PATH: [BIN, process.env.PATH].join(delimiter) };
const unknown = named.filter((name) => !Object.hasOwn(CHECKS, name));
if (unknown.length > 0) {
  process.stderr.write(
    `No such check: ${unknown.join(', ')}. Choose from ${Object.keys(CHECKS).join(', ')}.\n`,
  );
  process.exit(2);
}

const total: Count = { passed: 0, failed: 0 };
for (const name of named.length > 0 ? named : Object.keys(CHECKS)) {
  const startedAt = Date.now();
  process.stdout.write(`\n== ${name}\n`);
  const { passed, failed } = CHECKS[name]?.() ?? { passed: 0, failed: 1 };
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`== ${name}: ${passed} passed, ${failed} failed, ${seconds} s\n`);
  total.passed += passed;
  total.failed += failed;
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** @returns the checks before `--`, and the words after it */
function split(args: string[]): [string[], string[]] {
  const dashes = args.indexOf('--');
  return dashes === -1 ? [args, []] : [args.slice(0, dashes), args.slice(dashes + 1)];
}

function command(program: string, ...args: string[]): Count {
  const { status } = spawnSync(join(BIN, program), args, { cwd: ROOT, env, stdio: 'inherit' });
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function sum(one: Count, other: Count): Count {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed };
}

/** A test file that does not load counts as a failure. So does a run that finds no test or is killed. */
function vitest(project: string): Count {
  const folder = mkdtempSync(join(tmpdir(), 'polyai-chat-closer-test-'));
  const results = join(folder, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  const { status } = spawnSync(
    join(BIN, 'vitest'),
    ['run', '--project', project, ...reporters, '--silent=passed-only', ...patterns],
    { cwd: ROOT, env: { ...env, TMPDIR: folder }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(results, 'utf8'));
    const unloaded = testResults.filter(
      (file: { status: string; assertionResults: { status: string }[] }) =>
        file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    );
    const failed = numFailedTests + unloaded.length;
    const isSilentFailure = failed === 0 && (status !== 0 || numPassedTests === 0);
    return { passed: numPassedTests, failed: isSilentFailure ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
