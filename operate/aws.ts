import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { RETRYING } from './retrying.ts';

type Sender<Client extends { send: unknown }> = Pick<Client, 'send'>;

/** The clients of AWS that most commands need, with the SDK's ordinary credentials, region and endpoint. */
export type Aws = {
  cloudFormation: Pick<CloudFormationClient, 'send' | 'config'>;
  cloudWatch: Sender<CloudWatchClient>;
  lambda: Sender<LambdaClient>;
  logs: Sender<CloudWatchLogsClient>;
  secretsManager: Sender<SecretsManagerClient>;
  sqs: Sender<SQSClient>;
};

export function openAws(): Aws {
  return {
    cloudFormation: new CloudFormationClient(RETRYING),
    cloudWatch: new CloudWatchClient(RETRYING),
    lambda: new LambdaClient(RETRYING),
    logs: new CloudWatchLogsClient(RETRYING),
    secretsManager: new SecretsManagerClient(RETRYING),
    sqs: new SQSClient({ ...RETRYING, useQueueUrlAsEndpoint: false }),
  };
}
