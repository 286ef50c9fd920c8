import basic from './basic.ts';
import bearer from './bearer.ts';
import header from './header.ts';
import hmac from './hmac.ts';
import hubspot from './hubspot.ts';
import jwt from './jwt.ts';
import query from './query.ts';
import type { AnyScheme } from './scheme.ts';
import standardWebhooks from './standard-webhooks.ts';
import twilio from './twilio.ts';

/** Every scheme by its name; each stands in the file of that name. */
export const SCHEMES = {
  hmac,
  'standard-webhooks': standardWebhooks,
  bearer,
  header,
  query,
  basic,
  hubspot,
  jwt,
  twilio,
} satisfies Record<string, AnyScheme>;
