import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import type { Delivery } from '../delivery.ts';
import { isTooLargeForm, LIMITS } from '../parse-body.ts';
import type { Refusal, Verdict } from '../refusal.ts';
import { equalSignatures } from './constant-time.ts';
import { readValues, textKey } from './keys.ts';
import type { Scheme } from './scheme.ts';

/**
 * The beginnings, as signed, of the fields that an event has once: every event its account and its type, whether of
 * Conversations or of TaskRouter, and a task its attributes.
 */
const ONCE = [/AccountSidAC/g, /EventType(on|[a-z-]+\.)/g, /TaskAttributes\{/g];
/** A character of a form takes at most three bytes. */
const MAX_FORM_BYTES = 3 * LIMITS.formCharacters;
const TOO_LARGE: Refusal = {
  code: 'signature_malformed',
  detail: 'The form has more fields than Twilio signs.',
};
const MISMATCH: Refusal = {
  code: 'signature_mismatch',
  detail: 'The signature does not match the address, the body and the stored secret.',
};

/**
 * Twilio's signature with an account's auth token: HMAC-SHA1 over the address and the fields of a form. For any
 * other body the address carries the body's hash, so the signature covers it too. No time is signed.
 *
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
const twilio: Scheme<{ scheme: 'twilio' }, KeyObject[]> = {
  secret: { field: 'signingSecret', issuedBy: 'vendor' },
  readKeys: (secret) => readValues(secret, 'signingSecret').map(textKey),
  verify(_settings, keys, delivery) {
    const given = delivery.headers['x-twilio-signature'];
    if (!given) return { code: 'signature_missing', detail: 'The signature is missing.' };
    if (!/^[A-Za-z0-9+/]{27}=$/.test(given)) {
      return { code: 'signature_malformed', detail: 'The signature does not have the format of Twilio.' };
    }
    if (isTooLargeForm(delivery.rawQuery)) return TOO_LARGE;
    const hashes = bodyHashes(delivery.rawQuery);
    return hashes.length > 0
      ? (checkHashes(hashes, delivery.body) ?? verifySigned(given, keys, delivery.url, ''))
      : verifyForm(given, keys, delivery);
  },
  // Many spellings of a form have the same signature.
  identify: (_settings, { headers }) => ({ content: headers['x-twilio-signature'] ?? '' }),
};

export default twilio;

/** Whether the address carries Twilio's hash of a JSON body. Without it the body is a form. */
export function hasBodyHash(rawQuery: string): boolean {
  return bodyHashes(rawQuery).length > 0;
}

/** The hashes of the body in the address. Most addresses have none, and need no parsing to tell. */
function bodyHashes(rawQuery: string): string[] {
  const mayHave = rawQuery.includes('bodySHA256') || rawQuery.includes('%');
  return mayHave ? new URLSearchParams(rawQuery).getAll('bodySHA256') : [];
}

function checkHashes(hashes: readonly string[], body: Buffer): Verdict {
  const expected = createHash('sha256').update(body).digest('hex');
  return hashes.every((hash) => equalSignatures(hash, expected))
    ? undefined
    : { code: 'signature_mismatch', detail: 'The hash in the address does not match the body.' };
}

/** Verifies a form. Its size is checked before it is parsed, because nothing is verified yet. */
function verifyForm(given: string, keys: KeyObject[], { url, body }: Delivery): Verdict {
  if (body.length > MAX_FORM_BYTES) return TOO_LARGE;
  const text = body.toString();
  if (isTooLargeForm(text)) return TOO_LARGE;
  if (/^[[{]/.test(text)) {
    return { code: 'signature_missing', detail: 'The address has no bodySHA256, so the body is not signed.' };
  }
  return verifySigned(given, keys, url, signedFields(text));
}

/** @param fields the fields of a form as signed; empty where the address has a hash of the body */
function verifySigned(given: string, keys: KeyObject[], url: string, fields: string): Verdict {
  for (const address of addresses(url)) {
    const signed = `${address}${fields}`;
    // Tries every key, so that the time does not reveal which one matched. The form of the address is no secret.
    const matches = keys.map((key) =>
      equalSignatures(given, createHmac('sha1', key).update(signed).digest('base64')),
    );
    if (matches.includes(true)) return checkBorders(address, signed);
  }
  return MISMATCH;
}

/**
 * Checks that the signed text can be split in only one way. It has no separators between address, names and
 * values, so a delivery that contains an attacker's text could be split elsewhere. The fields that each event has
 * once must therefore not occur twice, and not in the address.
 */
function checkBorders(address: string, signed: string): Verdict {
  const count = (text: string, start: RegExp) => text.match(start)?.length ?? 0;
  const isAmbiguous = ONCE.some((start) => count(address, start) > 0 || count(signed, start) > 1);
  return isAmbiguous
    ? { code: 'signature_malformed', detail: 'The fields could be split in more than one way.' }
    : undefined;
}

/** The fields in the order of their names, each with its distinct values in order, without separators. */
function signedFields(text: string): string {
  const order = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  const fields = [...new URLSearchParams(text)].sort(
    ([name, value], [other, another]) => order(name, other) || order(value, another),
  );
  let signed = '';
  let [lastName, lastValue]: (string | undefined)[] = [];
  for (const [name, value] of fields) {
    if (name !== lastName || value !== lastValue) signed += name + value;
    [lastName, lastValue] = [name, value];
  }
  return signed;
}

/**
 * The forms of one address that Twilio's back ends are known to sign: as it was called and as a browser would
 * write it, with the port and without it, and with the query escaped again.
 *
 * @see https://github.com/twilio/twilio-node/blob/main/src/webhooks/webhooks.ts
 */
function* addresses(url: string): Generator<string> {
  // Most signatures are over the address as it was called, and the other forms are made only where one is not.
  yield url;
  const normal = URL.canParse(url) ? withAndWithoutPort(new URL(url).href) : [];
  const all = new Set([...withAndWithoutPort(url), ...normal, ...normal.map(withQueryEscapedAgain)]);
  all.delete(url);
  yield* all;
}

function withAndWithoutPort(url: string): string[] {
  const [, scheme, host, port, rest] =
    /^(\w+:\/\/)((?:[^/?#]*@)?(?:\[[^\]]*\]|[^/?#:]*))(:\d*)?(.*)$/s.exec(url) ?? [];
  if (!scheme) return [url];
  const standard = scheme.toLowerCase() === 'https://' ? ':443' : ':80';
  return [`${scheme}${host}${rest}`, `${scheme}${host}${port || standard}${rest}`];
}

function withQueryEscapedAgain(url: string): string {
  const [address, query] = url.split(/\?(.*)/s);
  return query ? `${address}?${stringify(parse(query))}` : url;
}
