import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../infra/root.ts';
import { bridgeIam } from './iam.ts';
import { isolatedEnvironment, LOCAL_ENVIRONMENT, LocalRunError } from './isolation.ts';
import { removeRefused } from './refused-resources.ts';

export type Outputs = {
  /** Only present when a connection has an address. */
  WebhooksUrl?: string;
  OutcomesLogGroup: string;
  CloseQueueUrl: string;
  DeadLetterQueueUrl: string;
  SecretsToFill: string;
  EventsDeadLetterQueueUrl?: string;
};

/**
 * Deploys the same stack that goes to AWS, without what the emulator refuses, with the CDK's own command line.
 *
 * @param folder for the files that the CDK writes
 * @param configuration path of a connections.json
 * @throws {LocalRunError} with the output of a failed step
 */
export async function deploy(
  endpoint: string,
  folder: string,
  stackName: string,
  configuration: string,
  signal?: AbortSignal,
  isIamEnforced = false,
): Promise<Outputs> {
  // The CDK's HTTP agent trusts only the certificates that this variable names.
  const trust = isIamEnforced ? { AWS_CA_BUNDLE: process.env.NODE_EXTRA_CA_CERTS } : {};
  const env = { ...isolatedEnvironment(endpoint, folder), ...trust };
  const assembly = join(folder, 'cdk.out');
  const outputs = join(folder, 'outputs.json');
  const context = ['-c', `stack=${stackName}`, '-c', `connections=${configuration}`];
  await together(signal, (either) => [
    // Runs outside the project, so that bootstrap does not synthesise the app.
    cdk(['bootstrap', LOCAL_ENVIRONMENT], { cwd: folder, env, signal: either }),
    cdk(['synth', '--quiet', '--output', assembly, ...context], { cwd: ROOT, env, signal: either }),
  ]);
  // Must happen before the first deployment: a changed template of the same name is not uploaded again.
  const template = join(assembly, `${stackName}.template.json`);
  removeRefused(template);
  if (isIamEnforced) bridgeIam(template);
  const options = ['--app', assembly, '--require-approval', 'never', '--outputs-file', outputs];
  await cdk(['deploy', stackName, ...options], { cwd: folder, env, signal });
  return JSON.parse(readFileSync(outputs, 'utf8'))[stackName];
}

/** Deletes the stack from an emulator that keeps running. */
export async function destroy(endpoint: string, folder: string, stackName: string): Promise<void> {
  const env = isolatedEnvironment(endpoint, folder);
  const args = ['destroy', stackName, '--app', join(folder, 'cdk.out'), '--force'];
  await cdk(args, { cwd: folder, env, signal: undefined });
}

/** Waits for all steps. When one fails, the others are aborted first. @throws the first failure */
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
  // An aborted child emits its error at once but may write for a moment longer, so wait for its end.
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (failure) throw failure;
  if (code !== 0) throw new LocalRunError(`cdk ${args[0]} failed. Its output:\n${printed.slice(-4000)}`);
}
