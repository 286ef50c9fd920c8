import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { FAILURE_MS } from '../secrets.ts';
import type { JwtSettings, Scheme, Verdict } from './scheme.ts';

/** A CRM waits five seconds for all of the answer. */
const TIMEOUT_MS = 2000;
/** In seconds the year 5138, in milliseconds 1973. */
const LEAST_MILLISECONDS = 1e11;

/** What the keys say of a token, as against what keeps them from saying anything. */
const NO_SUCH_KEY = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys];

const INVALID: Verdict = {
  code: 'token_invalid',
  detail: 'The token is not one that this connection takes.',
};

/** The vendor's keys cannot be had at the moment, which says nothing about the delivery. */
class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

const keySets = new Map<string, JWTVerifyGetKey>();

/**
 * A JSON Web Token signed with a key that the vendor publishes: there is no secret. Its algorithm, key set,
 * issuer and audience are the connection's, never the token's, and it must expire: in Unix seconds, or in
 * milliseconds where the number is too large for seconds. It covers nothing but itself.
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
        requiredClaims: ['exp'],
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

/** jose reads base64url leniently; here a token has one spelling, so that it is compared as it is written. */
function isCanonical(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
  );
}

/** jose has checked seconds already; milliseconds it takes for a time that never comes. */
function isExpired(exp = 0, now: number): boolean {
  return (exp < LEAST_MILLISECONDS ? exp * 1000 : exp) <= now;
}

/** The keys at an address, one cache for each: kept ten minutes, fetched anew for an unknown key at most every 30 s. */
function keySet(url: string): JWTVerifyGetKey {
  const known = keySets.get(url);
  if (known) return known;
  // Remembered for 15 s, so that strangers cannot run up calls while the vendor is down.
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
      throw new KeysUnavailable(`the keys at ${url} cannot be had: ${why}. It is tried again by itself.`);
    }
  };
  keySets.set(url, getKey);
  return getKey;
}
