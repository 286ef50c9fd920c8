import { createHash, createHmac } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import { type Delivery, isForm } from '../delivery.ts';
import { equalTexts } from './constant-time.ts';
import { readValues } from './keys.ts';
import type { Refusal, Scheme } from './scheme.ts';

/**
 * Twilio's signature by an account's auth token: HMAC-SHA1 over the address and a form's fields. Of any other
 * body the address carries the hash, and so it is signed with it. No time is signed.
 *
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
const twilio: Scheme<{ scheme: 'twilio' }, string[]> = {
  readKeys: (secret) => readValues(secret, 'signingSecret'),
  verify(_settings, keys, delivery) {
    const given = delivery.headers['x-twilio-signature'];
    if (!given) return { code: 'signature_missing', detail: 'The signature is missing.' };
    if (!/^[A-Za-z0-9+/]{27}=$/.test(given)) {
      return { code: 'signature_malformed', detail: 'The signature is not written as Twilio writes it.' };
    }
    const hashes = new URLSearchParams(delivery.rawQuery).getAll('bodySHA256');
    const refusal = checkBody(delivery, hashes);
    if (refusal) return refusal;
    const fields = hashes.length === 0 ? signedFields(delivery.body) : '';
    // Every key and every form of the address is tried, so that the time does not tell which one matched.
    const matches = addresses(delivery.url).flatMap((address) =>
      keys.map((key) =>
        equalTexts(given, createHmac('sha1', key).update(`${address}${fields}`).digest('base64')),
      ),
    );
    return matches.includes(true)
      ? undefined
      : {
          code: 'signature_mismatch',
          detail: 'The signature does not match the address, the body and the stored secret.',
        };
  },
  // A form can be written in many ways that have one signature.
  identify: (_settings, { headers }) => ({ content: headers['x-twilio-signature'] ?? '' }),
};

export default twilio;

/** Whether the signature can cover the body at all. */
function checkBody(delivery: Delivery, hashes: string[]): Refusal | undefined {
  if (hashes.length === 0) {
    return isForm(delivery) || delivery.body.length === 0
      ? undefined
      : { code: 'signature_missing', detail: 'The address lacks bodySHA256, so the body is not signed.' };
  }
  const expected = createHash('sha256').update(delivery.body).digest('hex');
  return hashes.every((hash) => equalTexts(hash, expected))
    ? undefined
    : { code: 'signature_mismatch', detail: 'The body is not the one whose hash the address carries.' };
}

/** The fields by name, each with its different values in order, without anything between them. */
function signedFields(body: Buffer): string {
  const fields = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(body.toString())) {
    fields.set(name, (fields.get(name) ?? new Set()).add(value));
  }
  return [...fields.keys()]
    .sort()
    .flatMap((name) => [...(fields.get(name) ?? [])].sort().map((value) => `${name}${value}`))
    .join('');
}

/**
 * The forms of one address that Twilio's back ends are known to sign: as it was called and as a browser would
 * write it, with the port and without, and with the query escaped anew.
 *
 * @see https://github.com/twilio/twilio-node/blob/main/src/webhooks/webhooks.ts
 */
function addresses(url: string): string[] {
  const normal = URL.canParse(url) ? withAndWithoutPort(new URL(url).href) : [];
  return [...new Set([...withAndWithoutPort(url), ...normal, ...normal.map(withQueryEscapedAnew)])];
}

function withAndWithoutPort(url: string): string[] {
  const [, scheme, host, port, rest] =
    /^(\w+:\/\/)((?:[^/?#]*@)?(?:\[[^\]]*\]|[^/?#:]*))(:\d*)?(.*)$/s.exec(url) ?? [];
  if (!scheme) return [url];
  const standard = scheme.toLowerCase() === 'https://' ? ':443' : ':80';
  return [`${scheme}${host}${rest}`, `${scheme}${host}${port || standard}${rest}`];
}

function withQueryEscapedAnew(url: string): string {
  const [address, query] = url.split(/\?(.*)/s);
  return query ? `${address}?${stringify(parse(query))}` : url;
}
