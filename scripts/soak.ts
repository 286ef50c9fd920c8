import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { requireDashes } from '../commands/npm-options.ts';
import { drainStepText, drainTable, outageTable } from '../test/soak/backlog-report.ts';
import { failuresOf, table, virtualRows } from '../test/soak/report.ts';

// npm run soak -- [--closes 100000] [--seed 7] [--failing 0.27] [--live | --outage | --drain]
//
// Simulates thirteen days of faults in minutes. With --live, sends faults for a few minutes to a deployed stack. With
// --outage, a project with 300,000 closes is down for 23 hours. With --drain, a million closes wait at once.
// Exit code 1 if a close is lost, or any other promise of docs/reliability.md is broken. 2: usage error.

const MAX_FAILURES_SHOWN = 20;

/** Node lets garbage lie as long as the machine has memory. A million closes in thirteen days need less than this. */
const HEAP_MB = 700;

/** The figures in words, and what must not be. */
type Run = { text: string; failures: string[] };

const MODES = { virtual: runVirtual, live: runLive, outage: runOutage, drain: runDrain };
const CLOSES = { virtual: '10000', live: '2000', outage: '300000', drain: '1000000' };

const values = readOptions();
const seed = wholeNumber('seed', values.seed);
const failing = share('failing', values.failing);
const mode = onlyMode();
const closes = wholeNumber('closes', values.closes ?? CLOSES[mode]);
if (mode === 'virtual') limitHeap();

process.stdout.write(`${closes} closes, seed ${seed}${values.live ? ', on a deployed stack' : ''}\n`);
const { text, failures } = await MODES[mode]();
process.stdout.write(`\n${text}`);
for (const failure of failures.slice(0, MAX_FAILURES_SHOWN)) process.stdout.write(`${failure}\n`);
if (failures.length > MAX_FAILURES_SHOWN)
  process.stdout.write(`… and ${failures.length - MAX_FAILURES_SHOWN} more\n`);
process.stdout.write(failures.length > 0 ? 'The soak failed.\n' : 'The soak passed.\n');
process.exit(failures.length > 0 ? 1 : 0);

/** Runs this script again with a smaller heap, unless it has one. Node takes the limit only at its start. */
function limitHeap(): void {
  if (process.execArgv.length > 0) return;
  const args = [`--max-old-space-size=${HEAP_MB}`, ...process.argv.slice(1)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  process.exit(status ?? 1);
}

async function runOutage(): Promise<Run> {
  const { outageFailures, soakOutage } = await import('../test/soak/outage.ts');
  const result = await soakOutage({ closes, seed }, (hour, text) =>
    process.stdout.write(`hour ${hour}: ${text}\n`),
  );
  return { text: outageTable(result), failures: outageFailures(result) };
}

async function runDrain(): Promise<Run> {
  const { drainFailures, soakDrain } = await import('../test/soak/drain.ts');
  const result = await soakDrain({ closes, seed }, (step) =>
    process.stdout.write(`${drainStepText(step)}\n`),
  );
  return { text: drainTable(result), failures: drainFailures(result) };
}

async function runVirtual(): Promise<Run> {
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
  return { text: table(report, virtualRows(report)), failures: failuresOf(report) };
}

async function runLive(): Promise<Run> {
  const { soakLive } = await import('../test/soak/live.ts');
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const { report, rows } = await soakLive({ closes, seed, print });
  return { text: table(report, rows), failures: failuresOf(report) };
}

function readOptions() {
  const options = {
    closes: { type: 'string' },
    seed: { type: 'string', default: '7' },
    failing: { type: 'string', default: '0.02' },
    live: { type: 'boolean', default: false },
    outage: { type: 'boolean', default: false },
    drain: { type: 'boolean', default: false },
  } as const;
  try {
    requireDashes('npm run soak', Object.keys(options), process.env);
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
}

function onlyMode(): keyof typeof MODES {
  const chosen = (['live', 'outage', 'drain'] as const).filter((name) => values[name]);
  if (chosen.length < 2) return chosen[0] ?? 'virtual';
  process.stderr.write(`--${chosen.join(' and --')} cannot be combined. Use one of them.\n`);
  process.exit(2);
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
