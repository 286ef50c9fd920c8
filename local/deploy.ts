import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../infra/root.ts';
import { bridgeIam } from './iam.ts';
import { isolatedEnvironment, LOCAL_ENVIRONMENT, LocalRunError } from './isolation.ts';

export type Outputs = {
  /** There only with connections that have an address. */
  WebhooksUrl?: string;
  OutcomesLogGroup: string;
  CloseQueueUrl: string;
  DeadLetterQueueUrl: string;
  SecretsToFill: string;
  EventsDeadLetterQueueUrl?: string;
};

/**
 * Deploys the very stack that goes to AWS, by the CDK's own command line.
 *
 * @param folder for what the CDK writes
 * @param configuration path of a connections.json
 * @throws {LocalRunError} with what a failed step printed
 */
export async function deploy(
  endpoint: string,
  folder: string,
  stackName: string,
  configuration: string,
  signal?: AbortSignal,
  isIamEnforced = false,
): Promise<Outputs> {
  // The CDK has an agent of its own, which trusts what this names.
  const trust = isIamEnforced ? { AWS_CA_BUNDLE: process.env.NODE_EXTRA_CA_CERTS } : {};
  const env = { ...isolatedEnvironment(endpoint, folder), ...trust };
  const assembly = join(folder, 'cdk.out');
  const outputs = join(folder, 'outputs.json');
  const context = ['-c', `stack=${stackName}`, '-c', `connections=${configuration}`];
  await together(signal, (either) => [
    // Outside the project, so that it bootstraps without asking the app.
    cdk(['bootstrap', LOCAL_ENVIRONMENT], { cwd: folder, env, signal: either }),
    cdk(['synth', '--quiet', '--output', assembly, ...context], { cwd: ROOT, env, signal: either }),
  ]);
  // Before the first deployment: a changed template of the same name is not uploaded again.
  if (isIamEnforced) bridgeIam(join(assembly, `${stackName}.template.json`));
  const options = ['--app', assembly, '--require-approval', 'never', '--outputs-file', outputs];
  await cdk(['deploy', stackName, ...options], { cwd: folder, env, signal });
  return JSON.parse(readFileSync(outputs, 'utf8'))[stackName];
}

/** Takes the stack away again, from an emulator that stays. */
export async function destroy(endpoint: string, folder: string, stackName: string): Promise<void> {
  const env = isolatedEnvironment(endpoint, folder);
  const args = ['destroy', stackName, '--app', join(folder, 'cdk.out'), '--force'];
  await cdk(args, { cwd: folder, env, signal: undefined });
}

/** Waits for all; when one fails the others are ended first. @throws what the first failure was */
async function together(
  outer: AbortSignal | undefined,
  begin: (signal: AbortSignal) => Promise<void>[],
): Promise<void> {
  const failed = new AbortController();
  const steps = begin(outer ? AbortSignal.any([outer, failed.signal]) : failed.signal);
  let first: { error: unknown } | undefined;
  const settled = steps.map((step) =>
    step.catch((error) => {
      first ??= { error };
      failed.abort();
    }),
  );
  await Promise.all(settled);
  if (first) throw first.error;
}

type CdkOptions = { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal | undefined };

async function cdk(args: string[], { cwd, env, signal }: CdkOptions): Promise<void> {
  const child = spawn(join(ROOT, 'node_modules/.bin/cdk'), [...args, '--no-notices', '--ci'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      printed += chunk;
    });
  }
  // An aborted child says so at once, and may still write for a moment.
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (failure) throw failure;
  if (code !== 0) throw new LocalRunError(`cdk ${args[0]} failed. It said:\n${printed.slice(-4000)}`);
}
