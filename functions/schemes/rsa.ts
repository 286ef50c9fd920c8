import { constants, createPublicKey, type KeyObject, verify as verifyRsa } from 'node:crypto';
import { SecretNotReady } from '../secrets.ts';
import { decodeBase64, decodeKey, readValues } from './keys.ts';
import type { RsaSettings, Scheme } from './scheme.ts';

const LEAST_BITS = 2048;

/**
 * An RSA signature over the bytes of the body: RSASSA-PKCS1-v1_5 with SHA-256. The secret holds the sender's public
 * key in PEM, or its DER in base64. No time is signed.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8017#section-8.2
 */
const rsa: Scheme<RsaSettings, KeyObject[]> = {
  secret: { field: 'publicKey', issuedBy: 'vendor' },
  readKeys: ({ publicKey }) =>
    readValues({ publicKey: withoutLineEnds(publicKey) }, 'publicKey').map(readPublicKey),
  verify({ header, encoding }, keys, { headers, body }) {
    const given = headers[header];
    if (!given) return { code: 'signature_missing', detail: 'The signature is missing.' };
    const signature = readSignature(given, encoding);
    if (!signature || !keys.some((key) => signature.length === Math.ceil(sizeOf(key) / 8))) {
      return {
        code: 'signature_malformed',
        detail: 'The signature has the wrong format (check encoding and the length of the stored key).',
      };
    }
    const matches = keys.map((key) =>
      verifyRsa('sha256', body, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
    );
    return matches.includes(true)
      ? undefined
      : { code: 'signature_mismatch', detail: 'The signature does not match the body and the stored key.' };
  },
};

export default rsa;

/** A file in PEM ends with a line end. No white space belongs to a key. */
function withoutLineEnds(stored: unknown): unknown {
  if (Array.isArray(stored)) return stored.map(withoutLineEnds);
  return typeof stored === 'string' ? stored.trim() : stored;
}

/**
 * Reads a key by its bytes and not by its label: some vendors print `BEGIN RSA PUBLIC KEY`, the label of PKCS#1, before
 * a key in the format SPKI.
 */
function readPublicKey(stored: string): KeyObject {
  if (/PRIVATE KEY/.test(stored)) {
    throw new SecretNotReady('"publicKey" is a private key: store the public key, and renew the private one');
  }
  // Line ends may have been pasted as the two characters that JSON writes for them.
  const text = stored.replace(/-----(BEGIN|END) [A-Z ]*-----/g, '').replace(/\\[nr]|\s/g, '');
  const bytes = decodeKey(text);
  const keys = (['spki', 'pkcs1'] as const).flatMap((type) => (bytes ? parsed(bytes, type) : []));
  const key = keys.find(({ asymmetricKeyType }) => asymmetricKeyType === 'rsa');
  if (!key) {
    throw new SecretNotReady(
      '"publicKey" is not an RSA public key in PEM or base64: copy the whole key again',
    );
  }
  if (sizeOf(key) < LEAST_BITS) {
    throw new SecretNotReady(
      `"publicKey" has fewer than ${LEAST_BITS} bits: let the sender use a longer key`,
    );
  }
  return key;
}

function parsed(bytes: Buffer, type: 'spki' | 'pkcs1'): KeyObject[] {
  try {
    return [createPublicKey({ key: bytes, format: 'der', type })];
  } catch {
    return [];
  }
}

function sizeOf(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0;
}

function readSignature(text: string, encoding: RsaSettings['encoding']): Buffer | undefined {
  if (encoding === 'base64') return decodeBase64(text);
  return /^([0-9a-f]{2})+$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}
