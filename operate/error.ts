import { ChatCloserError } from '../functions/error.ts';

/** An error whose message is all that an operator needs. It is printed without a stack trace. */
export class OperatorError extends ChatCloserError {
  override name = 'OperatorError';
  /** 1: it could not be done. 2: usage error. */
  exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

type AwsError = Partial<Error> & { code?: string; $fault?: string; $metadata?: unknown };

const WHERE = 'Set AWS_PROFILE, or AWS_REGION and credentials, to the account and region of the stack.';

/** Matches the name, code or message of an error of AWS's clients, and says what to do about it. */
const FIXES: [RegExp, string | ((environment: NodeJS.ProcessEnv) => string)][] = [
  [/^CredentialsProviderError|^Could not load credentials/, noCredentials],
  [/Region is missing/, 'There is no AWS region. Set AWS_REGION, or AWS_PROFILE to a profile that has one.'],
  [
    /^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|AuthFailure|InvalidAccessKeyId)/,
    'AWS does not accept these credentials: they are wrong or have expired. Log in again.',
  ],
  [
    /^AccessDenied|^AuthorizationError/,
    'These credentials do not have that permission. docs/commands.md#permissions lists what each role needs.',
  ],
  [
    /QueueDoesNotExist|NonExistentQueue/,
    `A queue of the stack does not exist: it was deleted, or the stack is being deployed. ${WHERE}`,
  ],
  [/^ResourceNotFoundException/, `A log group or secret of the stack does not exist. ${WHERE}`],
  [
    /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|TimeoutError|UnknownEndpoint)/,
    'Cannot reach AWS. Check the network, AWS_REGION, and AWS_ENDPOINT_URL if it is set.',
  ],
  [/^NotQueued/, 'SQS did not confirm every close. Run it again: closing a chat twice is harmless.'],
  [/^(Throttl|TooManyRequests|RequestThrottled|LimitExceeded)/, 'AWS throttles these calls. Run it again.'],
];

/** @returns what to tell an operator; `undefined` for a fault in the program, which needs its stack trace */
export function explain(error: unknown, environment = process.env): string | undefined {
  if (error instanceof OperatorError) return error.message;
  const { name = '', message = '', code = '', $metadata, $fault } = (error ?? {}) as AwsError;
  const [, found] = FIXES.find(([pattern]) => [name, code, message].some((each) => pattern.test(each))) ?? [];
  const fix = typeof found === 'function' ? found(environment) : found;
  if (fix === undefined && $metadata === undefined && $fault === undefined) return undefined;
  const original = `${code || name}${message && `: ${message}`}`;
  return fix === undefined ? `AWS answered ${original}` : `${fix}\n(${original})`;
}

function noCredentials({ AWS_PROFILE: profile }: NodeJS.ProcessEnv): string {
  return profile
    ? `AWS_PROFILE is ${JSON.stringify(profile)}, but that profile has no credentials. Set it to one that has, or log in: aws sso login --profile ${profile}`
    : 'There are no AWS credentials. Set AWS_PROFILE, or log in as you do for the `aws` command line.';
}
