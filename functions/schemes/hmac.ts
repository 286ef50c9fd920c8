import { createHmac } from 'node:crypto';
import { equalTexts } from './constant-time.ts';
import { readValues } from './keys.ts';
import type { HmacSettings, Scheme } from './scheme.ts';
import { checkTimestamp } from './timestamp.ts';

const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 };

/**
 * A keyed hash over the body's bytes and, where the sender signs them, its timestamp and id. The key is the
 * secret's text in UTF-8. Hexadecimal may be in lower or upper case, not in both.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2104
 */
const hmac: Scheme<HmacSettings, string[]> = {
  secret: { field: 'signingSecret', issuedBy: 'either' },
  readKeys: (secret) => readValues(secret, 'signingSecret'),
  verify(settings, keys, { headers, body }, now) {
    const given = headers[settings.header];
    if (!given) return { code: 'signature_missing', detail: 'The signature is missing.' };
    const timestamp = settings.timestampHeader ? headers[settings.timestampHeader] : undefined;
    if (settings.timestampHeader) {
      const refusal = checkTimestamp(timestamp, settings.timestampUnit, settings.toleranceSeconds, now);
      if (refusal) return refusal;
    }
    const id = settings.idHeader ? headers[settings.idHeader] : undefined;
    if (settings.idHeader && !id) {
      return {
        code: 'signature_missing',
        detail: 'The id, which is signed, is missing.',
      };
    }
    const signature = readSignature(given, settings);
    if (!signature) {
      return {
        code: 'signature_malformed',
        detail: 'The signature is not written as this connection has it.',
      };
    }
    const content = signedContent(settings.signed, body, timestamp, id);
    // Every key is tried, so that the time does not tell which one matched.
    const matches = keys.map((key) => {
      const expected = createHmac(settings.algorithm, key).update(content).digest(settings.encoding);
      return equalTexts(signature, expected);
    });
    return matches.includes(true)
      ? undefined
      : {
          code: 'signature_mismatch',
          detail: 'The signature does not match the body and the stored secret.',
        };
  },
  identify({ signed, timestampHeader = '', idHeader = '' }, { headers, body }) {
    const time = signed.includes('{timestamp}') ? (headers[timestampHeader] ?? '') : '';
    const id = signed.includes('{id}') ? (headers[idHeader] ?? '') : '';
    return time || id ? { moment: `${time} ${id}`, content: body } : { content: body };
  },
};

export default hmac;

/** The signature as the digest would be written, or `undefined` when it cannot be one. */
function readSignature(
  given: string,
  { prefix = '', encoding, algorithm }: HmacSettings,
): string | undefined {
  if (!given.startsWith(prefix)) return undefined;
  const signature = given.slice(prefix.length);
  const bytes = DIGEST_BYTES[algorithm];
  if (encoding === 'base64') return Buffer.from(signature, 'base64').length === bytes ? signature : undefined;
  const isHex = signature.length === bytes * 2 && /^([0-9a-f]*|[0-9A-F]*)$/.test(signature);
  return isHex ? signature.toLowerCase() : undefined;
}

/** Fills the template, leaving the body's bytes as they are. */
function signedContent(template: string, body: Buffer, timestamp = '', id = ''): Buffer {
  const parts = template.split(/(\{body\}|\{timestamp\}|\{id\})/);
  const values: Record<string, string | Buffer> = { '{body}': body, '{timestamp}': timestamp, '{id}': id };
  return Buffer.concat(parts.map((part) => Buffer.from((values[part] ?? part) as string)));
}
