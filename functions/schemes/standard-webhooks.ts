import {
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  verify as verifyEd25519,
} from 'node:crypto';
import type { Delivery } from '../delivery.ts';
import { withoutVersion } from '../secret-value.ts';
import { SecretNotReady } from '../secrets.ts';
import { equalSignatures } from './constant-time.ts';
import { decodeBase64, decodeKey, readValues } from './keys.ts';
import type { Scheme } from './scheme.ts';
import { checkTimestamp, TOLERANCE_SECONDS } from './timestamp.ts';

type Keys = { symmetric: KeyObject[]; publicKeys: KeyObject[] };

const ED25519_KEY_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
/** A sender lists one signature for each of its keys. Each public-key signature costs a hash of the whole body. */
const MAX_SIGNATURES = 10;

/**
 * Standard Webhooks: `v1` (HMAC-SHA256) and `v1a` (Ed25519) over `{id}.{timestamp}.{body}`. The header lists
 * several signatures while the sender rotates its key, and one match is enough. Svix's header names are used if
 * the standard's are absent. The two sets are never mixed.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const standardWebhooks: Scheme<{ scheme: 'standard-webhooks' }, Keys> = {
  secret: { field: 'signingSecret', issuedBy: 'vendor' },
  readKeys(secret) {
    const values = readValues(secret, 'signingSecret').map(withoutVersion);
    return {
      symmetric: values.filter((value) => !value.startsWith('whpk_')).map(readSymmetricKey),
      publicKeys: values.filter((value) => value.startsWith('whpk_')).map(readPublicKey),
    };
  },
  verify(_settings, { symmetric, publicKeys }, delivery, now) {
    const { id, timestamp, signature } = readHeaders(delivery);
    if (!signature) return { code: 'signature_missing', detail: 'The signature is missing.' };
    if (!id) return { code: 'signature_missing', detail: 'The signed id is missing.' };
    const refusal = checkTimestamp(timestamp, 's', TOLERANCE_SECONDS, now);
    if (refusal) return refusal;
    const entries = signature.split(' ');
    if (entries.length > MAX_SIGNATURES) {
      return {
        code: 'signature_malformed',
        detail: `The header lists more than ${MAX_SIGNATURES} signatures.`,
      };
    }
    const signatures = entries.map((entry) => /^(v1a?),([A-Za-z0-9+/]+={0,2})$/.exec(entry));
    if (!signatures.some(Boolean)) {
      return { code: 'signature_malformed', detail: 'The header lists no v1 or v1a signature.' };
    }
    const before = `${id}.${timestamp}.`;
    const expected = symmetric.map((key) =>
      createHmac('sha256', key).update(before).update(delivery.body).digest('base64'),
    );
    // Node hashes the content of an Ed25519 signature in one piece only.
    const content =
      publicKeys.length > 0 ? Buffer.concat([Buffer.from(before), delivery.body]) : delivery.body;
    const matches = signatures.map((entry) => {
      const [, version, value = ''] = entry ?? [];
      return version === 'v1'
        ? expected.some((each) => equalSignatures(value, each))
        : version === 'v1a' && publicKeys.some((key) => isSignedBy(key, content, value));
    });
    return matches.includes(true)
      ? undefined
      : { code: 'signature_mismatch', detail: 'No signature matches the body and the stored secret.' };
  },
  identify(_settings, delivery) {
    const { id, timestamp } = readHeaders(delivery);
    return { moment: `${id} ${timestamp}`, content: delivery.body };
  },
};

export default standardWebhooks;

function readHeaders({ headers }: Delivery) {
  const prefix = headers['webhook-signature'] === undefined && headers['svix-signature'] ? 'svix' : 'webhook';
  return {
    id: headers[`${prefix}-id`],
    timestamp: headers[`${prefix}-timestamp`],
    signature: headers[`${prefix}-signature`],
  };
}

/** Node takes a key object as it is; it would copy the bytes into one for each delivery, which takes longer than hashing 1 KB. */
function readSymmetricKey(value: string): KeyObject {
  const key = decodeKey(value.replace(/^whsec_/, ''));
  if (!key?.length) {
    throw new SecretNotReady(
      '"signingSecret" is not whsec_ followed by a key in base64 (standard alphabet): copy the whole key again',
    );
  }
  return createSecretKey(key);
}

function readPublicKey(value: string): KeyObject {
  const key = decodeKey(value.replace(/^whpk_/, ''));
  if (key?.length !== ED25519_KEY_BYTES) {
    throw new SecretNotReady(
      '"signingSecret" is not whpk_ followed by the 32 bytes of an Ed25519 public key in base64',
    );
  }
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') },
    format: 'jwk',
  });
}

function isSignedBy(key: KeyObject, content: Buffer, signature: string): boolean {
  const bytes = decodeBase64(signature);
  return bytes?.length === ED25519_SIGNATURE_BYTES && verifyEd25519(null, content, key, bytes);
}
