import { randomUUID } from 'node:crypto';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { Summary } from '../functions/cleanup/run-line.ts';
import { createCleanup } from '../functions/cleanup.lambda.ts';
import { createSecretReader } from '../functions/secrets.ts';
import type { Aws } from './aws.ts';
import type { Deployment } from './deployment.ts';
import { OperatorError } from './error.ts';
import { listedProject } from './open-chats.ts';
import type { Surroundings } from './surroundings.ts';

const TIME_MS = 15 * 60_000;

type Parts = Pick<Aws, 'lambda' | 'secretsManager'> & Pick<Surroundings, 'now' | 'sleep'>;

/**
 * Runs a project's cleanup now, as its schedule does.
 *
 * @returns the run's log line
 * @throws {OperatorError} when the project is unknown or has no cleanup, or the function failed
 */
export async function runCleanup(
  project: string,
  deployment: Deployment,
  { lambda }: Parts,
): Promise<Summary> {
  requireCleanup(project, deployment);
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({
      FunctionName: deployment.functions.cleanup,
      Payload: JSON.stringify({ project }),
    }),
  );
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString() || '{}');
  if (FunctionError === undefined) return answer;
  throw new OperatorError(
    `The cleanup of ${project} failed: ${answer.errorType ?? FunctionError}. See npx --no chat-closer status.`,
  );
}

/**
 * Finds out from here what a run would close now, with the code and the rules of the deployed cleanup. Nothing is
 * queued or logged.
 *
 * @returns what the run's log line would be
 * @throws {OperatorError} when the project is unknown or has no cleanup
 */
export async function tryCleanup(
  name: string,
  deployment: Deployment,
  { secretsManager, now, sleep }: Parts,
): Promise<Summary> {
  requireCleanup(name, deployment);
  const project = listedProject(name, deployment);
  const startedAt = now();
  const cleanup = createCleanup({
    projects: { [name]: { ...project, cleanup: { ...project.cleanup, dryRun: true } } },
    secrets: createSecretReader(
      (SecretId) => secretsManager.send(new GetSecretValueCommand({ SecretId })),
      now,
    ),
    queue: () => Promise.reject(new Error('a dry run queues nothing')),
    fetch,
    writeLine: () => {},
    now,
    sleep,
    random: Math.random,
  });
  return cleanup(
    { project: name },
    { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => TIME_MS - (now() - startedAt) },
  );
}

function requireCleanup(name: string, deployment: Deployment): void {
  listedProject(name, deployment);
  if (deployment.configuration.projects[name]?.cleanup) return;
  throw new OperatorError(
    `The project ${name} has no cleanup. Add one as docs/cleanup.md shows, and deploy.`,
    2,
  );
}
