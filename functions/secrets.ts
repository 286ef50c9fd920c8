import { ChatCloserError } from './error.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';

/**
 * A secret is used this long without reading it again. A new value is found at once, when the old one fails: so this is
 * only how long a value that was removed still works.
 */
export const FRESH_MS = 15 * MINUTE_MS;
/** A failure is remembered this long. */
export const FAILURE_MS = 15 * SECOND_MS;
/** A secret is used this long while Secrets Manager throttles, fails or times out. */
export const STALE_MS = HOUR_MS;
/** Maximum re-reads at once. One more is allowed every two seconds, which makes at most 35 in any minute. */
export const REREADS = 5;
export const REREAD_EVERY_MS = 2 * SECOND_MS;
/** Callers that find the value wrong within this time share one re-read. */
export const SHARED_REREAD_MS = 200;
/** Init has ten seconds. The other secrets are read when they are needed. */
const READ_AHEAD = 20;

/** The secret cannot be read, and there is no cached value that may be used instead. */
export class SecretUnavailable extends ChatCloserError {
  override name = 'SecretUnavailable';
}

/** The secret was read but cannot be used. The message says what to store, never a value. */
export class SecretNotReady extends ChatCloserError {
  override name = 'SecretNotReady';
}

/**
 * Parses the text of a secret, which must be a JSON object. A byte order mark before it is ignored.
 *
 * @throws {SecretNotReady} when it is not a JSON object
 */
export function parseSecret(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text.replace(/^\ufeff+/, ''));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // The error below does not keep the cause, because the parser's message would quote the secret.
  }
  throw new SecretNotReady(
    'it is not a JSON object: store it as docs/security.md shows, in the console under the tab "Plaintext"; PowerShell removes the quotation marks from JSON on the command line',
  );
}

export type SecretReader = {
  /**
   * Returns the text of a secret. It is at most 15 minutes old, or up to an hour while Secrets Manager throttles,
   * fails or times out.
   *
   * @throws {SecretUnavailable} with the secret's name, what came back and the fix
   */
  read(id: string): Promise<string>;
  /**
   * Returns the text of a secret after the text `seen` did not work: what another caller has read meanwhile, or the
   * result of a re-read. A secret is re-read at most 35 times in any minute (five times at once, then once every two
   * seconds), so that neither strangers nor a revoked key can cause many calls. A few forgeries leave re-reads for
   * the delivery that comes after a rotation; a flood of forgeries delays the new value by at most two seconds.
   *
   * @returns `seen` itself when there is nothing newer, or when no re-read is left
   * @throws {SecretUnavailable} as `read` does
   */
  readAgain(id: string, seen: string): Promise<string>;
  /** Fills the cache during init with the first 20 secrets. Never throws. */
  readAhead(ids: readonly string[]): Promise<void>;
};

type Held = { text: string; readAt: number };
type Failed = { error: SecretUnavailable; failedAt: number };

/**
 * Creates a cache in front of Secrets Manager. It remembers failures for only 15 s. It never returns a value that was
 * taken away: access denied, not found and scheduled for deletion take effect at once.
 *
 * @param fetchSecret reads one secret by name or ARN; its result has the shape of the SDK's
 * @param now Unix milliseconds
 */
export function createSecretReader(
  fetchSecret: (id: string) => Promise<{ SecretString?: string | undefined }>,
  now: () => number,
): SecretReader {
  const held = new Map<string, Held>();
  const failed = new Map<string, Failed>();
  const underWay = new Map<string, Promise<string>>();
  const budgets = new Map<string, RereadBudget>();

  async function fetchOnce(id: string): Promise<string> {
    try {
      const text = (await fetchSecret(id)).SecretString ?? '';
      held.set(id, { text, readAt: now() });
      failed.delete(id);
      return text;
    } catch (cause) {
      const error = new SecretUnavailable(describeFailure(id, cause), { cause });
      failed.set(id, { error, failedAt: now() });
      if (!isTemporary(cause)) held.delete(id);
      return readStale(id, error);
    }
  }

  function fetchShared(id: string): Promise<string> {
    const promise = underWay.get(id) ?? fetchOnce(id).finally(() => underWay.delete(id));
    underWay.set(id, promise);
    return promise;
  }

  function readStale(id: string, error: SecretUnavailable): string {
    const value = held.get(id);
    if (value && now() - value.readAt < STALE_MS) return value.text;
    throw error;
  }

  async function read(id: string): Promise<string> {
    const value = held.get(id);
    if (value && now() - value.readAt < FRESH_MS) return value.text;
    const failure = failed.get(id);
    if (failure && now() - failure.failedAt < FAILURE_MS) return readStale(id, failure.error);
    return fetchShared(id);
  }

  async function readAgain(id: string, seen: string): Promise<string> {
    const value = held.get(id);
    if (value && value.text !== seen) return value.text;
    if (!underWay.has(id)) {
      const budget = earnRereads(budgets.get(id), now());
      if (budget.left < 1 || Math.abs(now() - budget.lastAt) < SHARED_REREAD_MS) return seen;
      budgets.set(id, { ...budget, left: budget.left - 1, lastAt: now() });
    }
    return fetchShared(id);
  }

  async function readAhead(ids: readonly string[]): Promise<void> {
    await Promise.allSettled(ids.slice(0, READ_AHEAD).map(read));
  }

  return { read, readAgain, readAhead };
}

/** Times are Unix milliseconds. */
type RereadBudget = {
  left: number;
  /** When the time began in which the next re-read is earned. */
  since: number;
  lastAt: number;
};
const FULL_BUDGET: RereadBudget = { left: REREADS, since: 0, lastAt: -Infinity };

/** Adds the re-reads that were earned since the budget was last used. */
function earnRereads({ left, since, lastAt }: RereadBudget = FULL_BUDGET, now: number): RereadBudget {
  const earned = Math.max(0, Math.floor((now - since) / REREAD_EVERY_MS));
  return left + earned >= REREADS
    ? { left: REREADS, since: now, lastAt }
    : { left: left + earned, since: since + earned * REREAD_EVERY_MS, lastAt };
}

type AwsError = { name?: string; $fault?: string; $metadata?: { httpStatusCode?: number } };

/** Whether Secrets Manager throttled, failed or timed out, rather than refused. @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html */
function isTemporary(cause: unknown): boolean {
  const { name = '', $metadata } = (cause ?? {}) as AwsError;
  const status = $metadata?.httpStatusCode;
  const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 429;
  return !isRefusal || /throttl|limitexceeded|toomanyrequests/i.test(name);
}

function describeFailure(id: string, cause: unknown): string {
  const { name = 'Error' } = (cause ?? {}) as AwsError;
  return `secret ${id} cannot be read: ${name}. ${FIXES[name] ?? 'It is retried automatically.'}`;
}

const FIXES: Record<string, string> = {
  AccessDeniedException:
    'Allow this function to read it. If it is your own secret with its own KMS key, set existingSecretKey.',
  DecryptionFailure: 'Allow this function to decrypt with its KMS key: set existingSecretKey.',
  ResourceNotFoundException: 'Create it, or correct existingSecret.',
  InvalidRequestException: 'It may be scheduled for deletion: restore it.',
};
