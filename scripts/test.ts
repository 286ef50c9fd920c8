import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from '../infra/bundle.ts';

// Every check there is, or those named: `node scripts/test.ts unit types`. All of them run, whatever fails;
// the last line counts, and a check without tests of its own counts as one.

type Count = { passed: number; failed: number };

const CHECKS: Record<string, () => Count> = {
  format: () => command('biome', 'ci', '--error-on-warnings', '.'),
  types: () => command('tsc'),
  unit: () => jest('test/functions', 'test/infra/config', 'test/scripts', 'test/support'),
  infrastructure: () => jest('test/infra/(?!config)'),
  bundle: () => jest('test/bundle'),
  soak: () => jest('--runInBand', 'test/soak'),
  // One after the other: each has an emulator of its own, and the machine may be small.
  e2e: () => jest('--runInBand', 'test/e2e'),
};

const BIN = join(ROOT, 'node_modules/.bin');
const env = { ...process.env, PATH: [BIN, process.env.PATH].join(delimiter) };
const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(CHECKS, name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no check ${unknown.join(', ')}: there are ${Object.keys(CHECKS).join(', ')}.\n`,
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

function command(program: string, ...args: string[]): Count {
  const { status } = spawnSync(join(BIN, program), args, { cwd: ROOT, env, stdio: 'inherit' });
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Test files that do not even load, and a jest that finds none or dies, count as failures. */
function jest(...given: string[]): Count {
  const flags = given.filter((each) => each.startsWith('--'));
  const patterns = given.filter((each) => !each.startsWith('--'));
  const folder = mkdtempSync(join(tmpdir(), 'polyai-chat-closer-test-'));
  const results = join(folder, 'results.json');
  const args = ['--experimental-vm-modules', '--no-warnings', join(ROOT, 'node_modules/jest/bin/jest.js')];
  // A failed test may leave a server open, which must not keep the run from ending.
  const options = [
    ...flags,
    '--forceExit',
    '--json',
    `--outputFile=${results}`,
    '--testPathPatterns',
    ...patterns,
  ];
  const { status } = spawnSync(join(BIN, 'node'), [...args, ...options], {
    cwd: ROOT,
    env: { ...env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
      readFileSync(results, 'utf8'),
    );
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const isSilentFailure = failed === 0 && (status !== 0 || numPassedTests === 0);
    return { passed: numPassedTests, failed: isSilentFailure ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
