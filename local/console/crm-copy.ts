import { GetSecretValueCommand, type GetSecretValueCommandOutput } from '@aws-sdk/client-secrets-manager';
import type { Aws } from '../../operate/aws.ts';

/**
 * A CRM has its own copy of its signing secret, so it can sign while Secrets Manager fails. This client answers from the
 * last value that it read, when it cannot read a secret.
 */
export function rememberSecrets(secretsManager: Aws['secretsManager']): Aws['secretsManager'] {
  const known = new Map<string | undefined, GetSecretValueCommandOutput>();
  const send = async (command: Parameters<Aws['secretsManager']['send']>[0]) => {
    if (!(command instanceof GetSecretValueCommand)) return secretsManager.send(command);
    const { SecretId } = command.input;
    try {
      const value = await secretsManager.send(command);
      known.set(SecretId, value);
      return value;
    } catch (error) {
      const value = known.get(SecretId);
      if (value) return value;
      throw error;
    }
  };
  return { send } as Aws['secretsManager'];
}
