import type { Verdict } from '../refusal.ts';
import basic from './basic.ts';
import bearer from './bearer.ts';
import header from './header.ts';
import hmac from './hmac.ts';
import hubspot from './hubspot.ts';
import jwt from './jwt.ts';
import query from './query.ts';
import rsa from './rsa.ts';
import type { Scheme, SchemeName, SecretContent, SettingsOf, WebhookScheme } from './scheme.ts';
import standardWebhooks from './standard-webhooks.ts';
import twilio from './twilio.ts';

/** Every scheme by its name. Each is in the file of that name. */
export const SCHEMES = {
  hmac,
  rsa,
  'standard-webhooks': standardWebhooks,
  bearer,
  header,
  query,
  basic,
  hubspot,
  jwt,
  twilio,
} satisfies { [Name in WebhookScheme]: Scheme<SettingsOf<Name>, unknown, Verdict | Promise<Verdict>> };

/** What the secret of a connection with this scheme holds; `none` where the scheme needs no secret. */
export function secretContent(name: SchemeName): SecretContent | 'none' {
  return name === 'event-bus' ? 'none' : SCHEMES[name].secret;
}
