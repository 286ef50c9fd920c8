import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Configuration } from '../config/load.ts';
import { encryptionKey } from '../encryption.ts';

/** Returns the topics that alarms are published to: the user's own, one for the e-mail address, both or none. */
export function createAlarmTopics(
  scope: Construct,
  { alarms: { email, topicArn }, encryptionKey: own }: Configuration['stack'],
): ITopic[] {
  return [
    ...(topicArn ? [Topic.fromTopicArn(scope, 'ExistingAlarmTopic', topicArn)] : []),
    ...(email ? [createTopic(scope, email, encryptionKey(scope, own ? { encryptionKey: own } : {}))] : []),
  ];
}

/**
 * Creates an encrypted topic with its own key. With the key that AWS manages for SNS, such a topic accepts an alarm
 * and drops it.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
function createTopic(scope: Construct, email: string, own: IKey | undefined): Topic {
  const { account, stackName } = Stack.of(scope);
  const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': account } },
  });
  const masterKey = own ?? createKey(scope, stackName, cloudWatch);
  const topic = new Topic(scope, 'AlarmTopic', { masterKey, enforceSSL: true });
  topic.addToResourcePolicy(
    new PolicyStatement({ principals: [cloudWatch], actions: ['sns:Publish'], resources: [topic.topicArn] }),
  );
  topic.addSubscription(new EmailSubscription(email));
  return topic;
}

/** A user's own key must allow the same: docs/compliance.md has the statement. */
function createKey(scope: Construct, stackName: string, cloudWatch: ServicePrincipal): Key {
  const masterKey = new Key(scope, 'AlarmKey', {
    description: `Encrypts the alarms of ${stackName}`,
    enableKeyRotation: true,
  });
  masterKey.addToResourcePolicy(
    new PolicyStatement({
      principals: [cloudWatch],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
    }),
  );
  return masterKey;
}
