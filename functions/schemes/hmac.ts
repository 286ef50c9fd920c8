import { createHmac, createSecretKey, type Hmac, type KeyObject } from 'node:crypto';
import { type Delivery, readContent } from '../delivery.ts';
import type { Verdict } from '../refusal.ts';
import { SecretNotReady } from '../secrets.ts';
import { equalSignatures } from './constant-time.ts';
import { decodeKey, readValues, textKey } from './keys.ts';
import type { HmacSettings, Scheme } from './scheme.ts';
import { signaturesIn, timestampIn } from './signature-header.ts';
import { checkTimestamp, parseTimestamp, timestampInBody } from './timestamp.ts';

const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 };

/** @see Buffer.from, which ignores what it cannot decode */
const DECODERS: Record<'hex' | 'base64', (text: string) => Buffer | undefined> = {
  hex: (text) => (/^([0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : undefined),
  base64: decodeKey,
};

/**
 * An HMAC over the bytes of the body and, if the sender signs them, the timestamp and the id. The key is the
 * secret's text in UTF-8, or what the text encodes. A hexadecimal signature may be in lower or upper case, but not in
 * both. A time within the body is read only after the signature was verified.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2104
 */
const hmac: Scheme<HmacSettings, KeyObject[]> = {
  secret: { field: 'signingSecret', issuedBy: 'either' },
  readKeys: (secret, settings) =>
    readValues(secret, 'signingSecret').map((value) => readKey(value, settings?.keyEncoding ?? 'text')),
  verify(settings, keys, delivery, now) {
    const { headers, body } = delivery;
    const given = signaturesIn(settings, headers);
    if (!given) return { code: 'signature_malformed', detail: 'The header lists too many signatures.' };
    if (!given.some(Boolean)) return { code: 'signature_missing', detail: 'The signature is missing.' };
    const timestamp = timestampIn(settings, headers);
    if (needsTimestamp(settings)) {
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
    const signatures: string[] = [];
    for (const each of given) {
      const signature = readSignature(each, settings);
      if (signature !== undefined) signatures.push(signature);
    }
    if (signatures.length === 0) {
      return {
        code: 'signature_malformed',
        detail: 'The signature has the wrong format (check encoding and prefix).',
      };
    }
    let isEqual = false;
    // Tries every key with every signature, so that the time does not reveal which one matched.
    for (const key of keys) {
      const mac = createHmac(settings.algorithm, key);
      updateWithSigned(mac, settings.signed, body, timestamp, id);
      const expected = mac.digest(settings.encoding);
      for (const signature of signatures) isEqual = equalSignatures(signature, expected) || isEqual;
    }
    return isEqual
      ? checkTimeInBody(settings, timestamp, delivery, now)
      : {
          code: 'signature_mismatch',
          detail: 'The signature does not match the body and the stored secret.',
        };
  },
  identify(settings, { headers, body }) {
    const { signed, idHeader = '' } = settings;
    const time = signed.includes('{timestamp}') ? (timestampIn(settings, headers) ?? '') : '';
    const id = signed.includes('{id}') ? (headers[idHeader] ?? '') : '';
    return time || id ? { moment: `${time} ${id}`, content: body } : { content: body };
  },
};

export default hmac;

function readKey(value: string, encoding: 'text' | 'hex' | 'base64'): KeyObject {
  if (encoding === 'text') return textKey(value);
  const key = DECODERS[encoding](value);
  if (!key?.length) {
    throw new SecretNotReady(
      `"signingSecret" is not ${encoding}, as keyEncoding says: copy the whole key again`,
    );
  }
  return createSecretKey(key);
}

/** Whether a timestamp must come beside the body. Next to a time in the body it may be absent, unless it is signed. */
function needsTimestamp({
  signed,
  timestampHeader,
  timestampParameter,
  timestampSelector,
}: HmacSettings): boolean {
  if (timestampParameter !== undefined) return true;
  return timestampHeader !== undefined && (timestampSelector === undefined || signed.includes('{timestamp}'));
}

/** Checks the age of a time in the body, whose bytes are verified. A header with the time must agree with it. */
function checkTimeInBody(
  { timestampSelector, timestampUnit, toleranceSeconds }: HmacSettings,
  timestamp: string | undefined,
  delivery: Delivery,
  now: number,
): Verdict {
  if (timestampSelector === undefined) return undefined;
  let text: string | undefined;
  try {
    text = timestampInBody(readContent(delivery).body, timestampSelector);
  } catch {
    return { code: 'body_unreadable', detail: 'The body is not JSON, so the time in it cannot be read.' };
  }
  const refusal = checkTimestamp(text, timestampUnit, toleranceSeconds, now);
  if (refusal || timestamp === undefined) return refusal;
  return parseTimestamp(timestamp, timestampUnit) === parseTimestamp(text ?? '', timestampUnit)
    ? undefined
    : { code: 'timestamp_malformed', detail: 'The timestamp in the header is not the one in the body.' };
}

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
