import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createSecretReader, type SecretReader } from './secrets.ts';
import { SECOND_MS } from './time.ts';

// A CRM waits five seconds: one second to connect, two for an answer to begin, two for it to go on, two
// attempts. Without `throwOnRequestTimeout` the SDK only warns when an answer is late.
const CLIENT_SETTINGS = {
  maxAttempts: 2,
  requestHandler: {
    connectionTimeout: SECOND_MS,
    requestTimeout: 2 * SECOND_MS,
    throwOnRequestTimeout: true,
    socketTimeout: 2 * SECOND_MS,
  },
};

export const sqs = new SQSClient(CLIENT_SETTINGS);

const secretsManager = new SecretsManagerClient(CLIENT_SETTINGS);

/** Reads secrets from Secrets Manager by name or ARN. */
export const secrets: SecretReader = createSecretReader(
  (id) => secretsManager.send(new GetSecretValueCommand({ SecretId: id })),
  Date.now,
);
