import type { Delivery } from '../delivery.ts';
import type { Verdict } from '../refusal.ts';
import { readStoredValues } from '../secret-value.ts';

export type HmacSettings = {
  scheme: 'hmac';
  /** Header names are in lower case throughout. */
  header: string;
  /** Name of the parameter with the signature, if the header is a list such as `t=…,v1=…`. Absent: the whole header. */
  signatureParameter?: string;
  /** Name of the parameter of the same header with the signed timestamp. */
  timestampParameter?: string;
  algorithm: 'sha1' | 'sha256' | 'sha512';
  encoding: 'hex' | 'base64';
  /** How the stored key is written. Absent: `text`, whose UTF-8 bytes are the key. */
  keyEncoding?: 'text' | 'hex' | 'base64';
  /** What the header has before the signature, such as `sha256=`. */
  prefix?: string;
  /** What is signed: `{body}` and optionally `{timestamp}` and `{id}`, such as `{timestamp}.{body}`. */
  signed: string;
  /** With `{timestamp}` in `signed` the header is signed. With `timestampSelector` it must agree with the body if it is sent. */
  timestampHeader?: string;
  /** JMESPath over `{ body }` of a time in the JSON body. */
  timestampSelector?: string;
  /** Unix seconds, Unix milliseconds or ISO 8601. */
  timestampUnit: 's' | 'ms' | 'iso';
  idHeader?: string;
  toleranceSeconds: number;
};

/** RSASSA-PKCS1-v1_5 with SHA-256 over the body. The vendor keeps the private key. */
export type RsaSettings = { scheme: 'rsa'; header: string; encoding: 'hex' | 'base64' };

/** A token that the vendor signs with one of its published keys. It covers itself, not the body. */
export type JwtSettings = {
  scheme: 'jwt';
  header: string;
  algorithm: 'RS256';
  jwksUrl: string;
  issuer: string;
  audience: string;
};

/** AWS's IAM decides who may put events on a bus. Nothing is left to verify, so this scheme has no file. */
export type EventBusSettings = { scheme: 'event-bus' };

/** The schemes that a connection may name in `verify`. */
export type ChosenSettings =
  | HmacSettings
  | RsaSettings
  | { scheme: 'standard-webhooks' }
  | { scheme: 'bearer' }
  | { scheme: 'header'; header: string }
  | { scheme: 'query'; parameter: string }
  | { scheme: 'basic' };

/** How deliveries are verified, with every default filled in at synth: the schemes to choose from, and the vendors' own. */
export type VerifySettings =
  | ChosenSettings
  | JwtSettings
  | { scheme: 'hubspot' }
  | { scheme: 'twilio' }
  | EventBusSettings;

export type SchemeName = VerifySettings['scheme'];

/** The settings of one scheme. */
export type SettingsOf<Name extends SchemeName> = Extract<VerifySettings, { scheme: Name }>;

/** The schemes of webhooks. Each is in the file of its name. */
export type WebhookScheme = Exclude<SchemeName, EventBusSettings['scheme']>;

/** The part of a delivery that its proof covers, in the only spelling that the proof allows. */
export type Identity = {
  /** The signed time or id, if there is one. It tells two deliveries with the same content apart. */
  moment?: string;
  content: string | Buffer;
};

/**
 * What a connection's secret holds, and who issues the value: the CRM's vendor, this stack, or either of them as
 * the preset's `vendorIssuesSecret` says. A `password` comes with a `username`.
 */
export type SecretContent =
  | { field: 'signingSecret'; issuedBy: 'vendor' | 'stack' | 'either' }
  | { field: 'publicKey'; issuedBy: 'vendor' }
  | { field: 'token' | 'password'; issuedBy: 'stack' };

/**
 * A family of proofs. Reading the keys and verifying are two steps, so that an unusable secret is not mistaken
 * for a forged delivery.
 */
export type Scheme<Settings extends VerifySettings, Keys, Result = Verdict> = {
  /** `none` where the scheme needs no secret. */
  secret: SecretContent | 'none';
  /**
   * The keys in a connection's secret.
   *
   * @param settings say how the keys are written, where a scheme has a choice
   * @throws {SecretNotReady} when it has no usable value yet
   */
  readKeys(secret: Record<string, unknown>, settings?: Settings): Keys;
  /**
   * Never throws, whatever the delivery holds.
   *
   * @param now Unix milliseconds
   */
  verify(settings: Settings, keys: Keys, delivery: Delivery, now: number): Result;
  /** What makes two verified deliveries the same. Absent: the body. */
  identify?(settings: Settings, delivery: Delivery): Identity;
};

/** Any scheme, with the types of its settings and keys erased. `verifyDelivery` and `identify` pair them. */
export type AnyScheme = Scheme<never, unknown, Verdict | Promise<Verdict>>;

/** A scheme and the settings that it is used with. */
type Bound = { scheme: AnyScheme; verify: VerifySettings };

/**
 * Verifies a delivery by the scheme that is bound to its connection.
 *
 * @param secret the parsed secret, whose keys are read once for each object; `{}` where the scheme needs none
 * @param now Unix milliseconds
 * @throws {SecretNotReady} when the secret has no usable value yet
 */
export function verifyDelivery(
  { scheme, verify }: Bound,
  secret: Record<string, unknown>,
  delivery: Delivery,
  now: number,
): Verdict | Promise<Verdict> {
  return scheme.verify(verify as never, keysOf(scheme, secret, verify), delivery, now);
}

/** The keys that were read last from each parsed secret, and what they are for. */
const keysOfSecrets = new WeakMap<object, { verify: VerifySettings; keys: unknown }>();

/** @throws {SecretNotReady} each time, while the secret is not ready */
function keysOf(scheme: AnyScheme, secret: Record<string, unknown>, verify: VerifySettings): unknown {
  const known = keysOfSecrets.get(secret);
  if (known?.verify === verify) return known.keys;
  const keys = scheme.readKeys(secret, verify as never);
  keysOfSecrets.set(secret, { verify, keys });
  return keys;
}

/**
 * The stored values that verify a delivery each by itself. During a rotation they say which one the sender uses.
 *
 * @param secret the parsed secret
 * @param now Unix milliseconds
 * @returns none where the scheme needs no secret
 */
export async function verifyingValues(
  bound: Bound,
  secret: Record<string, unknown>,
  delivery: Delivery,
  now: number,
): Promise<string[]> {
  if (bound.scheme.secret === 'none') return [];
  const { field } = bound.scheme.secret;
  const values = readStoredValues(field, secret[field]);
  const verdicts = await Promise.all(
    values.map((value) => verifyDelivery(bound, { ...secret, [field]: value }, delivery, now)),
  );
  return values.filter((_value, index) => verdicts[index] === undefined);
}

/** What makes this verified delivery the same as another one. */
export function identify({ scheme, verify }: Bound, delivery: Delivery): Identity {
  return scheme.identify?.(verify as never, delivery) ?? { content: delivery.body };
}
