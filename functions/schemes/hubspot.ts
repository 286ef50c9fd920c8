import { createHash, createHmac, type KeyObject } from 'node:crypto';
import type { Delivery } from '../delivery.ts';
import type { Verdict } from '../refusal.ts';
import { equalSignatures } from './constant-time.ts';
import { readValues, textKey } from './keys.ts';
import type { Scheme } from './scheme.ts';
import { checkTimestamp, TOLERANCE_SECONDS } from './timestamp.ts';

/** The escapes that HubSpot decodes before it signs the address. It keeps every other escape. */
const UNESCAPED = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

const V3 = /^[A-Za-z0-9+/]{43}=$/;
const V3_LENGTH = 44;
const MALFORMED: Verdict = {
  code: 'signature_malformed',
  detail: 'The signature does not have the format of v3.',
};

/** What the two older versions sign before the body. They share a header and are plain hashes that begin with the secret. */
const OLDER: Record<string, (delivery: Delivery) => string> = {
  v1: () => '',
  v2: ({ method, url }) => `${method}${unescapeUrl(url)}`,
};

/** A client secret: v3 has it as the key of an HMAC, the older versions hash its text. */
type Key = { text: string; mac: KeyObject };

/**
 * HubSpot's signatures with an app's client secret in UTF-8: v3 (HMAC-SHA256 over method, address, body and
 * time), v2 (SHA-256 over secret, method, address and body) and v1 (SHA-256 over secret and body). If a delivery
 * has a v3 signature, only that counts. HubSpot sends an older one with it, which must not replace a wrong v3.
 *
 * @see https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
 */
const hubspot: Scheme<{ scheme: 'hubspot' }, Key[]> = {
  secret: { field: 'signingSecret', issuedBy: 'vendor' },
  readKeys: (secret) => readValues(secret, 'signingSecret').map((text) => ({ text, mac: textKey(text) })),
  verify(_settings, keys, delivery, now) {
    const { 'x-hubspot-signature-v3': v3, 'x-hubspot-signature': older } = delivery.headers;
    return v3 === undefined ? verifyOlder(keys, delivery, older) : verifyV3(keys, delivery, v3, now);
  },
  identify(_settings, { headers, body }) {
    const isV3 = headers['x-hubspot-signature-v3'] !== undefined;
    return { ...(isV3 && { moment: headers['x-hubspot-request-timestamp'] ?? '' }), content: body };
  },
};

export default hubspot;

function verifyV3(keys: Key[], delivery: Delivery, given: string, now: number): Verdict {
  if (!given) return { code: 'signature_missing', detail: 'The signature is missing.' };
  const { method, url, headers, body } = delivery;
  const timestamp = headers['x-hubspot-request-timestamp'] ?? '';
  const refusal = checkTimestamp(timestamp, 'ms', TOLERANCE_SECONDS, now);
  if (refusal) return refusal;
  if (given.length !== V3_LENGTH) return MALFORMED;
  const before = `${method}${unescapeUrl(url)}`;
  const verdict = compare(given, keys, ({ mac }) =>
    createHmac('sha256', mac).update(before).update(body).update(timestamp).digest('base64'),
  );
  // An equal one has the format, so only the others are looked at more closely.
  return verdict && !V3.test(given) ? MALFORMED : verdict;
}

function verifyOlder(keys: Key[], delivery: Delivery, given: string | undefined): Verdict {
  if (!given) return { code: 'signature_missing', detail: 'The signature is missing.' };
  const version = delivery.headers['x-hubspot-signature-version'] ?? '';
  const signed = Object.hasOwn(OLDER, version) ? OLDER[version]?.(delivery) : undefined;
  if (signed === undefined || !/^[0-9a-f]{64}$/.test(given)) {
    return { code: 'signature_malformed', detail: 'The signature does not have the format of v1 or v2.' };
  }
  return compare(given, keys, ({ text }) =>
    createHash('sha256').update(`${text}${signed}`).update(delivery.body).digest('hex'),
  );
}

function compare(given: string, keys: Key[], sign: (key: Key) => string): Verdict {
  let isEqual = false;
  // Tries every key, so that the time does not reveal which one matched.
  for (const key of keys) isEqual = equalSignatures(given, sign(key)) || isEqual;
  return isEqual
    ? undefined
    : {
        code: 'signature_mismatch',
        detail: 'The signature does not match the request, its address and the stored secret.',
      };
}

function unescapeUrl(url: string): string {
  return url.includes('%') ? url.replace(UNESCAPED, decodeURIComponent) : url;
}
