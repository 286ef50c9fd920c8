import { createHmac, type Hmac } from 'node:crypto';
import { equalSignatures } from './constant-time.ts';
import { readValues } from './keys.ts';
import type { HmacSettings, Scheme } from './scheme.ts';
import { checkTimestamp } from './timestamp.ts';

const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 };

/**
 * An HMAC over the bytes of the body and, if the sender signs them, the timestamp and the id. The key is the
 * secret's text in UTF-8. A hexadecimal signature may be in lower or upper case, but not in both.
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
        detail: 'The signed id is missing.',
      };
    }
    const signature = readSignature(given, settings);
    if (!signature) {
      return {
        code: 'signature_malformed',
        detail: 'The signature has the wrong format (check encoding and prefix).',
      };
    }
    let isEqual = false;
    // Tries every key, so that the time does not reveal which one matched.
    for (const key of keys) {
      const mac = createHmac(settings.algorithm, key);
      updateWithSigned(mac, settings.signed, body, timestamp, id);
      isEqual = equalSignatures(signature, mac.digest(settings.encoding)) || isEqual;
    }
    return isEqual
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

/** The signature without its prefix, in the spelling of `digest`. `undefined` if it has another format. */
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

/** The templates of the connections, each split once. */
const templates = new Map<string, readonly string[]>();

/**
 * Hashes what the template says. The bytes of the body are hashed as they are, without a copy. A placeholder without a
 * value stays as it is written, so that no signature matches; synth refuses such a template.
 */
function updateWithSigned(
  mac: Hmac,
  template: string,
  body: Buffer,
  timestamp: string | undefined,
  id: string | undefined,
): void {
  // Most vendors sign the body alone.
  if (template === '{body}') {
    mac.update(body);
    return;
  }
  for (const part of partsOf(template)) {
    if (part === '{body}') mac.update(body);
    else if (part === '{timestamp}') mac.update(timestamp ?? part);
    else if (part === '{id}') mac.update(id ?? part);
    else mac.update(part);
  }
}

function partsOf(template: string): readonly string[] {
  let parts = templates.get(template);
  if (!parts) {
    parts = template.split(/(\{body\}|\{timestamp\}|\{id\})/).filter((part) => part !== '');
    templates.set(template, parts);
  }
  return parts;
}
