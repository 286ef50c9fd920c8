import {
  createHash,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Delivery } from '../functions/delivery.ts';
import type { HmacSettings, RsaSettings, SchemeName, SettingsOf } from '../functions/schemes/scheme.ts';

// Makes valid deliveries, as a CRM sends them. The signing here shares no code with functions/schemes.

export type Headers = Record<string, string>;

/** The body's exact bytes are signed. `at` is the time of signing in Unix milliseconds. */
type Signing = { secret: string; body: string | Buffer; at: number };

/** @see https://developer.zendesk.com/documentation/webhooks/verifying/ */
export function signZendesk({ secret, body, at }: Signing): Headers {
  const timestamp = isoSeconds(at);
  return {
    'x-zendesk-webhook-signature': createHmac('sha256', secret)
      .update(timestamp)
      .update(body)
      .digest('base64'),
    'x-zendesk-webhook-signature-timestamp': timestamp,
  };
}

/** The body of a Zendesk webhook that is subscribed to ticket events. */
export function zendeskEvent({
  type = 'ticket.status_changed',
  current = 'SOLVED',
  externalId = 'KpQx-polyai-0001' as unknown,
  ticket = '5158',
  id = 'cbe4028c-7239-495d-b020-f22348516046',
} = {}) {
  return {
    account_id: 22129848,
    detail: {
      actor_id: '8447388090494',
      custom_status: '8447320465790',
      external_id: externalId,
      id: ticket,
      status: current,
      subject: 'ticketinfo_2294a6e9ece2',
      via: { channel: 'web_service' },
    },
    event: {
      current,
      previous: 'OPEN',
      meta: { sequence: { id: '01J0000000000000000000000', position: 1 } },
    },
    id,
    subject: `zen:ticket:${ticket}`,
    time: '2025-01-08T10:12:07.672717030Z',
    type: `zen:event-type:${type}`,
    zendesk_event_version: '2022-11-06',
  };
}

/** Signs a body as the holder of a private key does. @param privateKey PKCS#8 in base64 */
export function signRsa({
  settings: { header, encoding },
  privateKey,
  body,
}: {
  settings: RsaSettings;
  privateKey: string;
  body: string | Buffer;
}): Headers {
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  return { [header]: sign('RSA-SHA256', Buffer.from(body), key).toString(encoding) };
}

/** A key pair as a connection with the scheme `rsa` has it on this machine: the sender's half is stored with it. */
export function makeRsaSecret(): { publicKey: string; privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
  };
}

type HmacSigning = Signing & { settings: HmacSettings; id?: string };

/** Signs by the generic scheme `hmac`, with any settings. */
export function signHmac({ settings, secret, body, at, id = 'delivery-0001' }: HmacSigning): Headers {
  const {
    algorithm,
    encoding,
    keyEncoding = 'text',
    prefix = '',
    header,
    timestampHeader,
    idHeader,
  } = settings;
  const { signatureParameter, timestampParameter } = settings;
  const timestamp = { s: `${Math.floor(at / 1000)}`, ms: `${at}`, iso: isoSeconds(at) }[
    settings.timestampUnit
  ];
  const mac = createHmac(algorithm, Buffer.from(secret, keyEncoding === 'text' ? 'utf8' : keyEncoding));
  for (const [, text = '', placeholder] of settings.signed.matchAll(/([^{]*)(\{\w+\})?/g)) {
    mac.update(text);
    if (placeholder === '{body}') mac.update(body);
    if (placeholder === '{timestamp}') mac.update(timestamp);
    if (placeholder === '{id}') mac.update(id);
  }
  const signature = `${prefix}${mac.digest(encoding)}`;
  const time = timestampParameter && `${timestampParameter}=${timestamp},`;
  return {
    [header]: signatureParameter ? `${time ?? ''}${signatureParameter}=${signature}` : signature,
    ...(timestampHeader && { [timestampHeader]: timestamp }),
    ...(idHeader && { [idHeader]: id }),
  };
}

type StandardSigning = Signing & { id?: string; names?: 'webhook' | 'svix' };

/** Signs by Standard Webhooks' `v1`. `names: 'svix'` uses Svix's header names. */
export function signStandardWebhooks({
  secret,
  body,
  at,
  id = 'msg_0001',
  names = 'webhook',
}: StandardSigning): Headers {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const timestamp = `${Math.floor(at / 1000)}`;
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return standardHeaders(names, id, timestamp, `v1,${signature}`);
}

/** Signs by Standard Webhooks' `v1a`, with an Ed25519 private key. */
export function signStandardWebhooksAsymmetric({
  privateKey,
  body,
  at,
  id = 'msg_0001',
}: Omit<StandardSigning, 'secret' | 'names'> & { privateKey: KeyObject }): Headers {
  const timestamp = `${Math.floor(at / 1000)}`;
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), Buffer.from(body)]);
  return standardHeaders(
    'webhook',
    id,
    timestamp,
    `v1a,${sign(null, content, privateKey).toString('base64')}`,
  );
}

