import hmac from './hmac.ts';
import type { Scheme } from './scheme.ts';
import { basic, bearer, header, query } from './shared-secret.ts';
import standardWebhooks from './standard-webhooks.ts';

/** Every scheme by the name that `verify.scheme` takes. */
export const SCHEMES = {
  hmac,
  'standard-webhooks': standardWebhooks,
  bearer,
  header,
  query,
  basic,
} satisfies Record<string, Scheme>;
