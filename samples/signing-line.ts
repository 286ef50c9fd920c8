import type { HmacSettings, RsaSettings, VerifySettings } from '../functions/schemes/scheme.ts';
import { basicAuthorization } from './delivery.ts';
import { quote } from './sample-delivery.ts';
import { withTimeInBody } from './time-in-body.ts';

/** A connection's address as this machine reaches it, and as a signature covers it. */
type Addresses = { reachable: string; signed: string };

type Sending = {
  url: Addresses;
  /** The connection's secret, one value for each field. */
  secret: Record<string, string>;
  body: string;
  /** Headers in addition to those of the proof. */
  headers?: Record<string, string>;
};

/** The parts that a shell joins: literal texts and variables. */
type Words = (string | { variable: string })[];

type Proof = { steps: string[]; headers: Record<string, Words>; query?: Words };

/**
 * Makes one line of shell that signs `BODY` with the secret and the time at which it runs, and sends it. The body can
 * be changed, and the line can be used any number of times. It needs openssl and curl.
 *
 * @returns `undefined` when only the vendor has the key, so nobody can sign here
 */
export function signingLine(
  verify: VerifySettings,
  { url, secret, body, headers = {} }: Sending,
): string | undefined {
  const proof = proofOf(verify, url.signed, secret);
  if (!proof) return undefined;
  const all = { 'content-type': ['application/json'], ...wordsOf(headers), ...proof.headers };
  const options = Object.entries(all).map(([name, words]) => `-H ${shell([`${name}: `, ...words])}`);
  const mark = url.reachable.includes('?') ? '&' : '?';
  const address = shell([url.reachable, ...(proof.query ? [mark, ...proof.query] : [])]);
  const curl = ['curl -i', address, ...options, '-d "$BODY"'].join(' ');
  const words = bodyWords(verify, body);
  const time = words.includes(TIME) && verify.scheme === 'hmac' ? [TIMES[verify.timestampUnit]] : [];
  return [...time, `BODY=${shell(words)}`, ...proof.steps, curl].join('; ');
}

/** The body, with a variable where the connection reads its time. */
function bodyWords(verify: VerifySettings, body: string): Words {
  const marked = withTimeInBody(verify, body, MARK.at);
  if (marked === undefined || verify.scheme !== 'hmac') return [body];
  const [before = '', after = ''] = marked.split(MARK.text[verify.timestampUnit]);
  return [before, TIME, after];
}

/** A time that stands for the one at which the line runs. */
const MARK = {
  at: Date.UTC(2099, 11, 31, 23, 59, 59),
  text: { s: '4102444799', ms: '4102444799000', iso: '2099-12-31T23:59:59Z' },
};

function wordsOf(headers: Record<string, string>): Record<string, Words> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
}

/** Quotes every text so that no character in it means anything to a shell, not even `!` to an interactive one. */
function shell(words: Words): string {
  const texts: Words = [];
  for (const word of words) {
    const last = texts.at(-1);
    if (typeof word === 'string' && typeof last === 'string') texts[texts.length - 1] = last + word;
    else texts.push(word);
  }
  return texts.map((word) => (typeof word === 'string' ? quote(word) : `"$${word.variable}"`)).join('');
}

const BODY = { variable: 'BODY' };
const TIME = { variable: 'TIME' };
const ID = { variable: 'ID' };
const HASH = { variable: 'HASH' };
const SIGNATURE = { variable: 'SIGNATURE' };

function proofOf(
  verify: VerifySettings,
  url: string,
  { signingSecret = '', token = '', username = '', password = '', privateKey = '' }: Record<string, string>,
): Proof | undefined {
  switch (verify.scheme) {
    case 'hmac':
      return hmac(verify, signingSecret);
    case 'rsa':
      return privateKey ? rsa(verify, privateKey) : undefined;
    case 'standard-webhooks':
      return standardWebhooks(signingSecret);
    case 'hubspot':
      return {
        steps: [TIMES.ms, sign(['POST', url, BODY, TIME], 'sha256', 'base64', signingSecret)],
        headers: { 'x-hubspot-signature-v3': [SIGNATURE], 'x-hubspot-request-timestamp': [TIME] },
      };
    case 'twilio':
      return {
        steps: [
          `HASH=$(printf %s "$BODY" | openssl dgst -sha256 | sed 's/.* //')`,
          sign([url, '?bodySHA256=', HASH], 'sha1', 'base64', signingSecret),
        ],
        headers: { 'x-twilio-signature': [SIGNATURE] },
        query: ['bodySHA256=', HASH],
      };
    case 'bearer':
      return { steps: [], headers: { authorization: [`Bearer ${token}`] } };
    case 'header':
      return { steps: [], headers: { [verify.header]: [token] } };
    case 'query':
      return { steps: [], headers: {}, query: [`${verify.parameter}=${encodeURIComponent(token)}`] };
    case 'basic':
      return { steps: [], headers: wordsOf(basicAuthorization(username, password)) };
    case 'jwt':
    case 'event-bus':
      return undefined;
  }
  return verify satisfies never;
}