/** The public key as the receiver stores it. */
export function whpk(publicKey: KeyObject): string {
  return `whpk_${Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')}`;
}

export function basicAuthorization(username: string, password: string): Headers {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

type UrlSigning = Signing & { url: string; method?: string };

/** HubSpot signs these characters unescaped, even if they are escaped in the address. */
const HUBSPOT_UNESCAPED = ":/?@!$'()*,;";

/** @see https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation */
export function signHubspot({ secret, body, at, url, method = 'POST' }: UrlSigning): Headers {
  const mac = createHmac('sha256', secret);
  mac.update(method + hubspotUrl(url));
  mac.update(body);
  mac.update(`${at}`);
  return { 'x-hubspot-signature-v3': mac.digest('base64'), 'x-hubspot-request-timestamp': `${at}` };
}

/** Signs by one of the two older versions. HubSpot sends one of them beside v3. */
export function signHubspotOlder(
  version: 'v1' | 'v2',
  { secret, body, url, method = 'POST' }: Omit<UrlSigning, 'at'>,
): Headers {
  const start = version === 'v1' ? secret : secret + method + hubspotUrl(url);
  const content = Buffer.concat([Buffer.from(start), Buffer.from(body)]);
  return {
    'x-hubspot-signature': createHash('sha256').update(content).digest('hex'),
    'x-hubspot-signature-version': version,
  };
}

function hubspotUrl(url: string): string {
  const escapeOf = (character: string) => new RegExp(`%${character.charCodeAt(0).toString(16)}`, 'gi');
  return [...HUBSPOT_UNESCAPED].reduce(
    (text, character) => text.replace(escapeOf(character), () => character),
    url,
  );
}

/**
 * Signs a form, or a JSON body (an object or an array), as Twilio does.
 *
 * @returns for JSON also the parameter to append to the address
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export function signTwilio({ secret, body, url }: Omit<UrlSigning, 'at' | 'method'>): {
  headers: Headers;
  query: string;
} {
  const isJson = /^\s*[[{]/.test(body.toString());
  const query = isJson ? `bodySHA256=${createHash('sha256').update(body).digest('hex')}` : '';
  const mac = createHmac('sha1', secret).update(
    query ? `${url}${url.includes('?') ? '&' : '?'}${query}` : url,
  );
  if (!isJson) for (const [name, value] of twilioFields(body.toString())) mac.update(name + value);
  return { headers: { 'x-twilio-signature': mac.digest('base64') }, query };
}

/** The fields in the order of their names, then of their values, without duplicates. */
function twilioFields(form: string): [string, string][] {
  const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));
  const pairs = [...new Set(form.split('&'))].filter(Boolean).map((pair): [string, string] => {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    return [decode(name), decode(value)];
  });
  const order = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  return pairs
    .sort(([name, value], [other, another]) => order(name, other) || order(value, another))
    .filter(([name, value], index, all) => name !== all[index - 1]?.[0] || value !== all[index - 1]?.[1]);
}

/** A connection's secret as Secrets Manager has it, with one value in each field. */
type Secret = {
  signingSecret?: string;
  token?: string;
  username?: string;
  password?: string;
  /** The sender's half of a key pair. It is in a secret only on this machine, where the sender is played. */
  privateKey?: string;
};

/** `url` is the address with the delivery's own query, as the receiver sees it; `at` is in Unix milliseconds. */
type Unproven = { body: string | Buffer; at: number; url: string; method: string };

/** What a proof adds to a delivery. Its query comes after the delivery's own. */
type Proof = { headers: Headers; query: string };

type Prover<Name extends SchemeName> = (
  settings: SettingsOf<Name>,
  secret: Required<Secret>,
  delivery: Unproven,
) => Proof;

const inHeaders = (headers: Headers): Proof => ({ headers, query: '' });

/** How a sender proves a delivery. A token of `jwt` is signed elsewhere: its scheme is given it as `token`. */
const PROVERS: { [Name in SchemeName]: Prover<Name> } = {
  hmac: (settings, { signingSecret: secret }, { body, at }) =>
    inHeaders(signHmac({ settings, secret, body, at })),
  rsa: (settings, { privateKey }, { body }) => inHeaders(signRsa({ settings, privateKey, body })),
  'standard-webhooks': (_settings, { signingSecret: secret }, { body, at }) =>
    inHeaders(signStandardWebhooks({ secret, body, at })),
  bearer: (_settings, { token }) => inHeaders({ authorization: `Bearer ${token}` }),
  header: ({ header }, { token }) => inHeaders({ [header]: token }),
  query: ({ parameter }, { token }) => ({ headers: {}, query: `${parameter}=${encodeURIComponent(token)}` }),
  basic: (_settings, { username, password }) => inHeaders(basicAuthorization(username, password)),
  hubspot: (_settings, { signingSecret: secret }, delivery) =>
    inHeaders(signHubspot({ secret, ...delivery })),
  twilio: (_settings, { signingSecret: secret }, { body, url }) => signTwilio({ secret, body, url }),
  jwt: ({ header }, { token }) => inHeaders({ [header]: token }),
  'event-bus': () => {
    throw new Error('an event of a bus carries no proof');
  },
};

