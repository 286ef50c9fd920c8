import { isTooLargeForm } from '../parse-body.ts';
import { compareCredential } from './credential.ts';
import { readValues } from './keys.ts';
import type { Scheme } from './scheme.ts';

/** A token in the address, for senders that support nothing else. A parameter that is given twice is refused. */
const query: Scheme<{ scheme: 'query'; parameter: string }, string[]> = {
  secret: { field: 'token', issuedBy: 'stack' },
  readKeys: (secret) => readValues(secret, 'token'),
  verify({ parameter }, keys, { rawQuery }) {
    if (isTooLargeForm(rawQuery)) {
      return { code: 'credential_mismatch', detail: 'The address has too many parameters.' };
    }
    const [token, ...more] = new URLSearchParams(rawQuery).getAll(parameter);
    if (more.length > 0) {
      return { code: 'credential_mismatch', detail: 'The credential is given twice.' };
    }
    return compareCredential(keys, token);
  },
};

export default query;
