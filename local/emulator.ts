import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../infra/root.ts';
import { enforceIam } from './iam.ts';
import { isolatedEnvironment, LocalRunError, requireLoopback } from './isolation.ts';

export const USUAL_PORT = 4566;
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 10_000;
const KEPT_CHUNKS = 200;
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
 * @param isIamEnforced over TLS; only a MiniStack of our own can do that
 * @throws {LocalRunError} what is wrong, and the mend
 */
export async function startEmulator(
  folder: string,
  port: number | undefined,
  say: (text: string) => void,
  isIamEnforced = false,
): Promise<Emulator> {
  const given = process.env.AWS_ENDPOINT_URL;
  if (given && !isIamEnforced) {
    say(`AWS_ENDPOINT_URL is set: its emulator at ${requireLoopback(given)} serves.`);
    return { endpoint: requireLoopback(given), isForeign: true, stop: async () => {} };
  }
  const chosen = await choosePort(port, say);
  const settings = isIamEnforced ? enforceIam(folder) : {};
  const started = await startMiniStack(folder, chosen, settings);
  if (typeof started !== 'string') return started;
  // Another run was quicker to take the port between our look and our start.
  if (port !== undefined || (await isFree(chosen))) throw new LocalRunError(started);
  const free = await findFreePort();
  say(`Port ${chosen} is taken: using ${free}.`);
  const restarted = await startMiniStack(folder, free, settings);
  if (typeof restarted === 'string') throw new LocalRunError(restarted);
  return restarted;
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

/** @returns what went wrong, where it does not start */
async function startMiniStack(
  folder: string,
  port: number,
  settings: NodeJS.ProcessEnv,
): Promise<Emulator | string> {
  const program = join(ROOT, '.venv/bin/ministack');
  if (!existsSync(program)) {
    throw new LocalRunError(
      'MiniStack is not installed. Run this by `npm start` or `npm test`, which install it.',
    );
  }
  const endpoint = `${settings.USE_SSL ? 'https' : 'http'}://127.0.0.1:${port}`;
  const own = join(folder, 'ministack');
  mkdirSync(own, { recursive: true });
  const mark = randomUUID();
  const child = spawn('sh', ['-c', END_WITH_INPUT, program], {
    env: {
      ...isolatedEnvironment(endpoint, own),
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: 'localhost',
      // The functions inherit it. MiniStack's own code in them is warned of by Node, and the first line of a
      // warning ends what MiniStack collects of an invocation: see late-lines.ts.
      NODE_OPTIONS: '--no-deprecation',
      // Its health answer gives this back, so that another one on the port is not taken for ours.
      MINISTACK_EDITION: mark,
      ...settings,
    },
    cwd: own,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output.push(String(chunk));
      if (output.length > KEPT_CHUNKS) output.shift();
    });
  }
  if (await isReady(child, endpoint, mark))
    return { endpoint, isForeign: false, stop: () => stopChild(child) };
  await stopChild(child);
  return `MiniStack did not start. It said:\n${output.join('').slice(-2000) || '(nothing)'}`;
}

async function isReady(child: ChildProcess, endpoint: string, mark: string): Promise<boolean> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const health = await fetch(`${endpoint}/_ministack/health`)
      .then((response) => response.json() as Promise<{ edition?: string }>)
      .catch(() => undefined);
    if (health?.edition === mark) return true;
    await sleep(100);
  }
  return false;
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
