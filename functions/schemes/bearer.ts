import { compareCredential, readAuthorization } from './credential.ts';
import { readValues } from './keys.ts';
import type { Scheme } from './scheme.ts';

/** `Authorization: Bearer <token>`. @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const bearer: Scheme<{ scheme: 'bearer' }, string[]> = {
  secret: { field: 'token', issuedBy: 'stack' },
  readKeys: (secret) => readValues(secret, 'token'),
  verify: (_settings, keys, delivery) => compareCredential(keys, readAuthorization('Bearer', delivery)),
};

export default bearer;
