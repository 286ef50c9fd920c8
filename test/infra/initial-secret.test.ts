import { describe, expect, it } from 'vitest';
import { CRM_NAMES, CRMS } from '../../functions/crm/index.ts';
import { secretContent } from '../../functions/schemes/index.ts';
import type { SchemeName } from '../../functions/schemes/scheme.ts';
import { type Initial, initialSecret } from '../../infra/initial-secret.ts';
import { SETTINGS } from '../support/settings.ts';

const EMPTY: Initial = { waiting: '{"signingSecret":""}' };
const EXPECTED: { [Name in SchemeName]: Initial | 'none' | { hmac: 'as the preset says' } } = {
  hmac: { hmac: 'as the preset says' },
  rsa: { waiting: '{"publicKey":""}' },
  'standard-webhooks': EMPTY,
  hubspot: EMPTY,
  twilio: EMPTY,
  bearer: { template: '{}', key: 'token' },
  header: { template: '{}', key: 'token' },
  query: { template: '{}', key: 'token' },
  basic: { template: '{"username":"webhook"}', key: 'password' },
  jwt: 'none',
  'event-bus': 'none',
};

describe.each(Object.entries(EXPECTED) as [SchemeName, Initial][])('a secret of %s', (scheme, expected) => {
  it.each(CRM_NAMES)('starts as the scheme says, for %s', (crm) => {
    if ((expected as unknown) === 'none') {
      expect(() => initialSecret(crm, SETTINGS[scheme])).toThrow(`the scheme ${scheme} needs no secret`);
    } else if (scheme === 'hmac') {
      const generated = { template: '{}', key: 'signingSecret' };
      expect(initialSecret(crm, SETTINGS[scheme])).toEqual(CRMS[crm].vendorIssuesSecret ? EMPTY : generated);
    } else {
      expect(initialSecret(crm, SETTINGS[scheme])).toEqual(expected);
    }
  });
});

it('is empty or generated for every scheme, in the field that the scheme reads', () => {
  for (const verify of Object.values(SETTINGS)) {
    const { scheme } = verify;
    const content = secretContent(scheme);
    if (content === 'none') continue;
    const initial = initialSecret('custom', verify);
    const field = 'waiting' in initial ? Object.keys(JSON.parse(initial.waiting)) : [initial.key];
    expect({ scheme, field }).toEqual({ scheme, field: [content.field] });
  }
});

it('is empty for a key that must be decoded, because only its sender has one', () => {
  for (const keyEncoding of ['hex', 'base64'] as const) {
    expect(initialSecret('custom', { ...SETTINGS.hmac, keyEncoding })).toEqual(EMPTY);
  }
  expect(initialSecret('custom', { ...SETTINGS.hmac, keyEncoding: 'text' })).not.toEqual(EMPTY);
});
