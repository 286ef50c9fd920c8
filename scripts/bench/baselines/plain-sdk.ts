import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createReceiver } from './zendesk.ts';

// The usual way: the SDK's clients, bundled and minified, as a careful user ships them.

const secretsManager = new SecretsManagerClient({});
const sqs = new SQSClient({});

export const handler = createReceiver({
  async readSecret(SecretId) {
    const { SecretString = '' } = await secretsManager.send(new GetSecretValueCommand({ SecretId }));
    return SecretString;
  },
  async send(QueueUrl, MessageBody) {
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: '0', MessageBody }] }));
  },
});
