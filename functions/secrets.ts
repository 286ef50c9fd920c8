import type { GetSecretValueCommandOutput } from '@aws-sdk/client-secrets-manager';

const SECONDS = 1000;
export const FRESH_MS = 300 * SECONDS;
export const FAILURE_MS = 15 * SECONDS;
/** So many looks at once, and one more every two seconds: at most 35 in any minute. */
export const LOOKS = 5;
export const LOOK_EVERY_MS = 2 * SECONDS;
/** Those who find the value wrong at the same time need one look, not one each. */
export const SAME_LOOK_MS = 200;
export const STALE_MS = 3600 * SECONDS;
/** Init has ten seconds; further secrets are read when they are needed. */
const READ_AHEAD = 20;

/** The secret cannot be read, and no value that may stand in for it is held. */
export class SecretUnavailable extends Error {
  override name = 'SecretUnavailable';
}

/** The secret is there, and nothing can be done with it. The message says what to fill in, never a value. */
export class SecretNotReady extends Error {
  override name = 'SecretNotReady';
}

/**
 * A secret's text as the JSON object that every secret here is. A byte order mark before it is ignored.
 *
 * @throws {SecretNotReady} when it is not one
 */
export function parseSecret(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text.replace(/^\ufeff+/, ''));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below: the parser's own message would quote the secret.
  }
  throw new SecretNotReady(
    'it is not a JSON object: store it as docs/security.md shows, in the console under the tab "Plaintext"; PowerShell takes the quotation marks out of a JSON text on the command line',
  );
}

export type SecretReader = {
  /**
   * The secret's text, at most five minutes old; up to an hour while Secrets Manager throttles, fails or
   * times out.
   *
   * @throws {SecretUnavailable} naming the secret, what came back and the mend
   */
  read(id: string): Promise<string>;
  /**
   * The secret's text after `seen` did not work: what another caller has read meanwhile, or a new reading. There
   * are at most 35 of them in any minute for a secret (five at once, then one every two seconds), so that neither
   * strangers nor a revoked key can run up calls. A few forgeries leave looks for the delivery that comes after a
   * rotation; a flood of them delays the new value by two seconds at most.
   *
   * @returns `seen` itself when there is nothing newer, or no look is left
   * @throws {SecretUnavailable} as `read`
   */
  readAgain(id: string, seen: string): Promise<string>;
  /** Fills the cache during init, with the first of them if they are many. Never throws. */
  readAhead(ids: readonly string[]): Promise<void>;
};

type Held = { text: string; readAt: number };
type Failed = { error: SecretUnavailable; failedAt: number };

/**
 * A cache over Secrets Manager that keeps successes, keeps failures only for 15 s, and never serves a value
 * that was taken away: access denied, not found and scheduled for deletion count at once.
 *
 * @param fetchSecret reads one secret by name or ARN, as the SDK answers
 * @param now Unix milliseconds
 */
export function createSecretReader(
  fetchSecret: (id: string) => Promise<Pick<GetSecretValueCommandOutput, 'SecretString'>>,
  now: () => number,
): SecretReader {
  const held = new Map<string, Held>();
  const failed = new Map<string, Failed>();
  const underWay = new Map<string, Promise<string>>();
  const looks = new Map<string, Looks>();

  async function fetchOnce(id: string): Promise<string> {
    try {
      const text = (await fetchSecret(id)).SecretString ?? '';
      held.set(id, { text, readAt: now() });
      failed.delete(id);
      return text;
    } catch (cause) {
      const error = new SecretUnavailable(describe(id, cause), { cause });
      failed.set(id, { error, failedAt: now() });
      if (!isPassing(cause)) held.delete(id);
      return standIn(id, error);
    }
  }

  function fetchShared(id: string): Promise<string> {
    const promise = underWay.get(id) ?? fetchOnce(id).finally(() => underWay.delete(id));
    underWay.set(id, promise);
    return promise;
  }

  function standIn(id: string, error: SecretUnavailable): string {
    const value = held.get(id);
    if (value && now() - value.readAt < STALE_MS) return value.text;
    throw error;
  }

  async function read(id: string): Promise<string> {
    const value = held.get(id);
    if (value && now() - value.readAt < FRESH_MS) return value.text;
    const failure = failed.get(id);
    if (failure && now() - failure.failedAt < FAILURE_MS) return standIn(id, failure.error);
    return fetchShared(id);
  }

  async function readAgain(id: string, seen: string): Promise<string> {
    const value = held.get(id);
    if (value && value.text !== seen) return value.text;
    if (!underWay.has(id)) {
      const left = looksLeft(looks.get(id), now());
      if (left.count < 1 || Math.abs(now() - left.lastAt) < SAME_LOOK_MS) return seen;
      looks.set(id, { ...left, count: left.count - 1, lastAt: now() });
    }
    return fetchShared(id);
  }

  async function readAhead(ids: readonly string[]): Promise<void> {
    await Promise.allSettled(ids.slice(0, READ_AHEAD).map(read));
  }

  return { read, readAgain, readAhead };
}

/** Looks that are left, since when the next one is earned, and when the last one was. */
type Looks = { count: number; since: number; lastAt: number };
const ALL_LOOKS: Looks = { count: LOOKS, since: 0, lastAt: -Infinity };

function looksLeft({ count, since, lastAt }: Looks = ALL_LOOKS, now: number): Looks {
  if (count >= LOOKS) return { count: LOOKS, since: now, lastAt };
  const earned = Math.max(0, Math.floor((now - since) / LOOK_EVERY_MS));
  return count + earned >= LOOKS
    ? { count: LOOKS, since: now, lastAt }
    : { count: count + earned, since: since + earned * LOOK_EVERY_MS, lastAt };
}

type AwsError = { name?: string; $fault?: string; $metadata?: { httpStatusCode?: number } };

/** Throttled, failed or timed out, as against refused. @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html */
function isPassing(cause: unknown): boolean {
  const { name = '', $metadata } = (cause ?? {}) as AwsError;
  const status = $metadata?.httpStatusCode;
  const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 429;
  return !isRefusal || /throttl|limitexceeded|toomanyrequests/i.test(name);
}

function describe(id: string, cause: unknown): string {
  const { name = 'Error' } = (cause ?? {}) as AwsError;
  return `secret ${id} cannot be read: ${name}. ${MENDS[name] ?? 'It is tried again by itself.'}`;
}

const MENDS: Record<string, string> = {
  AccessDeniedException:
    'Allow this function to read it; for a secret of your own with its own KMS key, give existingSecretKey.',
  DecryptionFailure: 'Allow this function to decrypt with its KMS key: give existingSecretKey.',
  ResourceNotFoundException: 'Create it, or correct existingSecret.',
  InvalidRequestException: 'It may be scheduled for deletion: restore it.',
};
