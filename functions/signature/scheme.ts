import type { Delivery } from '../delivery.ts';
import type { RefusalCode } from '../refusal.ts';

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

/** How deliveries are proven, with every default filled in at synth. */
export type VerifySettings =
  | HmacSettings
  | { scheme: 'standard-webhooks' }
  | { scheme: 'bearer' }
  | { scheme: 'header'; header: string }
  | { scheme: 'query'; parameter: string }
  | { scheme: 'basic' };

/** Why a delivery is not genuine: the check that failed, never what was expected. */
export type Refusal = { code: RefusalCode; detail: string };

/**
 * A family of proofs. Two steps, so that a secret which cannot work is told from a delivery which is forged.
 */
export type Scheme<Settings extends VerifySettings = never, Keys = unknown> = {
  /**
   * The keys in a connection's secret.
   *
   * @throws {SecretNotReady} when nothing usable is in it yet
   */
  readKeys(secret: Record<string, unknown>): Keys;
  /**
   * @param now Unix milliseconds
   * @returns `undefined` when the delivery is genuine. Never throws, whatever the delivery holds
   */
  verify(settings: Settings, keys: Keys, delivery: Delivery, now: number): Refusal | undefined;
};
