import { cpus, totalmem } from 'node:os';
import { OperatorError } from '../operate/error.ts';
import { localCertificate } from './bench/certificate.ts';
import { measureCold, measureWarm } from './bench/measure.ts';
import { type Results, reportText, targetsOf } from './bench/report.ts';
import { installRuntimeClient } from './bench/runtime-client.ts';
import { prepareSubjects } from './bench/subjects.ts';
import { measureVerification } from './bench/verify.ts';
import { type BenchOptions, readBenchOptions, USAGE } from './command/bench.ts';

// npm run bench: what the functions cost in time, CPU and memory, against an empty handler, a receiver signed by hand,
// one on the SDK's clients, and the vendors' own verification. docs/performance.md has the figures.

const note = (text: string) => process.stderr.write(text);

async function main(options: BenchOptions | undefined): Promise<string> {
  if (!options) return USAGE;
  const results = await measure(options);
  const [cpu] = cpus();
  const machine = `Node ${process.version}, ${cpus().length} × ${cpu?.model}, ${Math.round(totalmem() / 1e9)} GB`;
  return options.json
    ? `${JSON.stringify({ machine, runs: options.runs, ...results, targets: targetsOf(results) }, null, 2)}\n`
    : `${machine}; ${options.runs} runs\n\n${reportText(results)}`;
}

async function measure({ parts, runs }: BenchOptions): Promise<Results> {
  const results: Results = {};
  if (parts.includes('verify')) {
    note('Verifying …\n');
    results.verify = await measureVerification(runs);
  }
  if (!parts.includes('cold') && !parts.includes('warm')) return results;
  if (process.platform !== 'linux') {
    throw new OperatorError('Cold and warm need Linux, whose scheduler counts. Add --only verify.', 1);
  }
  const program = installRuntimeClient(note);
  const subjects = await prepareSubjects(localCertificate());
  try {
    if (parts.includes('cold')) {
      note('Starting every function again and again …\n');
      results.cold = await measureCold(program, subjects.cold, runs);
    }
    if (parts.includes('warm')) {
      note('Invoking warm functions …\n');
      results.warm = await measureWarm(program, subjects.warm, runs);
    }
    return results;
  } finally {
    subjects.stop();
  }
}

try {
  process.stdout.write(await main(readBenchOptions(process.argv.slice(2), process.env)));
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
