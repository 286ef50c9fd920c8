import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Configuration } from './config/load.ts';

const ID = 'ChatCloserEncryptionKey';
/** What calls the key for a function: its queues, its secrets and its environment. */
const SERVICES = ['sqs', 'secretsmanager', 'lambda'];

/** The user's own key for everything that the stack stores; `undefined` without `stack.encryptionKey`. */
export function encryptionKey(
  scope: Construct,
  { encryptionKey: arn }: Pick<Configuration['stack'], 'encryptionKey'>,
): IKey | undefined {
  if (!arn) return undefined;
  const stack = Stack.of(scope);
  return (stack.node.tryFindChild(ID) as IKey | undefined) ?? Key.fromKeyArn(stack, ID, arn);
}

/**
 * Allows a function what its queues, secrets and environment need of the key, and only through these services.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 */
export function useThrough(scope: Construct, key: IKey): PolicyStatement {
  const { region, urlSuffix } = Stack.of(scope);
  return new PolicyStatement({
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [key.keyArn],
    conditions: {
      StringEquals: { 'kms:ViaService': SERVICES.map((service) => `${service}.${region}.${urlSuffix}`) },
    },
  });
}
