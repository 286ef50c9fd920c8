import basic from './basic.ts';
import bearer from './bearer.ts';
import header from './header.ts';
import hmac from './hmac.ts';
import query from './query.ts';
import type { AnyScheme } from './scheme.ts';
import standardWebhooks from './standard-webhooks.ts';

/** Every scheme by the name that `verify.scheme` takes; each stands in the file of that name. */
export const SCHEMES = {
  hmac,
  'standard-webhooks': standardWebhooks,
  bearer,
  header,
  query,
  basic,
} satisfies Record<string, AnyScheme>;
