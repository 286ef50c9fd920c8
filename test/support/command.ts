import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT } from '../../infra/root.ts';

export type Ended = { code: number | null; stdout: string; stderr: string };

type Given = { env?: NodeJS.ProcessEnv; input?: string };

/** Runs a command of the command line as a process without a terminal. */
export async function runCommand(
  args: readonly string[],
  { env = {}, input = '' }: Given = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['commands/chat-closer.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      ended[name] += chunk;
    });
  }
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { ...ended, code };
}
