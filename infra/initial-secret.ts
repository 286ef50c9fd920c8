import { CRMS, type CrmName } from '../functions/crm/index.ts';
import { secretContent } from '../functions/schemes/index.ts';
import type { SecretContent, VerifySettings } from '../functions/schemes/scheme.ts';

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
} satisfies Record<Exclude<SecretContent['field'], 'publicKey'>, Initial>;

/**
 * What a connection's secret starts with: empty where the sender issues it, otherwise a generated value. A key that
 * must be decoded is the sender's: a generated text need not be hexadecimal.
 *
 * @throws {TypeError} for a scheme without a secret
 */
export function initialSecret(crm: CrmName, verify: VerifySettings): Initial {
  const content = secretContent(verify.scheme);
  if (content === 'none') throw new TypeError(`the scheme ${verify.scheme} needs no secret`);
  const { field, issuedBy } = content;
  const isVendors = issuedBy === 'vendor' || (issuedBy === 'either' && CRMS[crm].vendorIssuesSecret);
  return field === 'publicKey' || isVendors || isDecoded(verify)
    ? { waiting: JSON.stringify({ [field]: '' }) }
    : GENERATED[field];
}

function isDecoded(verify: VerifySettings): boolean {
  return verify.scheme === 'hmac' && (verify.keyEncoding ?? 'text') !== 'text';
}
