import Table from 'cli-table3';
import type { Figure } from './measure.ts';
import { EMPTY, FLOOR, ZENDESK } from './names.ts';
import { ratio } from './statistics.ts';
import type { Verification } from './verify.ts';

/** What one run has measured. A part that was not asked for is absent. */
export type Results = { cold?: Figure[]; warm?: Figure[]; verify?: Verification[] };

/** A target of docs/performance.md, and whether it was met in this run. */
export type Target = { target: string; measured: number; limit: number; holds: boolean };

/** Two verifications that differ by less than 5 % take equally long, as far as a run can tell. */
const LIMITS = { cold: 1.2, warm: 1.5, bundle: 100_000, verification: 1.05 };

/** The targets that these results can be held against. */
export function targetsOf({ cold = [], warm = [], verify = [] }: Results): Target[] {
  const targets = [
    target('cold start, Zendesk, by the floor', timesFloor(cold), LIMITS.cold),
    target('warm delivery, Zendesk, by the floor', timesFloor(warm), LIMITS.warm),
    target('bundle, Zendesk, bytes', cold.find(({ name }) => name === ZENDESK)?.bundle, LIMITS.bundle),
    ...verify.map(({ name, bytes, ours, theirs }) =>
      target(`${name}, ${sizeName(bytes)}`, ours / theirs, LIMITS.verification),
    ),
  ];
  return targets.filter((each) => each !== undefined);
}

function target(name: string, measured: number | undefined, limit: number): Target | undefined {
  return measured === undefined ? undefined : { target: name, measured, limit, holds: measured <= limit };
}

function timesFloor(figures: readonly Figure[]): number | undefined {
  const of = (wanted: string) => figures.find(({ name }) => name === wanted)?.cpuMs;
  const own = of(ZENDESK);
  return own === undefined ? undefined : ratio(own, of(FLOOR));
}

/** The tables for a terminal, and what their lines mean. */
export function reportText(results: Results): string {
  const { cold, warm, verify } = results;
  return [
    cold && `Cold start: from the start of the process to its first answer.\n${figureTable(cold)}`,
    warm && `Warm: one invocation of a process that has served hundreds.\n${figureTable(warm)}`,
    verify && `Verification: CPU of one, ours and the vendor’s own library.\n${verificationTable(verify)}`,
    missed(targetsOf(results)),
    MEANING,
  ]
    .filter(Boolean)
    .join('\n\n');
}

const MEANING = `CPU is what the scheduler counted for all threads, wall is the clock, memory the most that was resident;
times are medians. "floor" is a multiple of the hand-signed receiver in the same run, "empty" of a handler that does
nothing. Compare multiples: times depend on the machine and on what else it does.
`;

function figureTable(figures: readonly Figure[]): string {
  const base = (name: string) => figures.find((each) => each.name === name)?.cpuMs;
  const [floor, empty] = [base(FLOOR), base(EMPTY)];
  return tableOf(
    ['', 'CPU ms', '× floor', '× empty', 'wall ms', 'memory MB', 'bundle KB'],
    figures.map(({ name, cpuMs, wallMs, memory, bundle }) => [
      name,
      cpuMs.toFixed(2),
      ratio(cpuMs, floor)?.toFixed(2),
      ratio(cpuMs, empty)?.toFixed(2),
      wallMs?.toFixed(2),
      memory && (memory / 1e6).toFixed(0),
      bundle && (bundle / 1000).toFixed(1),
    ]),
  );
}

function verificationTable(verifications: readonly Verification[]): string {
  return tableOf(
    ['scheme · library', 'body', 'ours µs', 'library µs', 'ours ÷ library'],
    verifications.map(({ name, bytes, ours, theirs }) => [
      name,
      sizeName(bytes),
      ours.toFixed(1),
      theirs.toFixed(1),
      (ours / theirs).toFixed(2),
    ]),
  );
}

function missed(targets: readonly Target[]): string {
  const failing = targets.filter(({ holds }) => !holds);
  if (failing.length === 0) return `All ${targets.length} targets hold.`;
  const lines = failing.map((each) => `  ${each.target}: ${each.measured.toFixed(2)}, at most ${each.limit}`);
  return `${failing.length} of ${targets.length} targets do not hold in this run:\n${lines.join('\n')}`;
}

function sizeName(bytes: number): string {
  return bytes >= 1e6 ? '1 MiB' : `${Math.round(bytes / 1024)} KiB`;
}

function tableOf(head: string[], rows: (string | number | undefined)[][]): string {
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  table.push(...rows.map((row) => row.map((cell) => cell ?? '')));
  return table.toString();
}
