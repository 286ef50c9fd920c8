import { parseArgs } from 'node:util';
import { requireDashes } from '../commands/npm-options.ts';
import { failuresOf, table, virtualRows } from '../test/soak/report.ts';

// npm run soak -- [--closes 100000] [--seed 7] [--failing 0.27] [--live]
//
// Simulates thirteen days of faults in minutes. With --live, sends faults for a few minutes to a deployed stack.
// Exit code 1 if a close is lost, or any other promise of docs/reliability.md is broken. 2: usage error.

const MAX_FAILURES_SHOWN = 20;

const values = readOptions();
const seed = wholeNumber('seed', values.seed);
const failing = share('failing', values.failing);
const closes = wholeNumber('closes', values.closes ?? (values.live ? '2000' : '10000'));

process.stdout.write(`${closes} closes, seed ${seed}${values.live ? ', on a deployed stack' : ''}\n`);
const { report, rows } = values.live ? await runLive() : await runVirtual();
process.stdout.write(`\n${table(report, rows)}`);
const failures = failuresOf(report);
for (const failure of failures.slice(0, MAX_FAILURES_SHOWN)) process.stdout.write(`${failure}\n`);
if (failures.length > MAX_FAILURES_SHOWN)
  process.stdout.write(`… and ${failures.length - MAX_FAILURES_SHOWN} more\n`);
process.stdout.write(failures.length > 0 ? 'The soak failed.\n' : 'The soak passed.\n');
process.exit(failures.length > 0 ? 1 : 0);

async function runVirtual() {
  const { soak } = await import('../test/soak/world.ts');
  const startedAt = performance.now();
  const report = await soak({
    closes,
    seed,
    failing,
    onProgress(share, { rssMb, heapMb }) {
      if (Math.round(share * 100) % 10 > 0) return;
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
      process.stdout.write(
        `${(share * 100).toFixed(0)} % of thirteen days, ${seconds} s, ${rssMb.toFixed(0)} MB (${heapMb.toFixed(0)} MB heap)\n`,
      );
    },
  });
  return { report, rows: virtualRows(report) };
}

async function runLive() {
  const { soakLive } = await import('../test/soak/live.ts');
  return soakLive({ closes, seed, print: (text) => process.stdout.write(`${text}\n`) });
}

function readOptions() {
  const options = {
    closes: { type: 'string' },
    seed: { type: 'string', default: '7' },
    failing: { type: 'string', default: '0.02' },
    live: { type: 'boolean', default: false },
  } as const;
  try {
    requireDashes('npm run soak', Object.keys(options), process.env);
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`--${name} is ${JSON.stringify(text)}. Use a whole number above 0.\n`);
  process.exit(2);
}

function share(name: string, text: string): number {
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= 0.5) return value;
  process.stderr.write(`--${name} is ${JSON.stringify(text)}. Use a number from 0 to 0.5.\n`);
  process.exit(2);
}
