import { equalTexts } from './constant-time.ts';
import { readValues } from './keys.ts';
import type { Refusal, Scheme } from './scheme.ts';

/** The token in a header of the connection's choice. */
export const header: Scheme<{ scheme: 'header'; header: string }, string[]> = {
  readKeys: (secret) => readValues(secret, 'token'),
  verify: (settings, keys, { headers }) =>
    compare(keys, headers[settings.header], `The header ${settings.header} is missing.`),
};

/** `Authorization: Bearer <token>`. @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
export const bearer: Scheme<{ scheme: 'bearer' }, string[]> = {
  readKeys: (secret) => readValues(secret, 'token'),
  verify: (_settings, keys, { headers }) =>
    compare(
      keys,
      credentials('Bearer', headers.authorization),
      'The header Authorization: Bearer is missing.',
    ),
};

/** The token in the address, for senders that can do nothing else. A parameter given twice proves nothing. */
export const query: Scheme<{ scheme: 'query'; parameter: string }, string[]> = {
  readKeys: (secret) => readValues(secret, 'token'),
  verify(settings, keys, { rawQuery }) {
    const [token, ...more] = new URLSearchParams(rawQuery).getAll(settings.parameter);
    if (more.length > 0) {
      return {
        code: 'credential_mismatch',
        detail: `The query parameter ${settings.parameter} is given twice.`,
      };
    }
    return compare(keys, token, `The query parameter ${settings.parameter} is missing.`);
  },
};

/** `Authorization: Basic`, UTF-8. @see https://www.rfc-editor.org/rfc/rfc7617 */
export const basic: Scheme<{ scheme: 'basic' }, string[]> = {
  readKeys(secret) {
    const [username = ''] = readValues({ username: secret.username }, 'username');
    return readValues(secret, 'password').map((password) => encodeBasic(username, password));
  },
  verify: (_settings, keys, { headers }) =>
    compare(keys, credentials('Basic', headers.authorization), 'The header Authorization: Basic is missing.'),
};

/** Compared as encoded, which is exact: base64 has one canonical spelling. */
function encodeBasic(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
}

function credentials(scheme: string, authorization = ''): string | undefined {
  const [given, value, ...more] = authorization.split(' ');
  return given?.toLowerCase() === scheme.toLowerCase() && more.length === 0 ? value : undefined;
}

function compare(keys: string[], given: string | undefined, missing: string): Refusal | undefined {
  if (!given) return { code: 'credential_missing', detail: missing };
  // Every key is tried, so that the time does not tell which one matched.
  const matches = keys.map((key) => equalTexts(key, given));
  return matches.includes(true)
    ? undefined
    : { code: 'credential_mismatch', detail: 'The credential is not the stored one.' };
}
