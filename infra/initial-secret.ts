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

/**
 * The JSON that a project's secret must hold, for the person who fills it. It has the keys for look-ups and for a
 * cleanup only if the project uses them. The secret itself always starts with `PROJECT_WAITS`, which must not
 * change.
 *
 * @param waits the initial value of the secret, as JSON
 * @returns the object to fill in
 */
export function projectShape(
  waits: string,
  needs: { lookUp: boolean; cleanup: boolean },
): Record<string, string> {
  return {
    ...JSON.parse(waits),
    ...(needs.lookUp && { handoffApiKey: '' }),
    ...(needs.cleanup && { conversationsApiKey: '' }),
  };
}
