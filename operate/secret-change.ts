import { randomBytes } from 'node:crypto';
import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { secretContent } from '../functions/schemes/index.ts';
import type { SecretContent } from '../functions/schemes/scheme.ts';
import { parseSecret, SecretNotReady } from '../functions/secrets.ts';
import { suggest } from '../infra/config/fault.ts';
import type { ConnectionConfiguration } from '../infra/config/load.ts';
import { initialSecret } from '../infra/initial-secret.ts';
import type { Aws } from './aws.ts';
import type { Deployment } from './deployment.ts';
import { OperatorError } from './error.ts';
import { type SecretState, shapeOf } from './secret-state.ts';

/** A secret by its owner. */
export type SecretOwner = Pick<SecretState, 'kind' | 'owner' | 'name'>;

type Secret = Record<string, unknown>;
type Parts = Pick<Aws, 'secretsManager'>;

const USED_WRONGLY = 2;

/**
 * Finds the secret of a project or connection.
 *
 * @param text its name; `project/NAME` or `connection/NAME` where both have the same one
 * @throws {OperatorError} used wrongly: no secret has that owner, or two have
 */
export function findSecret(text: string, { secrets, configuration, stack }: Deployment): SecretOwner {
  const [, kind, owner = ''] = /^(?:(project|connection)\/)?(.+)$/.exec(text) ?? [];
  const found = [
    ...(kind === 'connection' ? [] : ownersOf('polyai', owner, secrets.polyai)),
    ...(kind === 'project' ? [] : ownersOf('connections', owner, secrets.connections)),
  ];
  const [first] = found;
  if (first && found.length === 1) return first;
  if (first) {
    throw new OperatorError(
      `${owner} is a project and a connection. Write project/${owner} or connection/${owner}.`,
      USED_WRONGLY,
    );
  }
  if (
    kind !== 'project' &&
    !Object.hasOwn(secrets.connections, owner) &&
    Object.hasOwn(configuration.connections, owner)
  ) {
    throw new OperatorError(`The connection ${owner} needs no secret.`, USED_WRONGLY);
  }
  const known = [...Object.keys(secrets.polyai), ...Object.keys(secrets.connections)];
  throw new OperatorError(
    `${JSON.stringify(owner)} is neither a project nor a connection of the stack ${stack}. ${suggest(owner, known)}`,
    USED_WRONGLY,
  );
}

function ownersOf(kind: SecretOwner['kind'], owner: string, names: Record<string, string>): SecretOwner[] {
  const name = Object.hasOwn(names, owner) ? names[owner] : undefined;
  return name === undefined ? [] : [{ kind, owner, name }];
}

/** The fields that a secret takes, the needed ones first. */
export function fieldsOf(
  { kind, owner }: SecretOwner,
  { configuration }: Deployment,
): { needed: string[]; optional: string[] } {
  if (kind === 'polyai')
    return { needed: ['apiKey', 'token'], optional: ['conversationsApiKey', 'handoffApiKey'] };
  const content = contentOf(owner, configuration.connections[owner]);
  return { needed: content.field === 'password' ? ['username', 'password'] : [content.field], optional: [] };
}

/** Whether the stack generated a connection's secret; else the CRM or PolyAI issued it. */
export function isGenerated({ kind, owner }: SecretOwner, { configuration }: Deployment): boolean {
  const connection = configuration.connections[owner];
  if (kind === 'polyai' || !connection || connection.existingSecret) return false;
  return 'template' in initialSecret(connection.crm, connection.verify);
}

function contentOf(owner: string, connection: ConnectionConfiguration | undefined): SecretContent {
  const content = connection ? secretContent(connection.verify.scheme) : 'none';
  if (content !== 'none') return content;
  throw new OperatorError(
    `The secret of ${owner} belongs to the stack itself. A deployment makes it.`,
    USED_WRONGLY,
  );
}

/**
 * Makes a secret of what somebody typed or piped in: a JSON object, or the bare value where the secret has one field.
 *
 * @throws {OperatorError} used wrongly: the text is empty, or a bare value is not enough
 */
