import type { Delivery } from '../delivery.ts';
import type { Verdict } from '../refusal.ts';

export type HmacSettings = {
  scheme: 'hmac';
  /** Header names are in lower case throughout. */
  header: string;
  algorithm: 'sha1' | 'sha256' | 'sha512';
  encoding: 'hex' | 'base64';
  /** Stands before the signature in its header, as `sha256=`. */
  prefix?: string;
  /** What is signed, with `{body}` and, where wanted, `{timestamp}` and `{id}`, as `{timestamp}.{body}`. */
  signed: string;
  timestampHeader?: string;
  /** Unix seconds, Unix milliseconds or ISO 8601. */
  timestampUnit: 's' | 'ms' | 'iso';
  idHeader?: string;
  toleranceSeconds: number;
};

/** A token that a vendor signs with a key of its published set. It covers itself, not the body. */
export type JwtSettings = {
  scheme: 'jwt';
  header: string;
  algorithm: 'RS256';
  jwksUrl: string;
  issuer: string;
  audience: string;
};

/** Who may put events on a bus is for AWS's IAM; nothing is left to verify, so this scheme has no file. */
export type EventBusSettings = { scheme: 'event-bus' };

/** The schemes that a connection may name in `verify`. */
export type ChosenSettings =
  | HmacSettings
  | { scheme: 'standard-webhooks' }
  | { scheme: 'bearer' }
  | { scheme: 'header'; header: string }
  | { scheme: 'query'; parameter: string }
  | { scheme: 'basic' };

/** How deliveries are proven, with every default filled in at synth: those, and the vendors' own. */
export type VerifySettings =
  | ChosenSettings
  | JwtSettings
  | { scheme: 'hubspot' }
  | { scheme: 'twilio' }
  | EventBusSettings;

/** What a proof covers of a delivery, in the one spelling that it has. */
export type Identity = {
  /** The signed time or id, where there is one: of two deliveries with the same content it tells which is which. */
  moment?: string;
  content: string | Buffer;
};

/**
 * A family of proofs. Two steps, so that a secret which cannot work is told from a delivery which is forged.
 */
export type Scheme<Settings extends VerifySettings, Keys, Result = Verdict> = {
  /**
   * The keys in a connection's secret.
   *
   * @throws {SecretNotReady} when nothing usable is in it yet
   */
  readKeys(secret: Record<string, unknown>): Keys;
  /**
   * Never throws, whatever the delivery holds.
   *
   * @param now Unix milliseconds
   */
  verify(settings: Settings, keys: Keys, delivery: Delivery, now: number): Result;
  /** What makes a verified delivery the same as another one; absent: its body. */
  identify?(settings: Settings, delivery: Delivery): Identity;
};

/** Any of them, as the receiver sees it: it knows the settings and keys only as what belongs together. */
export type AnyScheme = Scheme<never, unknown, Verdict | Promise<Verdict>>;
