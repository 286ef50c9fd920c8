import { randomUUID } from 'node:crypto';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import {
  type ListAnswer,
  listConversations,
  type PageQuery,
  readListKey,
} from '../functions/cleanup/conversations.ts';
import { WalkStopped, walkPages, windowsBetween } from '../functions/cleanup/walk.ts';
import type { CleanupProject } from '../functions/connections.ts';
import { SecretNotReady } from '../functions/secrets.ts';
import type { ProjectConfiguration } from '../infra/config/load.ts';
import { embedCleanup } from '../infra/embed.ts';
import type { Aws } from './aws.ts';
import type { Deployment } from './deployment.ts';
import { OperatorError } from './error.ts';
import type { Span } from './lines.ts';
import { requireName } from './project.ts';
import type { Surroundings } from './surroundings.ts';

const TIME_MS = 120_000;

type Parts = Pick<Aws, 'secretsManager'> & Pick<Surroundings, 'now' | 'progress' | 'sleep'>;

/**
 * Reads PolyAI's list of the chats that are in progress and began in a span. The list lags behind: a chat that was
 * just closed may still be in it.
 *
 * @param name the project's name in the configuration
 * @returns the chats as PolyAI sends them, unvalidated
 * @throws {OperatorError} when the secret is not ready, or PolyAI does not give the list
 */
export async function listOpenChats(
  name: string,
  deployment: Deployment,
  span: Span,
  parts: Parts,
): Promise<unknown[]> {
  const project = listedProject(name, deployment);
  const apiKey = await readKey(name, deployment, parts);
  const requestId = randomUUID();
  const list = (query: PageQuery, timeoutMs: number): Promise<ListAnswer> =>
    listConversations({ project, apiKey, requestId, fetch, timeoutMs }, query);
  const chats: unknown[] = [];
  try {
    const walk = { ...parts, list, stopAt: parts.now() + TIME_MS, random: Math.random };
    for await (const page of walkPages(walk, windowsBetween(span.from, span.to))) {
      chats.push(...page);
      parts.progress(`Reading the open chats of ${name}: ${chats.length}`);
    }
  } catch (error) {
    if (!(error instanceof WalkStopped)) throw error;
    throw new OperatorError(`PolyAI did not give the open chats of ${name}: ${error.message}.`);
  }
  return chats;
}

/** Nothing may be closed: for a project without a cleanup. */
const NO_CLEANUP = { idleForMs: 0, lookbackMs: 0, channels: [], maxCloses: 0, dryRun: true, periodMs: 0 };

/**
 * A deployed project in the form that the list and the rules of a cleanup need. Without a cleanup of its own, its rules
 * close nothing.
 *
 * @throws {OperatorError} when the stack has no such project
 */
export function listedProject(name: string, deployment: Deployment): CleanupProject {
  requireName('projects', name, deployment);
  const { configuration, secrets } = deployment;
  const { region, baseUrl, version, accountId, projectId, clientEnv, cleanup } = configuration.projects[
    name
  ] as ProjectConfiguration;
  return {
    region,
    baseUrl,
    version,
    accountId,
    projectId,
    clientEnv,
    secretId: secrets.polyai[name] ?? '',
    cleanup: cleanup ? embedCleanup(cleanup) : NO_CLEANUP,
  };
}

async function readKey(name: string, { secrets }: Deployment, { secretsManager }: Parts): Promise<string> {
  const { SecretString = '' } = await secretsManager.send(
    new GetSecretValueCommand({ SecretId: secrets.polyai[name] }),
  );
  try {
    return readListKey(SecretString);
  } catch (error) {
    if (!(error instanceof SecretNotReady)) throw error;
    throw new OperatorError(`The secret of ${name} cannot be used: ${error.message}.`);
  }
}
