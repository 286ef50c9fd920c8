/** Credentials of AWS, as the SDK names their parts. */
type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

/**
 * The credentials of the function's role, which Lambda puts into the environment. The SDK would also look in files and
 * at other services for them, where a function never has any. A CRM's delivery needs a few reads of the environment,
 * so nothing is cached.
 *
 * @throws {Error} named CredentialsProviderError, as the SDK's, when there are none
 */
export async function environmentCredentials(): Promise<Credentials> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw Object.assign(new Error('The environment has no AWS credentials.'), {
      name: 'CredentialsProviderError',
    });
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  };
}

/** The SDK's clients import their chain by this name. In a bundle they get this file instead of the chain. */
export const defaultProvider = () => environmentCredentials;
