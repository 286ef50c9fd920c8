import fc from 'fast-check';
import hmac from '../../functions/schemes/hmac.ts';
import type { HmacSettings } from '../../functions/schemes/scheme.ts';
import { delivery, type Headers } from '../../samples/delivery.ts';

type Attempt = {
  headers: Headers;
  body: string | Buffer;
  /** One signing secret, or several during a rotation. */
  secret: string | string[];
  /** Unix milliseconds. */
  now: number;
};

/**
 * What the scheme `hmac` says about a delivery.
 *
 * @param settings a preset's `verify`
 * @returns `accepted`, or the code of the refusal
 */
export function hmacVerdict(settings: unknown, { headers, body, secret, now }: Attempt): string {
  const keys = hmac.readKeys({ signingSecret: secret }, settings as HmacSettings);
  return hmac.verify(settings as HmacSettings, keys, delivery({ headers, body }), now)?.code ?? 'accepted';
}

/** Bodies of any bytes, at least one of them, so that one can be changed. */
export const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** How much a byte changes: never not at all. */
export const anyChange = fc.integer({ min: 1, max: 255 });
