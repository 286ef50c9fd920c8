import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { readProjectKeys } from '../functions/polyai.ts';
import { SCHEMES, secretContent } from '../functions/schemes/index.ts';
import type { VerifySettings } from '../functions/schemes/scheme.ts';
import { parseSecret, SecretNotReady } from '../functions/secrets.ts';
import type { Aws } from './aws.ts';
import type { Deployment } from './deployment.ts';

/** A secret of the stack, as it is now. It never has the value. */
export type SecretState = {
  /** Its name or ARN in Secrets Manager. */
  name: string;
  /** `project support` or `connection zendesk-support`. */
  usedBy: string;
  kind: 'polyai' | 'connections';
  owner: string;
  filled: boolean;
  /** `ok`, or what is wrong with it and how to store it. */
  shape: string;
  /** ISO 8601, UTC. */
  changedAt?: string;
  /** Set when it is about to be deleted; ISO 8601, UTC. */
  deletedAt?: string;
};

/** The shape of a secret that exists and that these credentials may not read. */
export const NOT_READ = 'not checked: you may not read its value';

/** Reads the state of every secret of the stack. What cannot be read becomes a sentence in `shape`. */
export async function secretStates(
  deployment: Deployment,
  { secretsManager }: Pick<Aws, 'secretsManager'>,
): Promise<SecretState[]> {
  const { secrets } = deployment;
  const owners = [
    ...Object.entries(secrets.polyai).map(([owner, name]) => ({ kind: 'polyai' as const, owner, name })),
    ...Object.entries(secrets.connections).map(([owner, name]) => ({
      kind: 'connections' as const,
      owner,
      name,
    })),
  ];
  return Promise.all(owners.map((each) => secretState(each, deployment, secretsManager)));
}

type Owner = Pick<SecretState, 'kind' | 'owner' | 'name'>;

/** Reads the state of one secret. */
export async function secretState(
  owned: Owner,
  deployment: Deployment,
  secretsManager: Aws['secretsManager'],
): Promise<SecretState> {
  const { kind, owner, name } = owned;
  const own = { name, kind, owner, usedBy: `${kind === 'polyai' ? 'project' : 'connection'} ${owner}` };
  try {
    const described = await secretsManager.send(new DescribeSecretCommand({ SecretId: name }));
    const dates = {
      ...(described.LastChangedDate && { changedAt: described.LastChangedDate.toISOString() }),
      ...(described.DeletedDate && { deletedAt: described.DeletedDate.toISOString() }),
    };
    if (described.DeletedDate) return { ...own, ...dates, filled: false, shape: 'it is about to be deleted' };
    return { ...own, ...dates, ...(await valueState(owned, deployment, secretsManager)) };
  } catch (error) {
    return { ...own, filled: false, shape: `it cannot be read: ${(error as Error).name}` };
  }
}

/** What the value is like. Not everybody who may know of a secret may read it. */
async function valueState(
  { kind, owner, name }: Owner,
  deployment: Deployment,
  secretsManager: Aws['secretsManager'],
) {
  try {
    const { SecretString = '' } = await secretsManager.send(new GetSecretValueCommand({ SecretId: name }));
    return { filled: isFilled(SecretString), shape: shapeOf(kind, owner, SecretString, deployment) };
  } catch (error) {
    if (!/AccessDenied/.test((error as Error).name)) throw error;
    return { filled: true, shape: NOT_READ };
  }
}

/** `ok`, or what the function would say of the secret's text. */
export function shapeOf(
  kind: Owner['kind'],
  owner: string,
  text: string,
  { configuration }: Deployment,
): string {
  try {
    if (kind === 'polyai') readProjectKeys(text);
    else checkConnectionSecret(text, configuration.connections[owner]?.verify);
    return 'ok';
  } catch (error) {
    if (error instanceof SecretNotReady) return error.message;
    throw error;
  }
}

/**
 * Checks the secret of a connection as the receiver does.
 *
 * @throws {SecretNotReady} with the field and the fix, never the value
 */
function checkConnectionSecret(text: string, verify: VerifySettings | undefined): void {
  const secret = parseSecret(text);
  // The canary's connection is not in the configuration.
  if (!verify || verify.scheme === 'event-bus' || secretContent(verify.scheme) === 'none') return;
  SCHEMES[verify.scheme].readKeys(secret, verify as never);
}

/** Whether a secret holds anything, right or wrong. */
function isFilled(text: string): boolean {
  try {
    return Object.values(JSON.parse(text)).some((value) => value !== '' && value !== 'webhook');
  } catch {
    return text !== '';
  }
}
