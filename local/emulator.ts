import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort, { clearLockedPorts } from 'get-port';
import { ROOT } from '../infra/root.ts';
import { enforceIam } from './iam.ts';
import { isolatedEnvironment, LocalRunError, requireLoopback } from './isolation.ts';

export const USUAL_PORT = 4566;
const HOST = '127.0.0.1';
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 10_000;
const KEPT_CHUNKS = 200;
/** Runs a program until the shell's input ends, so that the emulator ends even when the run is killed. */
const END_WITH_INPUT = 'exec 3<&0; "$0" & program=$!; (cat <&3 >/dev/null; kill $program) & wait $program';

export type Emulator = {
  endpoint: string;
  /** Whether it was running before, and keeps running. */
  isForeign: boolean;
  stop(): Promise<void>;
};

/**
 * Starts the emulator of AWS. If `AWS_ENDPOINT_URL` is set, the emulator at that address is used instead.
 *
 * @param folder for the files of the emulator
 * @param port must be free. `undefined`: 4566, or a free port if that is taken
 * @param onStep called with a line of text for the user
 * @param isIamEnforced needs TLS, so an emulator of the user's own is never used with it
 * @throws {LocalRunError} what is wrong, and how to fix it
 */
export async function startEmulator(
  folder: string,
  port: number | undefined,
  onStep: (text: string) => void,
  isIamEnforced = false,
): Promise<Emulator> {
  const given = process.env.AWS_ENDPOINT_URL;
  if (given && !isIamEnforced) {
    const endpoint = requireLoopback(given);
    onStep(`AWS_ENDPOINT_URL is set: using its emulator at ${endpoint}.`);
    return { endpoint, isForeign: true, stop: async () => {} };
  }
  const chosen = await choosePort(port, onStep);
  const settings = isIamEnforced ? enforceIam(folder) : {};
  const started = await startMiniStack(folder, chosen, settings);
  if (typeof started !== 'string') return started;
  const other = port === undefined ? await freePort(chosen) : chosen;
  if (other === chosen) throw new LocalRunError(started);
  // Another run took the port between our check and our start.
  onStep(`Port ${chosen} is taken: using ${other}.`);
  const restarted = await startMiniStack(folder, other, settings);
  if (typeof restarted === 'string') throw new LocalRunError(restarted);
  return restarted;
}

async function choosePort(wanted: number | undefined, onStep: (text: string) => void): Promise<number> {
  const free = await freePort(wanted ?? USUAL_PORT);
  if (free === (wanted ?? USUAL_PORT)) return free;
  if (wanted !== undefined) {
    throw new LocalRunError(`Port ${wanted} is taken. Choose another one with --port, or omit --port.`);
  }
  onStep(`Port ${USUAL_PORT} is taken: using ${free}.`);
  return free;
}

/** @returns the wanted port if it is free, otherwise any free port */
async function freePort(wanted: number): Promise<number> {
  // get-port keeps a port that it has named from being named again. Here the second question is whether it is free.
  clearLockedPorts();
  return getPort({ port: wanted, host: HOST });
}

/** @returns what went wrong, if it does not start */
async function startMiniStack(
  folder: string,
  port: number,
  settings: NodeJS.ProcessEnv,
): Promise<Emulator | string> {
  const program = join(ROOT, '.venv/bin/ministack');
  if (!existsSync(program)) {
    throw new LocalRunError('MiniStack is not installed. Run `npm start` or `npm test`, which install it.');
  }
  const endpoint = `${settings.USE_SSL ? 'https' : 'http'}://${HOST}:${port}`;
  const own = join(folder, 'ministack');
  mkdirSync(own, { recursive: true });
  const edition = randomUUID();
  const child = spawn('sh', ['-c', END_WITH_INPUT, program], {
    env: {
      ...isolatedEnvironment(endpoint, own),
      GATEWAY_PORT: String(port),
      BIND_HOST: HOST,
      MINISTACK_HOST: 'localhost',
      // The functions inherit this. Node warns about MiniStack's own code in them, and the first line of a
      // warning ends what MiniStack collects of an invocation: see late-lines.ts.
      NODE_OPTIONS: '--no-deprecation',
      // Its health endpoint returns this, so that another MiniStack on the port is not mistaken for ours.
      MINISTACK_EDITION: edition,
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
  if (await isReady(child, endpoint, edition))
    return { endpoint, isForeign: false, stop: () => stopChild(child) };
  await stopChild(child);
  return `MiniStack did not start. Its output:\n${output.join('').slice(-2000) || '(nothing)'}`;
}

async function isReady(child: ChildProcess, endpoint: string, edition: string): Promise<boolean> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const health = await fetch(`${endpoint}/_ministack/health`)
      .then((response) => response.json() as Promise<{ edition?: string }>)
      .catch(() => undefined);
    if (health?.edition === edition) return true;
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
