import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpuTimeNs, peakMemory } from './cpu.ts';
import { startRuntimeApi } from './runtime-api.ts';

/** A function as Lambda would run it. */
export type Subject = {
  name: string;
  /** Has index.mjs, which exports `handler`. */
  folder: string;
  env: Record<string, string>;
  /** The next event; each is different, so that no replay memory answers it. */
  event: () => unknown;
  /** Whether an answer is the right one. */
  isRight: (answer: unknown) => boolean;
};

/** What Lambda sets for every function. */
const LAMBDA_ENVIRONMENT = {
  AWS_LAMBDA_FUNCTION_NAME: 'bench',
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
  AWS_LAMBDA_LOG_GROUP_NAME: 'bench',
  AWS_LAMBDA_LOG_STREAM_NAME: 'bench',
  _HANDLER: 'index.handler',
};

/** What a number of invocations took together. */
export type Spent = { cpuNs: number; wallMs: number };

/**
 * Starts a function under the runtime client.
 *
 * @param program the runtime client
 * @throws {Error} from `invoke`, when an answer is wrong
 */
export async function startLambda(program: string, { name, folder, env, event, isRight }: Subject) {
  const api = await startRuntimeApi();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [program], {
    cwd: folder,
    env: {
      PATH: '/usr/bin:/bin',
      AWS_LAMBDA_RUNTIME_API: api.address,
      ...LAMBDA_ENVIRONMENT,
      LAMBDA_TASK_ROOT: folder,
      ...env,
    },
    stdio: ['ignore', 'ignore', process.env.BENCH_STDERR ? 'inherit' : 'ignore'],
  });
  const pid = child.pid ?? 0;
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with ${code}`);
  });
  ended.catch(() => {});

  async function invokeOnce(): Promise<void> {
    const answer = await Promise.race([api.invoke(event()), ended]);
    if (!isRight(answer)) throw new Error(`${name} answered ${JSON.stringify(answer)}`);
  }

  return {
    /** From the start of the process to its first answer. Call it first, and once. */
    async first(): Promise<Spent> {
      await invokeOnce();
      return { cpuNs: cpuTimeNs(pid), wallMs: performance.now() - startedAt };
    },
    async invoke(count: number): Promise<Spent> {
      const [cpu, at] = [cpuTimeNs(pid), performance.now()];
      for (let index = 0; index < count; index += 1) await invokeOnce();
      return { cpuNs: cpuTimeNs(pid) - cpu, wallMs: performance.now() - at };
    },
    memory: () => peakMemory(pid),
    async stop(): Promise<void> {
      child.kill('SIGKILL');
      await ended.catch(() => {});
      api.close();
    },
  };
}

export type RunningLambda = Awaited<ReturnType<typeof startLambda>>;
