import { compareCredential } from './credential.ts';
import { readValues } from './keys.ts';
import type { Scheme } from './scheme.ts';

/** A token in the header that the connection names. */
const header: Scheme<{ scheme: 'header'; header: string }, string[]> = {
  secret: { field: 'token', issuedBy: 'stack' },
  readKeys: (secret) => readValues(secret, 'token'),
  verify: (settings, keys, { headers }) => compareCredential(keys, headers[settings.header]),
};

export default header;
