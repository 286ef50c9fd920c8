import { createHash, createHmac } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import type { Delivery } from '../delivery.ts';
import { isTooLargeForm } from '../parse-body.ts';
import type { Refusal } from '../refusal.ts';
import { equalTexts } from './constant-time.ts';
import { readValues } from './keys.ts';
import type { Scheme } from './scheme.ts';

/**
 * The beginnings, as signed, of the fields that an event has once: every event its account and its type, whether of
 * Conversations or of TaskRouter, and a task its attributes.
 */
const ONCE = [/AccountSidAC/g, /EventType(on|[a-z-]+\.)/g, /TaskAttributes\{/g];
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
const twilio: Scheme<{ scheme: 'twilio' }, string[]> = {
  secret: { field: 'signingSecret', issuedBy: 'vendor' },
  readKeys: (secret) => readValues(secret, 'signingSecret'),
  verify(_settings, keys, delivery) {
    const given = delivery.headers['x-twilio-signature'];
    if (!given) return { code: 'signature_missing', detail: 'The signature is missing.' };
    if (!/^[A-Za-z0-9+/]{27}=$/.test(given)) {
      return { code: 'signature_malformed', detail: 'The signature does not have the format of Twilio.' };
    }
    const text = delivery.body.toString();
    const refusal = checkSize(delivery.rawQuery, text) ?? checkBody(delivery, text);
    if (refusal) return refusal;
    const fields = hasBodyHash(delivery.rawQuery) ? '' : signedFields(text);
    // Tries every key with every form of the address, so that the time does not reveal which one matched.
    const matches = addresses(delivery.url).flatMap((address) =>
      keys.map((key) =>
        equalTexts(given, createHmac('sha1', key).update(`${address}${fields}`).digest('base64'))
          ? [address]
          : [],
      ),
    );
    const [address] = matches.flat();
    return address === undefined ? MISMATCH : checkBorders(address, fields);
  },
  // Many spellings of a form have the same signature.
  identify: (_settings, { headers }) => ({ content: headers['x-twilio-signature'] ?? '' }),
};

export default twilio;

/** Whether the address carries Twilio's hash of a JSON body. Without it the body is a form. */
export function hasBodyHash(rawQuery: string): boolean {
  return new URLSearchParams(rawQuery).has('bodySHA256');
}

/** Checks the size before anything is parsed, because nothing is verified yet. */
function checkSize(rawQuery: string, text: string): Refusal | undefined {
  const isTooLarge = isTooLargeForm(rawQuery) || (!hasBodyHash(rawQuery) && isTooLargeForm(text));
  return isTooLarge
    ? { code: 'signature_malformed', detail: 'The form has more fields than Twilio signs.' }
    : undefined;
}

/** Whether the signature can cover the body at all. */
function checkBody({ rawQuery, body }: Delivery, text: string): Refusal | undefined {
  if (!hasBodyHash(rawQuery)) {
    return /^[[{]/.test(text)
      ? { code: 'signature_missing', detail: 'The address has no bodySHA256, so the body is not signed.' }
      : undefined;
  }
  const hashes = new URLSearchParams(rawQuery).getAll('bodySHA256');
  const expected = createHash('sha256').update(body).digest('hex');
  return hashes.every((hash) => equalTexts(hash, expected))
    ? undefined
    : { code: 'signature_mismatch', detail: 'The hash in the address does not match the body.' };
}

/**
 * Checks that the signed text can be split in only one way. It has no separators between address, names and
 * values, so a delivery that contains an attacker's text could be split elsewhere. The fields that each event has
 * once must therefore not occur twice, and not in the address.
 */
function checkBorders(address: string, fields: string): Refusal | undefined {
  const signed = `${address}${fields}`;
  const count = (text: string, start: RegExp) => text.match(start)?.length ?? 0;
  const isAmbiguous = ONCE.some((start) => count(address, start) > 0 || count(signed, start) > 1);
  return isAmbiguous
    ? { code: 'signature_malformed', detail: 'The fields could be split in more than one way.' }
    : undefined;
}

/** The fields in the order of their names, each with its distinct values in order, without separators. */
function signedFields(text: string): string {
  const fields = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(text)) {
    fields.set(name, (fields.get(name) ?? new Set()).add(value));
  }
  return [...fields.keys()]
    .sort()
    .flatMap((name) => [...(fields.get(name) ?? [])].sort().map((value) => `${name}${value}`))
    .join('');
}

/**
 * The forms of one address that Twilio's back ends are known to sign: as it was called and as a browser would
 * write it, with the port and without it, and with the query escaped again.
 *
 * @see https://github.com/twilio/twilio-node/blob/main/src/webhooks/webhooks.ts
 */
function addresses(url: string): string[] {
  const normal = URL.canParse(url) ? withAndWithoutPort(new URL(url).href) : [];
  return [...new Set([...withAndWithoutPort(url), ...normal, ...normal.map(withQueryEscapedAgain)])];
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
