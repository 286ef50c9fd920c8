import { createHash } from 'node:crypto';
import type { Delivery } from '../../functions/delivery.ts';
import { SCHEMES } from '../../functions/schemes/index.ts';
import {
  identify,
  type SchemeName,
  type SettingsOf,
  type VerifySettings,
} from '../../functions/schemes/scheme.ts';
import { timestampIn } from '../../functions/schemes/signature-header.ts';

/** What a signature covers; `undefined` where a delivery has no signature. */
type Signed = { what: string; bytes: Buffer } | undefined;

type Reader<Name extends SchemeName> = (settings: SettingsOf<Name>, delivery: Delivery) => Signed;

const nothing = () => undefined;

const READERS: { [Name in SchemeName]: Reader<Name> } = {
  hmac: (settings, delivery) => {
    const { signed, idHeader } = settings;
    const values: Record<string, string | Buffer> = {
      '{body}': delivery.body,
      '{timestamp}': timestampIn(settings, delivery.headers) ?? '',
      '{id}': delivery.headers[idHeader ?? ''] ?? '',
    };
    const parts = signed.split(/(\{\w+\})/).map((part) => Buffer.from(values[part] ?? part));
    return { what: signed, bytes: Buffer.concat(parts) };
  },
  'standard-webhooks': (_settings, { headers, body }) => {
    const [id, timestamp] = ['id', 'timestamp'].map(
      (name) => headers[`webhook-${name}`] ?? headers[`svix-${name}`] ?? '',
    );
    return {
      what: '{id}.{timestamp}.{body}',
      bytes: Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]),
    };
  },
  rsa: (_settings, { body }) => ({ what: '{body}', bytes: body }),
  hubspot: (_settings, { method, url, headers, body }) => {
    const start = Buffer.from(`${method}${url}`);
    const end = Buffer.from(headers['x-hubspot-request-timestamp'] ?? '');
    return { what: 'method, address, body, time', bytes: Buffer.concat([start, body, end]) };
  },
  twilio: (settings, delivery) => {
    const { content } = identify({ scheme: SCHEMES.twilio, verify: settings }, delivery);
    return { what: 'the address and the fields of the body', bytes: Buffer.from(content) };
  },
  jwt: nothing,
  bearer: nothing,
  header: nothing,
  query: nothing,
  basic: nothing,
  'event-bus': nothing,
};

/** The signed bytes of a delivery in words: what they are made of, their length and their SHA-256. Never the bytes. */
export function describeSigned(
  verify: VerifySettings,
  delivery: Delivery,
  showBody: boolean,
): string | undefined {
  const signed = (READERS[verify.scheme] as Reader<SchemeName>)(verify as never, delivery);
  if (!signed) return undefined;
  const hash = createHash('sha256').update(signed.bytes).digest('hex');
  const text = showBody ? `:\n${signed.bytes.toString()}` : '';
  return `Signed: ${signed.what}, ${signed.bytes.length} bytes, SHA-256 ${hash}${text}`;
}
