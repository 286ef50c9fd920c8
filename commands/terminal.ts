import { setTimeout as sleep } from 'node:timers/promises';
import { confirm } from '@inquirer/prompts';
import { OperatorError } from '../operate/error.ts';
import type { Surroundings } from '../operate/surroundings.ts';

const FIRST_PROGRESS_MS = 1000;
const PROGRESS_EVERY_MS = 2000;

/**
 * The surroundings of a command on a terminal. Messages go to standard output, progress and questions to standard
 * error, so that output can be piped.
 *
 * @param isText `false` with `--json`: messages are left out, because the answer has everything
 */
export function createTerminal(isText: boolean, signal: AbortSignal): Surroundings {
  return {
    print: (text) => {
      if (isText) process.stdout.write(`${text}\n`);
    },
    progress: createProgress(process.stderr, Date.now),
    ask: (question) => ask(question, signal),
    now: Date.now,
    sleep: (ms) => sleep(ms, undefined, { signal }).catch(() => undefined),
    signal,
  };
}

/** Shows progress after one second, then every two. On a terminal each message replaces the one before. */
function createProgress(stream: NodeJS.WriteStream, now: () => number): (text: string) => void {
  let nextAt = now() + FIRST_PROGRESS_MS;
  return (text) => {
    if (now() < nextAt) return;
    nextAt = now() + PROGRESS_EVERY_MS;
    stream.write(stream.isTTY ? `\r\u001b[K${text.slice(0, (stream.columns || 80) - 1)}\r` : `${text}\n`);
  };
}

/** @returns `false` for every answer but yes, and for Ctrl-C */
async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new OperatorError(
      `${question} Cannot ask for confirmation without a terminal. Add --yes, or narrow the selection.`,
      2,
    );
  }
  try {
    return await confirm({ message: question, default: false }, { signal, output: process.stderr });
  } catch (error) {
    // Ctrl-C in a question reaches inquirer and not the process.
    if ((error as Error).name === 'ExitPromptError') process.emit('SIGINT');
    return false;
  }
}
