import { ArnFormat, RemovalPolicy, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { VerifySettings } from '../functions/schemes/scheme.ts';
import { needsSecret } from './config/preset.ts';
import type { Initial } from './initial-secret.ts';

/** A secret as the stack knows it: for its grants, for the functions that read it, and for who fills it. */
export type StackSecret = {
  /** Name or ARN, a literal: it is embedded in the bundles. */
  id: string;
  /** Of the user's own: its ARN or ARN pattern, and the key that protects it where that is one of theirs. */
  existing?: { id: string; arn: string; key?: { arn: string; viaService: string } };
  /** What belongs in it, where the stack cannot make it up. */
  toFill?: string;
};

const GENERATED_LENGTH = 48;

/**
 * A secret of the stack's own, kept when the stack goes.
 *
 * @param name ends in `/secret`: a name that ends in a hyphen and six characters confuses Secrets Manager
 */
export function createSecret(scope: Construct, id: string, name: string, initial: Initial): StackSecret {
  const secret = new Secret(scope, id, {
    secretName: name,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ...('waiting' in initial
      ? { secretStringValue: SecretValue.unsafePlainText(initial.waiting) }
      : {
          generateSecretString: {
            secretStringTemplate: initial.template,
            generateStringKey: initial.key,
            excludePunctuation: true,
            passwordLength: GENERATED_LENGTH,
          },
        }),
  });
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions-SMG4',
    reason: 'The CRM and PolyAI issue these values; nobody but their administrators can rotate them.',
  });
  return { id: name, ...('waiting' in initial && { toFill: initial.waiting }) };
}

/**
 * What belongs in a project's secret, for whoever fills it: the keys of look-ups and of a cleanup only where the
 * project has them. The secret itself starts with `PROJECT_WAITS` all the same, because that is frozen.
 *
 * @param waits what the secret starts with, as JSON
 * @returns the object to fill in
 */
export function projectShape(
  waits: string,
  needs: { lookUp: boolean; cleanup: boolean },
): Record<string, string> {
  return {
    ...JSON.parse(waits),
    ...(needs.lookUp && { handoffApiKey: '' }),
    ...(needs.cleanup && { conversationsApiKey: '' }),
  };
}

/** The connections that have a secret. */
export function provenBySecret<T extends { verify: VerifySettings }>(
  connections: Record<string, T>,
): Record<string, T> {
  return Object.fromEntries(Object.entries(connections).filter(([, { verify }]) => needsSecret(verify)));
}

type Own = { existingSecret?: string; existingSecretKey?: string };

/**
 * The secrets of all projects or all connections, by their names: imported where the configuration names one
 * (each once, however many connections share it), created where it does not.
 */
export function secretsOf<T extends Own>(
  scope: Construct,
  owners: Record<string, T>,
  create: (name: string, owner: T) => StackSecret,
): Map<string, StackSecret> {
  const imported = new Map<string, StackSecret>();
  return new Map(
    Object.entries(owners).map(([name, owner]) => {
      if (!owner.existingSecret) return [name, create(name, owner)];
      const secret =
        imported.get(owner.existingSecret) ??
        importSecret(scope, owner.existingSecret, owner.existingSecretKey);
      imported.set(owner.existingSecret, secret);
      return [name, secret];
    }),
  );
}

/** A secret of the user's own, by name or full ARN, with the KMS key that protects it where there is one. */
function importSecret(scope: Construct, id: string, keyArn: string | undefined): StackSecret {
  const { region, urlSuffix } = Stack.of(scope);
  const key = keyArn && { arn: keyArn, viaService: `secretsmanager.${region}.${urlSuffix}` };
  const arn = id.startsWith('arn:') ? id : arnPattern(scope, id);
  return { id, existing: { id, arn, ...(key && { key }) } };
}

/** How many secrets are named one by one; more are read by the pattern of their kind. */
const MAX_LISTED = 20;

/**
 * ARN patterns of the secrets that the stack makes: one for the whole kind, or one each where a function reads
 * only some.
 *
 * @param kind the part of the names that says whose they are
 * @param read the secrets to be read, of `all` of this kind
 */
export function ownPatterns(
  scope: Construct,
  kind: 'polyai' | 'connections',
  read: StackSecret[],
  all: StackSecret[],
): string[] {
  const isOwn = ({ existing }: StackSecret) => !existing;
  const own = read.filter(isOwn);
  if (own.length === 0) return [];
  const isListed = own.length < all.filter(isOwn).length && own.length <= MAX_LISTED;
  if (isListed) return own.map(({ id }) => arnPattern(scope, id));
  return [arnPattern(scope, `${Stack.of(scope).stackName}/${kind}/*/secret`)];
}

/** Secrets Manager ends an ARN in a hyphen and six characters that nobody knows before. */
function arnPattern(scope: Construct, name: string): string {
  const parts = { service: 'secretsmanager', resource: 'secret', resourceName: `${name}-??????` };
  return Stack.of(scope).formatArn({ ...parts, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}
