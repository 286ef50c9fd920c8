import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createSecretReader, type SecretReader } from './secrets.ts';

// A CRM waits five seconds: one second to connect, two for an answer to begin, two for it to go on, two
// attempts. Without `throwOnRequestTimeout` the SDK only warns when an answer is late.
const PATIENCE = {
  maxAttempts: 2,
  requestHandler: {
    connectionTimeout: 1000,
    requestTimeout: 2000,
    throwOnRequestTimeout: true,
    socketTimeout: 2000,
  },
};

export const sqs = new SQSClient(PATIENCE);

const secretsManager = new SecretsManagerClient(PATIENCE);

/** Secrets Manager, by name or ARN. */
export const secrets: SecretReader = createSecretReader(
  (id) => secretsManager.send(new GetSecretValueCommand({ SecretId: id })),
  Date.now,
);
