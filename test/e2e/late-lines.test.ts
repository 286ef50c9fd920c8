import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { isolatedEnvironment } from '../../local/isolation.ts';
import { temporaryFolder } from '../support/configuration.ts';

// Runs an emulator that always releases a function's lines only with its next invocation. MiniStack does so sometimes,
// when the machine is busy.

const MINUTE = 60_000;
const ALWAYS_LATE = `
import sys, time
from ministack.core import lambda_runtime

def late(self, *args, **kwargs):
    time.sleep(0.2)
    held, self.held = getattr(self, "held", ""), self._drain_stderr()
    return held

lambda_runtime.Worker._drain_stderr_bounded = late
from ministack.app import main
sys.argv = ["ministack"]
main()
`;

let emulator: ChildProcess;
let endpoint: string;

beforeAll(async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  endpoint = `http://127.0.0.1:${port}`;
  const folder = join(temporaryFolder(), 'ministack');
  mkdirSync(folder);
  emulator = spawn(join(ROOT, '.venv/bin/python'), ['-c', ALWAYS_LATE], {
    cwd: folder,
    env: {
      ...isolatedEnvironment(endpoint, folder),
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: 'localhost',
    },
    stdio: 'ignore',
  });
  const isUp = () =>
    fetch(`${endpoint}/_ministack/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isUp())) await new Promise((resolve) => setTimeout(resolve, 100));
}, MINUTE);

afterAll(async () => {
  const ended = once(emulator, 'exit');
  emulator.kill();
  await ended;
}, MINUTE);

it(
  'npm start shows the outcome even though the emulator holds every line back',
  async () => {
    const run = spawn(process.execPath, ['scripts/start.ts', '--once'], {
      cwd: ROOT,
      env: { ...process.env, AWS_ENDPOINT_URL: endpoint },
    });
    let output = '';
    for (const stream of [run.stdout, run.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const [code] = await once(run, 'close');
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Outcome: closed.') });
    expect(output).not.toContain('no line yet');
  },
  3 * MINUTE,
);
