import { ArnFormat, RemovalPolicy, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { VerifySettings } from '../functions/schemes/scheme.ts';
import { needsSecret } from './config/preset.ts';
import type { Initial } from './initial-secret.ts';

/** A secret as the stack uses it: in grants, in the functions that read it, and in the output for the person who fills it. */
export type StackSecret = {
  /** Name or ARN. It is a literal, because it is embedded in the bundles. */
  id: string;
  /** Set for the user's own secret: its ARN or ARN pattern, and the KMS key where the user has one. */
  existing?: { id: string; arn: string; key?: { arn: string; viaService: string } };
  /** The JSON to fill in, where the stack cannot generate the value. */
  toFill?: string;
};

const GENERATED_LENGTH = 48;

/**
 * Creates a secret of the stack.
 *
 * @param name must end in `/secret`: Secrets Manager mistakes a name that ends in a hyphen and six characters for
 *   part of an ARN
 * @param isKept whether it remains when it is removed from the stack, or the stack is deleted
 * @param key the user's own key; Secrets Manager's without it
 */
export function createSecret(
  scope: Construct,
  id: string,
  name: string,
  initial: Initial,
  { isKept = true, key }: { isKept?: boolean; key?: IKey | undefined } = {},
): StackSecret {
  const secret = new Secret(scope, id, {
    secretName: name,
    ...(key && { encryptionKey: key }),
    removalPolicy: isKept ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
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
 * The JSON that a project's secret must hold, for the person who fills it. It has the keys for look-ups and for a
 * cleanup only if the project uses them. The secret itself always starts with `PROJECT_WAITS`, which must not
 * change.
 *
 * @param waits the initial value of the secret, as JSON
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
 * The secrets of all projects or all connections, by the owners' names. A secret that the configuration names is
 * imported once, even if several connections share it. The others are created.
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

/** Imports the user's own secret by its name or full ARN, with the user's KMS key if there is one. */
function importSecret(scope: Construct, id: string, keyArn: string | undefined): StackSecret {
  const { region, urlSuffix } = Stack.of(scope);
  const key = keyArn && { arn: keyArn, viaService: `secretsmanager.${region}.${urlSuffix}` };
  const arn = id.startsWith('arn:') ? id : arnPattern(scope, id);
  return { id, existing: { id, arn, ...(key && { key }) } };
}

/** Above this number a policy grants the pattern of the whole kind, because it must not grow without limit. */
const MAX_LISTED = 20;

/**
 * ARN patterns of the secrets that the stack creates: one for the whole kind, or one for each secret where a
 * function reads only some of them.
 *
 * @param kind the part of the names that tells projects' secrets from connections' secrets
 * @param read the secrets that the function reads
 * @param all every secret of this kind
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

/** Secrets Manager appends a hyphen and six random characters to the name. */
function arnPattern(scope: Construct, name: string): string {
  const parts = { service: 'secretsmanager', resource: 'secret', resourceName: `${name}-??????` };
  return Stack.of(scope).formatArn({ ...parts, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}
