import { describe, expect, it } from 'vitest';
import { CRM_NAMES, CRMS } from '../../functions/crm/index.ts';
import { secretContent } from '../../functions/schemes/index.ts';
import type { SchemeName } from '../../functions/schemes/scheme.ts';
import { type Initial, initialSecret } from '../../infra/initial-secret.ts';
import { SETTINGS } from '../support/settings.ts';

const EMPTY: Initial = { waiting: '{"signingSecret":""}' };
const EXPECTED: { [Name in SchemeName]: Initial | 'none' | { hmac: 'as the preset says' } } = {
  hmac: { hmac: 'as the preset says' },
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
      expect(() => initialSecret(crm, scheme)).toThrow(`the scheme ${scheme} needs no secret`);
    } else if (scheme === 'hmac') {
      const generated = { template: '{}', key: 'signingSecret' };
      expect(initialSecret(crm, scheme)).toEqual(CRMS[crm].vendorIssuesSecret ? EMPTY : generated);
    } else {
      expect(initialSecret(crm, scheme)).toEqual(expected);
    }
  });
});

it('is empty or generated for every scheme, in the field that the scheme reads', () => {
  for (const { scheme } of Object.values(SETTINGS)) {
    const content = secretContent(scheme);
    if (content === 'none') continue;
    const initial = initialSecret('custom', scheme);
    const field = 'waiting' in initial ? Object.keys(JSON.parse(initial.waiting)) : [initial.key];
    expect({ scheme, field }).toEqual({ scheme, field: [content.field] });
  }
});
