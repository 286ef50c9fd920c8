import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { explain, OperatorError } from '../../operate/error.ts';
import { findOutputs, type StackOutputs } from '../../operate/outputs.ts';
import { type Command, type Options, readOptions } from './options.ts';

/** What a command is given of its surroundings. */
export type Surroundings = {
  say: (text: string) => void;
  /** One line that the next one may replace. */
  progress: (text: string) => void;
  /** @throws {OperatorError} where nobody can be asked */
  ask: (question: string) => Promise<boolean>;
  /** Unix milliseconds. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  /** Aborted by Ctrl-C: to end soon, and leave nothing half-done. */
  signal: AbortSignal;
};

/** The shell's own exit code for Ctrl-C. */
const INTERRUPTED = 130;

/** Runs a command on a deployed stack; sets the exit code: 0 done, 1 not all of it, 2 asked for wrongly. */
export async function runCommand(
  command: Command,
  act: (options: Options, outputs: StackOutputs, surroundings: Surroundings) => Promise<boolean>,
): Promise<void> {
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
  try {
    const options = readOptions(command, process.argv.slice(2), process.env);
    if (!options) {
      process.stdout.write(command.usage);
      return;
    }
    const outputs = await findOutputs(options.stack);
    const isDone = await act(options, outputs, surroundings(stopped.signal));
    process.exitCode = stopped.signal.aborted ? INTERRUPTED : isDone ? 0 : 1;
  } catch (error) {
    const text = explain(error);
    if (text === undefined) throw error;
    process.stderr.write(`${text}\n`);
    process.exitCode = error instanceof OperatorError ? error.exitCode : 1;
  }
}

function surroundings(signal: AbortSignal): Surroundings {
  return {
    say: (text) => process.stdout.write(`${text}\n`),
    progress: createProgress(),
    ask: (question) => ask(question, signal),
    now: Date.now,
    sleep: (ms) => sleep(ms),
    signal,
  };
}

const PROGRESS_EVERY_MS = 2000;

function createProgress(): (text: string) => void {
  let saidAt = Date.now();
  return (text) => {
    if (Date.now() - saidAt < PROGRESS_EVERY_MS) return;
    saidAt = Date.now();
    process.stderr.write(`${text}\n`);
  };
}

async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new OperatorError(`${question} There is nobody to ask: add --yes, or narrow it down.`, 2);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // A terminal that is being read keeps Ctrl-C to itself, and leaves the question open at Ctrl-D.
  terminal.once('SIGINT', () => process.emit('SIGINT'));
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `, { signal }), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
