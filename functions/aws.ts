import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { environmentCredentials } from './aws/credentials.ts';
import { ATTEMPTS, TIME_LIMITS } from './aws/limits.ts';
import { createSecretReader, type SecretReader } from './secrets.ts';

// The worker and the cleanup change and delete messages too. What a CRM waits for has the smaller clients in aws/.
const CLIENT_SETTINGS = {
  maxAttempts: ATTEMPTS,
  requestHandler: TIME_LIMITS,
  credentials: environmentCredentials,
};

export const sqs = new SQSClient(CLIENT_SETTINGS);

const secretsManager = new SecretsManagerClient(CLIENT_SETTINGS);

/** Reads secrets from Secrets Manager by name or ARN. */
export const secrets: SecretReader = createSecretReader(
  (id) => secretsManager.send(new GetSecretValueCommand({ SecretId: id })),
  Date.now,
);
