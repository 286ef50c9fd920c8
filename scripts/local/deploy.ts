import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../infra/bundle.ts';
import { isolatedEnvironment, LOCAL_ENVIRONMENT, LocalRunError } from './isolation.ts';

export type Outputs = {
  WebhooksUrl: string;
  OutcomesLogGroup: string;
  CloseQueueUrl: string;
  DeadLetterQueueUrl: string;
  SecretsToFill: string;
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
): Promise<Outputs> {
  const env = isolatedEnvironment(endpoint, folder);
  const assembly = join(folder, 'cdk.out');
  const outputs = join(folder, 'outputs.json');
  const context = ['-c', `stack=${stackName}`, '-c', `connections=${configuration}`];
  await Promise.all([
    // Outside the project, so that it bootstraps without asking the app.
    cdk(['bootstrap', LOCAL_ENVIRONMENT], { cwd: folder, env, signal }),
    cdk(['synth', '--quiet', '--output', assembly, ...context], { cwd: ROOT, env, signal }),
  ]);
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
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new LocalRunError(`cdk ${args[0]} failed. It said:\n${printed.slice(-4000)}`);
}
