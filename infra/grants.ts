import { Stack, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { groupExisting } from './config/policy-size.ts';
import type { StackSecret } from './secrets.ts';

// The CDK's own grants allow actions that no function uses, so every statement is written here.

/** Allows sending messages to a queue, also in batches: SendMessageBatch needs the same action. */
export function sendTo(queue: IQueue): PolicyStatement {
  return new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] });
}

/**
 * Allows what Lambda needs to feed a function from a queue.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export function consume(queue: IQueue): PolicyStatement {
  const actions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
  return new PolicyStatement({ actions, resources: [queue.queueArn] });
}

/** Allows changing when a message is tried again. */
export function postpone(queue: IQueue): PolicyStatement {
  return new PolicyStatement({ actions: ['sqs:ChangeMessageVisibility'], resources: [queue.queueArn] });
}

/**
 * Lets a role read secrets. The stack's own secrets match one pattern. The user's own are named one by one, in as many
 * policies as they need.
 *
 * @param ownPatterns ARN patterns of the stack's own secrets
 */
export function readSecrets(role: Role, ownPatterns: string[], existing: StackSecret['existing'][]): void {
  if (ownPatterns.length > 0) role.addToPolicy(getSecretValue(ownPatterns));
  for (const pattern of ownPatterns) acknowledgeWildcard(role, pattern);
  const named = existing.filter((each) => each !== undefined);
  for (const [index, group] of groupExisting(named).entries()) {
    const statements = [getSecretValue(group.map(({ arn }) => arn)), ...decrypt(group)];
    if (index === 0) for (const statement of statements) role.addToPolicy(statement);
    else new ManagedPolicy(role, `ExistingSecrets${index}`, { roles: [role], statements });
  }
}

type Existing = NonNullable<StackSecret['existing']>;

function getSecretValue(resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources });
}

/**
 * Allows decrypting these secrets with the user's keys, and only through Secrets Manager: such a key may protect more.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 */
function decrypt(secrets: Existing[]): PolicyStatement[] {
  const byKey = Map.groupBy(
    secrets.filter(({ key }) => key),
    ({ key }) => key?.arn,
  );
  return [...byKey.values()].map(
    (ofKey) =>
      new PolicyStatement({
        actions: ['kms:Decrypt'],
        resources: [ofKey[0]?.key?.arn ?? ''],
        conditions: {
          StringEquals: { 'kms:ViaService': ofKey[0]?.key?.viaService },
          StringLike: { 'kms:EncryptionContext:SecretARN': ofKey.map(({ arn }) => arn) },
        },
      }),
  );
}

function acknowledgeWildcard(role: Role, pattern: string): void {
  const resolved = Stack.of(role).resolve(pattern);
  const parts: (string | { Ref: string })[] =
    typeof resolved === 'string' ? [resolved] : resolved['Fn::Join'][1];
  // cdk-nag writes a reference in angle brackets.
  const written = parts.map((part) => (typeof part === 'string' ? part : `<${part.Ref}>`)).join('');
  Validations.of(role).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${written}]`,
    reason:
      'All secrets below this prefix are the stack’s own of one kind. Naming each would outgrow the policy.',
  });
}
