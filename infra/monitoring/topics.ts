import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Configuration } from '../config/load.ts';

/** Returns the topics that alarms are published to: the user's own, one for the e-mail address, both or none. */
export function createAlarmTopics(
  scope: Construct,
  { email, topicArn }: Configuration['stack']['alarms'],
): ITopic[] {
  return [
    ...(topicArn ? [Topic.fromTopicArn(scope, 'ExistingAlarmTopic', topicArn)] : []),
    ...(email ? [createTopic(scope, email)] : []),
  ];
}

/**
 * Creates an encrypted topic with its own key. With the key that AWS manages for SNS, such a topic accepts an alarm
 * and drops it.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
function createTopic(scope: Construct, email: string): Topic {
  const { account, stackName } = Stack.of(scope);
  const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': account } },
  });
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
  const topic = new Topic(scope, 'AlarmTopic', { masterKey, enforceSSL: true });
  topic.addToResourcePolicy(
    new PolicyStatement({ principals: [cloudWatch], actions: ['sns:Publish'], resources: [topic.topicArn] }),
  );
  topic.addSubscription(new EmailSubscription(email));
  return topic;
}
