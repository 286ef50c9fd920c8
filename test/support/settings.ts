import { secretContent } from '../../functions/schemes/index.ts';
import type { SchemeName, SettingsOf, VerifySettings } from '../../functions/schemes/scheme.ts';

/** Settings of every scheme, with which the tests verify. A new scheme needs a row. */
export const SETTINGS: { [Name in SchemeName]: SettingsOf<Name> } = {
  hmac: {
    scheme: 'hmac',
    header: 'x-signature',
    algorithm: 'sha256',
    encoding: 'hex',
    signed: '{body}',
    timestampUnit: 's',
    toleranceSeconds: 300,
  },
  rsa: { scheme: 'rsa', header: 'x-signature', encoding: 'base64' },
  'standard-webhooks': { scheme: 'standard-webhooks' },
  bearer: { scheme: 'bearer' },
  header: { scheme: 'header', header: 'x-token' },
  query: { scheme: 'query', parameter: 'code' },
  basic: { scheme: 'basic' },
  hubspot: { scheme: 'hubspot' },
  twilio: { scheme: 'twilio' },
  jwt: {
    scheme: 'jwt',
    header: 'x-token',
    algorithm: 'RS256',
    jwksUrl: 'https://keys.example.com/keys',
    issuer: 'issuer',
    audience: 'audience',
  },
  'event-bus': { scheme: 'event-bus' },
};

/** The settings of every scheme that needs a secret. */
export const WITH_SECRET: VerifySettings[] = Object.values(SETTINGS).filter(
  ({ scheme }) => secretContent(scheme) !== 'none',
);
