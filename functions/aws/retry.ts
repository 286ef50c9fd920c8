import {
  getRetryAfterHint,
  isThrottlingError,
  isTransientError,
  StandardRetryStrategy,
} from '@smithy/core/retry';

/** @param number 1 for the first attempt */
type Attempt<T> = (number: number) => Promise<T>;

/**
 * Creates the SDK's standard retries: a second attempt after throttling, a timeout, a lost connection or a server's
 * error, as long as not too many calls fail. It waits as the SDK does.
 *
 * @param attempts the maximum, with the first
 * @returns a function that throws the last attempt's error
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export function createRetry(attempts: number): <T>(attempt: Attempt<T>) => Promise<T> {
  const strategy = new StandardRetryStrategy(attempts);
  return async function retry(attempt) {
    let token = await strategy.acquireInitialRetryToken('');
    for (;;) {
      try {
        const result = await attempt(token.getRetryCount() + 1);
        strategy.recordSuccess(token);
        return result;
      } catch (error) {
        token = await strategy.refreshRetryTokenForRetry(token, describe(error)).catch(() => {
          throw error;
        });
      }
    }
  };
}

type Known = Parameters<typeof isTransientError>[0] & { $response?: unknown };

function describe(error: unknown) {
  const known = error as Known;
  const retryAfterHint = getRetryAfterHint(known.$response);
  return { error: known, errorType: typeOf(known), ...(retryAfterHint && { retryAfterHint }) };
}

function typeOf(error: Known): 'THROTTLING' | 'TRANSIENT' | 'CLIENT_ERROR' {
  if (isThrottlingError(error)) return 'THROTTLING';
  return isTransientError(error) ? 'TRANSIENT' : 'CLIENT_ERROR';
}