const TIMES: Record<HmacSettings['timestampUnit'], string> = {
  s: 'TIME=$(date +%s)',
  ms: 'TIME=$(date +%s)000',
  iso: 'TIME=$(date -u +%Y-%m-%dT%H:%M:%SZ)',
};
const IDS = 'ID=local-$(date +%s)-$$';

const PLACES: Record<string, { variable: string }> = { '{timestamp}': TIME, '{id}': ID, '{body}': BODY };

function hmac(settings: HmacSettings, secret: string): Proof {
  const {
    header,
    prefix = '',
    signed,
    algorithm,
    encoding,
    keyEncoding,
    timestampHeader,
    idHeader,
  } = settings;
  const { signatureParameter, timestampParameter, timestampSelector } = settings;
  const time = timestampParameter ? [`${timestampParameter}=`, TIME, ','] : [];
  const content = signed
    .split(/(\{\w+\})/)
    .filter(Boolean)
    .map((part) => PLACES[part] ?? part);
  return {
    steps: [
      ...((timestampHeader ?? timestampParameter) && !timestampSelector
        ? [TIMES[settings.timestampUnit]]
        : []),
      ...(idHeader ? [IDS] : []),
      sign(content, algorithm, encoding, secret, keyEncoding),
    ],
    headers: {
      [header]: signatureParameter
        ? [...time, `${signatureParameter}=${prefix}`, SIGNATURE]
        : [prefix, SIGNATURE],
      ...(timestampHeader && { [timestampHeader]: [TIME] }),
      ...(idHeader && { [idHeader]: [ID] }),
    },
  };
}

function standardWebhooks(secret: string): Proof {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64').toString('hex');
  return {
    steps: [
      TIMES.s,
      IDS,
      `SIGNATURE=$(printf %s "$ID.$TIME.$BODY" | openssl dgst -sha256 -mac HMAC -macopt hexkey:${key} -binary | openssl base64 -A)`,
    ],
    headers: {
      'webhook-id': [ID],
      'webhook-timestamp': [TIME],
      'webhook-signature': ['v1,', SIGNATURE],
    },
  };
}

/** The key is in a file while openssl reads it. */
function rsa({ header, encoding }: RsaSettings, privateKey: string): Proof {
  const written = encoding === 'hex' ? "od -An -v -tx1 | tr -d ' \\n'" : 'openssl base64 -A';
  return {
    steps: [
      'KEY=$(mktemp)',
      `printf %s ${quote(privateKey)} | openssl base64 -d -A > "$KEY"`,
      `SIGNATURE=$(printf %s "$BODY" | openssl dgst -sha256 -keyform DER -sign "$KEY" | ${written})`,
      'rm "$KEY"',
    ],
    headers: { [header]: [SIGNATURE] },
  };
}

function sign(
  content: Words,
  algorithm: HmacSettings['algorithm'],
  encoding: HmacSettings['encoding'],
  secret: string,
  keyEncoding: HmacSettings['keyEncoding'] = 'text',
): string {
  const key =
    keyEncoding === 'text'
      ? `-hmac ${quote(secret)}`
      : `-mac HMAC -macopt hexkey:${Buffer.from(secret, keyEncoding).toString('hex')}`;
  const digest = `openssl dgst -${algorithm} ${key}`;
  const written = encoding === 'hex' ? `${digest} | sed 's/.* //'` : `${digest} -binary | openssl base64 -A`;
  return `SIGNATURE=$(printf %s ${shell(content)} | ${written})`;
}
