import { CRMS, type CrmName } from '../functions/crm/index.ts';
import { secretContent } from '../functions/schemes/index.ts';
import type { SchemeName, SecretContent } from '../functions/schemes/scheme.ts';

/**
 * What a new secret holds. Never change these values: a deployment would overwrite secrets that people have
 * filled in.
 */
export type Initial = { waiting: string } | { template: string; key: string };

/** The initial value of every project's secret. */
export const PROJECT_WAITS = { waiting: '{"apiKey":"","token":""}' } satisfies Initial;

const GENERATED = {
  signingSecret: { template: '{}', key: 'signingSecret' },
  token: { template: '{}', key: 'token' },
  password: { template: '{"username":"webhook"}', key: 'password' },
} satisfies Record<SecretContent['field'], Initial>;

/**
 * What a connection's secret starts with: empty where the CRM's vendor issues it, otherwise a generated value.
 *
 * @throws {TypeError} for a scheme without a secret
 */
export function initialSecret(crm: CrmName, scheme: SchemeName): Initial {
  const content = secretContent(scheme);
  if (content === 'none') throw new TypeError(`the scheme ${scheme} needs no secret`);
  const { field, issuedBy } = content;
  const isVendors = issuedBy === 'vendor' || (issuedBy === 'either' && CRMS[crm].vendorIssuesSecret);
  return isVendors ? { waiting: JSON.stringify({ [field]: '' }) } : GENERATED[field];
}
