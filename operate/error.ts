/** What a command says instead of a stack trace. */
export class OperatorError extends Error {
  override name = 'OperatorError';
  /** 1: it could not be done. 2: it was asked for wrongly. */
  exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

type AwsError = Partial<Error> & { code?: string; $fault?: string; $metadata?: unknown };

const WHERE = 'Set AWS_PROFILE, or AWS_REGION and credentials, to where the stack is.';

/** What AWS's clients say, by the error's name, code or message; and what to do about it. */
const MENDS: [RegExp, string | ((environment: NodeJS.ProcessEnv) => string)][] = [
  [/^CredentialsProviderError|^Could not load credentials/, noCredentials],
  [/Region is missing/, 'There is no AWS region. Set AWS_REGION, or AWS_PROFILE to a profile that has one.'],
  [
    /^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|AuthFailure|InvalidAccessKeyId)/,
    'AWS does not take these credentials: they are wrong or have expired. Log in again.',
  ],
  [
    /^AccessDenied|^AuthorizationError/,
    'These credentials may not do that. docs/operations.md#redrive lists what they must be allowed.',
  ],
  [
    /QueueDoesNotExist|NonExistentQueue/,
    `A queue of the stack is not there: it was deleted, or the stack is being deployed. ${WHERE}`,
  ],
  [/^ResourceNotFoundException/, `The log group of the stack is not there. ${WHERE}`],
  [
    /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|TimeoutError|UnknownEndpoint)/,
    'AWS cannot be reached. Look at the network, at AWS_REGION, and at AWS_ENDPOINT_URL if that is set.',
  ],
  [/^NotQueued/, 'SQS did not confirm every close. Run it again: closing a chat twice is harmless.'],
  [/^(Throttl|TooManyRequests|RequestThrottled|LimitExceeded)/, 'AWS throttles these calls. Run it again.'],
];

/** @returns what to tell an operator; `undefined` for a fault in the program, which needs its stack trace */
export function explain(error: unknown, environment = process.env): string | undefined {
  if (error instanceof OperatorError) return error.message;
  const { name = '', message = '', code = '', $metadata, $fault } = (error ?? {}) as AwsError;
  const [, found] = MENDS.find(([pattern]) => [name, code, message].some((each) => pattern.test(each))) ?? [];
  const mend = typeof found === 'function' ? found(environment) : found;
  if (mend === undefined && $metadata === undefined && $fault === undefined) return undefined;
  const said = `${code || name}${message && `: ${message}`}`;
  return mend === undefined ? `AWS answered ${said}` : `${mend}\n(${said})`;
}

function noCredentials({ AWS_PROFILE: profile }: NodeJS.ProcessEnv): string {
  return profile
    ? `AWS_PROFILE is ${JSON.stringify(profile)}, and that profile gives no credentials. Set it to one that does, or log in: aws sso login --profile ${profile}`
    : 'There are no AWS credentials. Set AWS_PROFILE, or log in as for `aws` on the command line.';
}
