import { compareCredential, readAuthorization } from './credential.ts';
import { readValues } from './keys.ts';
import type { Scheme } from './scheme.ts';

/**
 * `Authorization: Basic` with user name and password in UTF-8. It compares the encoded text, which is exact
 * because base64 has only one canonical spelling.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7617
 */
const basic: Scheme<{ scheme: 'basic' }, string[]> = {
  secret: { field: 'password', issuedBy: 'stack' },
  readKeys(secret) {
    const [username] = readValues(secret, 'username');
    return readValues(secret, 'password').map((password) => encode(`${username}:${password}`));
  },
  verify: (_settings, keys, delivery) => compareCredential(keys, readAuthorization('Basic', delivery)),
};

export default basic;

function encode(credentials: string): string {
  return Buffer.from(credentials, 'utf8').toString('base64');
}
