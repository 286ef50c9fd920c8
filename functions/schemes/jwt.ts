import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { ChatCloserError } from '../error.ts';
import type { Verdict } from '../refusal.ts';
import { FAILURE_MS } from '../secrets.ts';
import { toUnixMs } from '../time.ts';
import type { JwtSettings, Scheme } from './scheme.ts';

/** A CRM waits five seconds for the whole answer. */
const TIMEOUT_MS = 2000;

/** These errors are about the token. Any other error means that the keys are not available. */
const NO_SUCH_KEY = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys];

const INVALID: Verdict = {
  code: 'token_invalid',
  detail: 'The token is not valid for this connection.',
};

/** The vendor's keys are not available at the moment. This says nothing about the delivery. */
class KeysUnavailable extends ChatCloserError {
  override name = 'KeysUnavailable';
}

const keySets = new Map<string, JWTVerifyGetKey>();

/**
 * A JSON Web Token signed with a key that the vendor publishes, so there is no secret. The connection sets the
 * algorithm, key set, issuer and audience; the token never does. The token must expire: in Unix seconds, or in
 * milliseconds if the number is too large for seconds. It covers only itself, not the body.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7519
 * @see https://www.rfc-editor.org/rfc/rfc8725
 */
const jwt: Scheme<JwtSettings, undefined, Promise<Verdict>> = {
  secret: 'none',
  readKeys: () => undefined,
  async verify({ header, algorithm, jwksUrl, issuer, audience }, _keys, { headers }, now) {
    const token = headers[header];
    if (!token) return { code: 'credential_missing', detail: 'The token is missing.' };
    if (!isCanonical(token)) return INVALID;
    try {
      const { payload } = await jwtVerify(token, keySet(jwksUrl), {
        algorithms: [algorithm],
        issuer,
        audience,
        currentDate: new Date(now),
      });
      return isExpired(payload.exp, now) ? INVALID : undefined;
    } catch (error) {
      if (!(error instanceof KeysUnavailable)) return INVALID;
      return { code: 'secrets_unavailable', detail: error.message };
    }
  },
};

export default jwt;

/** Whether each part has its only canonical spelling. jose counts the parts, but accepts other spellings too. */
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

/**
 * Checks milliseconds too: jose checks only seconds, and reads milliseconds as a date in the far future. A missing
 * `exp` counts as expired.
 */
function isExpired(exp = 0, now: number): boolean {
  return toUnixMs(exp) <= now;
}

/**
 * The keys at an address. Each address has a cache, which lasts ten minutes. An unknown key refreshes it at most
 * every 30 s.
 */
function keySet(url: string): JWTVerifyGetKey {
  const known = keySets.get(url);
  if (known) return known;
  // A failure is remembered for 15 s, so that forged deliveries cause no calls while the vendor is down.
  let failed: { cause: unknown; at: number } | undefined;
  const fetchKeys: typeof fetch = async (...request) => {
    if (failed && Date.now() - failed.at < FAILURE_MS) throw failed.cause;
    return fetch(...request);
  };
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS, [customFetch]: fetchKeys });
  const getKey: JWTVerifyGetKey = async (header, token) => {
    try {
      return await keys(header, token);
    } catch (cause) {
      if (NO_SUCH_KEY.some((type) => cause instanceof type)) throw cause;
      if (failed?.cause !== cause) failed = { cause, at: Date.now() };
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new KeysUnavailable(
        `the keys at ${url} are not available: ${why}. They are requested again automatically.`,
      );
    }
  };
  keySets.set(url, getKey);
  return getKey;
}
