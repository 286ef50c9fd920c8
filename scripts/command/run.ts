import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ParseArgsOptionsConfig } from 'node:util';
import { explain, OperatorError } from '../../operate/error.ts';
import { findOutputs, type StackOutputs } from '../../operate/outputs.ts';
import type { Surroundings } from '../../operate/surroundings.ts';
import { type Command, readOptions } from './options.ts';

/** The shell's own exit code for Ctrl-C. */
const INTERRUPTED = 130;

/**
 * Runs a command on a deployed stack and sets the exit code: 0 done, 1 not everything was done, 2 usage error, 130
 * stopped with Ctrl-C.
 *
 * @param act returns whether everything was done
 */
export async function runCommand<Flags extends ParseArgsOptionsConfig, Options extends object>(
  command: Command<Flags, Options>,
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
    const isDone = await act(options, outputs, createSurroundings(stopped.signal));
    process.exitCode = stopped.signal.aborted ? INTERRUPTED : isDone ? 0 : 1;
  } catch (error) {
    const text = explain(error);
    if (text === undefined) throw error;
    process.stderr.write(`${text}\n`);
    process.exitCode = error instanceof OperatorError ? error.exitCode : 1;
  }
}

function createSurroundings(signal: AbortSignal): Surroundings {
  return {
    print: (text) => process.stdout.write(`${text}\n`),
    progress: createProgress(),
    ask: (question) => ask(question, signal),
    now: Date.now,
    sleep: (ms) => sleep(ms),
    signal,
  };
}

const PROGRESS_EVERY_MS = 2000;

function createProgress(): (text: string) => void {
  let shownAt = Date.now();
  return (text) => {
    if (Date.now() - shownAt < PROGRESS_EVERY_MS) return;
    shownAt = Date.now();
    process.stderr.write(`${text}\n`);
  };
}

async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new OperatorError(
      `${question} Cannot ask for confirmation without a terminal. Add --yes, or narrow the selection.`,
      2,
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // While readline reads the terminal, Ctrl-C sends no signal, and Ctrl-D leaves the question open.
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