/**
 * Proves a delivery by any scheme, as its sender would.
 *
 * @param delivery without `url`, schemes that sign the address make a proof that does not verify
 * @throws {Error} for the scheme of buses, where there is nothing to prove
 */
export function prove<Name extends SchemeName>(
  settings: SettingsOf<Name>,
  secret: Secret,
  delivery: Pick<Unproven, 'body' | 'at'> & Partial<Unproven>,
): Proof {
  const prover = PROVERS[settings.scheme as Name] as Prover<Name>;
  const complete = { signingSecret: '', token: '', username: '', password: '', privateKey: '', ...secret };
  return prover(settings, complete, { url: '', method: 'POST', ...delivery });
}

type Request = {
  /** Becomes part of the path, and the path parameter. */
  connection?: string;
  method?: string;
  headers?: Record<string, string | undefined>;
  body?: string | Buffer;
  query?: string;
  sourceIp?: string;
  requestId?: string;
  /** When it reached API Gateway, in Unix milliseconds. */
  arrivedAt?: number;
};

/**
 * An HTTP request as API Gateway passes it to a Lambda: payload 2.0, binary bodies in base64.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function apiGatewayEvent({
  connection = 'zendesk-support',
  method = 'POST',
  headers = {},
  body = '',
  query = '',
  sourceIp = '203.0.113.7',
  requestId = 'JKJaXmPLvHcESHA=',
  arrivedAt = 1782907200000,
}: Request = {}): APIGatewayProxyEventV2 {
  const isBase64Encoded = typeof body !== 'string';
  const path = `/webhooks/${connection}`;
  const domainName = 'a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';
  return {
    version: '2.0',
    routeKey: 'ANY /webhooks/{connection+}',
    rawPath: path,
    rawQueryString: query,
    headers: {
      'content-type': 'application/json',
      host: domainName,
      'x-forwarded-for': sourceIp,
      ...headers,
    },
    pathParameters: { connection },
    requestContext: {
      accountId: '123456789012',
      apiId: 'a1b2c3d4e5',
      domainName,
      domainPrefix: 'a1b2c3d4e5',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp, userAgent: 'test' },
      requestId,
      routeKey: 'ANY /webhooks/{connection+}',
      stage: '$default',
      time: '01/Jul/2026:12:00:00 +0000',
      timeEpoch: arrivedAt,
    },
    ...(body.length > 0 && { body: isBase64Encoded ? body.toString('base64') : body }),
    isBase64Encoded,
  };
}

/** A delivery as the receiver reads it from a request, for tests that need no event of API Gateway. */
export function delivery({ headers = {}, body = '', query = '', method = 'POST' }: Request = {}): Delivery {
  const present = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    method,
    headers: Object.fromEntries(present),
    url: `https://hooks.example.com/webhooks/zendesk-support${query && `?${query}`}`,
    rawQuery: query,
    body: Buffer.from(body),
    sourceIp: '203.0.113.7',
  };
}

/** Whether a secret is plain text. One that begins with a quotation mark or a bracket may be a pasted list. */
export function isPlain(secret: string): boolean {
  return !/^["'`[{“”„‘’‚«»]/.test(secret);
}

/** The text with one character, counted round its end, replaced by another one. */
export function changeCharacter(text: string, position: number): string {
  const index = position % text.length;
  const other = text[index] === 'A' ? 'B' : 'A';
  return text.slice(0, index) + other + text.slice(index + 1);
}

/** The bytes with one of them, counted round their end, changed by 1 to 255. */
export function changeByte(bytes: Uint8Array, position: number, by: number): Buffer {
  const changed = Buffer.from(bytes);
  const index = position % changed.length;
  changed[index] = ((changed[index] ?? 0) + by) % 256;
  return changed;
}

function standardHeaders(
  names: 'webhook' | 'svix',
  id: string,
  timestamp: string,
  signature: string,
): Headers {
  return { [`${names}-id`]: id, [`${names}-timestamp`]: timestamp, [`${names}-signature`]: signature };
}

/** Zendesk's format: `2026-07-01T12:00:00Z`. */
function isoSeconds(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
