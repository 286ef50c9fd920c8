import { createCall } from './call.ts';
import { secretsManagerEndpoint } from './endpoint.ts';

const call = createCall({ name: 'secretsmanager', target: 'secretsmanager', jsonVersion: '1.1' });

/**
 * Reads the current value of a secret.
 *
 * @param id name or ARN
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export async function getSecretValue(id: string): Promise<{ SecretString?: string }> {
  return call('GetSecretValue', { SecretId: id }, secretsManagerEndpoint(process.env));
}
