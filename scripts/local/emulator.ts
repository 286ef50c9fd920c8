import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../infra/bundle.ts';
import { isolatedEnvironment, LocalRunError, requireLoopback } from './isolation.ts';

export const USUAL_PORT = 4566;
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 10_000;
/** Runs a program until the shell's input ends, so that even a killed run takes its emulator with it. */
const END_WITH_INPUT = 'exec 3<&0; "$0" & program=$!; (cat <&3 >/dev/null; kill $program) & wait $program';

export type Emulator = {
  endpoint: string;
  /** Whether it was there before, and stays. */
  isForeign: boolean;
  stop(): Promise<void>;
};

/**
 * The emulator of AWS: the one at `AWS_ENDPOINT_URL` where that is set, otherwise a MiniStack of our own.
 *
 * @param port asked for; it must be free then. Without it the usual port, or a free one
 * @throws {LocalRunError} what is wrong, and the mend
 */
export async function startEmulator(
  folder: string,
  port: number | undefined,
  say: (text: string) => void,
): Promise<Emulator> {
  const given = process.env.AWS_ENDPOINT_URL;
  if (given) {
    say(`AWS_ENDPOINT_URL is set: its emulator at ${requireLoopback(given)} serves.`);
    return { endpoint: requireLoopback(given), isForeign: true, stop: async () => {} };
  }
  const free = await choosePort(port, say);
  return startMiniStack(folder, free);
}

async function choosePort(asked: number | undefined, say: (text: string) => void): Promise<number> {
  if (await isFree(asked ?? USUAL_PORT)) return asked ?? USUAL_PORT;
  if (asked !== undefined) {
    throw new LocalRunError(`Port ${asked} is taken. Give another with --port, or leave --port out.`);
  }
  const free = await findFreePort();
  say(`Port ${USUAL_PORT} is taken: using ${free}.`);
  return free;
}

async function startMiniStack(folder: string, port: number): Promise<Emulator> {
  const program = join(ROOT, '.venv/bin/ministack');
  if (!existsSync(program)) {
    throw new LocalRunError(
      'MiniStack is not installed. Run this by `npm start` or `npm test`, which install it.',
    );
  }
  const endpoint = `http://127.0.0.1:${port}`;
  const own = join(folder, 'ministack');
  mkdirSync(own, { recursive: true });
  const child = spawn('sh', ['-c', END_WITH_INPUT, program], {
    env: {
      ...isolatedEnvironment(endpoint, own),
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: 'localhost',
    },
    cwd: own,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => output.splice(0, output.length - 200, String(chunk)));
  await waitUntilReady(child, endpoint, output);
  return { endpoint, isForeign: false, stop: () => stopChild(child) };
}

async function waitUntilReady(child: ChildProcess, endpoint: string, output: string[]): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const health = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
    if (health?.ok) return;
    await sleep(100);
  }
  await stopChild(child);
  throw new LocalRunError(
    `MiniStack did not start. It said:\n${output.join('').slice(-2000) || '(nothing)'}`,
  );
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  const isStopped = await Promise.race([
    exited.then(() => true),
    sleep(STOPPED_WITHIN_MS, false, { ref: false }),
  ]);
  if (!isStopped && child.pid) {
    process.kill(-child.pid, 'SIGKILL');
    await exited;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