export function secretOf(text: string, secret: SecretOwner, deployment: Deployment): Secret {
  const plain = text.replace(/^\ufeff/, '').trim();
  if (plain === '')
    throw new OperatorError(
      'The value is empty. Pipe it in, or run the command on a terminal.',
      USED_WRONGLY,
    );
  const object = objectOf(plain);
  if (object) return object;
  const { needed } = fieldsOf(secret, deployment);
  if (secret.kind === 'polyai') {
    throw new OperatorError(
      `The secret of a project has several fields. Pipe in JSON: {"apiKey": "…", "token": "…"}.`,
      USED_WRONGLY,
    );
  }
  return needed.length === 1 ? { [needed[0] ?? '']: plain } : { username: 'webhook', password: plain };
}

function objectOf(text: string): Secret | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Stores a secret, after it was checked as the function that uses it would.
 *
 * @throws {OperatorError} used wrongly, with the field and the fix and never the value
 */
export async function storeSecret(
  owner: SecretOwner,
  secret: Secret,
  deployment: Deployment,
  { secretsManager }: Parts,
): Promise<void> {
  const SecretString = JSON.stringify(secret);
  const shape = shapeOf(owner.kind, owner.owner, SecretString, deployment);
  if (shape !== 'ok') {
    throw new OperatorError(`Nothing was stored in the secret of ${owner.owner}: ${shape}.`, USED_WRONGLY);
  }
  await secretsManager
    .send(new PutSecretValueCommand({ SecretId: owner.name, SecretString }))
    .catch(missing(owner));
}

/** Reads a secret. @throws {OperatorError} when it does not exist, or is not a JSON object */
export async function readStored(owner: SecretOwner, { secretsManager }: Parts): Promise<Secret> {
  const { SecretString = '' } = await secretsManager
    .send(new GetSecretValueCommand({ SecretId: owner.name }))
    .catch(missing(owner));
  try {
    return parseSecret(SecretString);
  } catch (error) {
    if (!(error instanceof SecretNotReady)) throw error;
    throw new OperatorError(`The secret of ${owner.owner} cannot be used: ${error.message}.`);
  }
}

function missing({ name }: SecretOwner) {
  return (error: Error): never => {
    if (error.name === 'ResourceNotFoundException') {
      throw new OperatorError(`The secret ${name} does not exist. Deploy the stack again, or create it.`);
    }
    if (error.name === 'InvalidRequestException') {
      throw new OperatorError(
        `The secret ${name} is about to be deleted. Keep it: aws secretsmanager restore-secret --secret-id ${name}`,
      );
    }
    throw error;
  };
}

/**
 * The field of a connection's secret that may hold several values.
 *
 * @throws {OperatorError} used wrongly: a project's keys are single values
 */
export function rotatedField(owner: SecretOwner, deployment: Deployment): string {
  if (owner.kind === 'polyai') {
    throw new OperatorError(
      `PolyAI’s keys are single values, so a project has no rotation in two steps. Store the new ones: npx --no chat-closer secret set ${owner.owner}. They are used at once.`,
      USED_WRONGLY,
    );
  }
  return contentOf(owner.owner, deployment.configuration.connections[owner.owner]).field;
}

/** A secret with a new value before the old ones. Both are accepted until the rotation is finished. */
export function withNewValue(secret: Secret, field: string, value: unknown): Secret {
  const old = [secret[field]].flat().filter((each) => each !== '' && each !== undefined && each !== value);
  return { ...secret, [field]: [value, ...old] };
}

/** A secret with its newest value alone. @throws {OperatorError} when it has only one */
export function withNewestOnly(secret: Secret, field: string): Secret {
  const values = [secret[field]].flat();
  if (values.length > 1) return { ...secret, [field]: values[0] };
  throw new OperatorError('There is no rotation to finish: the secret has one value.');
}

/** A value as the stack generates it: 48 letters and digits. */
export function generatedValue(): string {
  return randomBytes(64)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 48);
}
