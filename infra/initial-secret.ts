import { CRMS } from '../functions/crm/index.ts';
import type { VerifySettings } from '../functions/schemes/scheme.ts';

// This file does not import the CDK, so that a CRM's unit test can ask what its secret starts with.

/**
 * The value of a new secret: a literal that waits to be filled in, or a template with one generated key. It is
 * frozen: Secrets Manager would write a changed value over what somebody has filled in since.
 */
export type Initial = { waiting: string } | { template: string; key: string };

export const PROJECT_WAITS: Initial = { waiting: '{"apiKey":"","token":""}' };
const SIGNING_SECRET_WAITS: Initial = { waiting: '{"signingSecret":""}' };
const GENERATED_SIGNING_SECRET: Initial = { template: '{}', key: 'signingSecret' };
const GENERATED_TOKEN: Initial = { template: '{}', key: 'token' };
const GENERATED_PASSWORD: Initial = { template: '{"username":"webhook"}', key: 'password' };

const VENDORS_OWN: VerifySettings['scheme'][] = ['standard-webhooks', 'hubspot', 'twilio'];

/**
 * The initial value of a connection's secret: generated where the user may choose it, empty where the CRM issues
 * it.
 */
export function initialSecret(crm: string, scheme: VerifySettings['scheme']): Initial {
  if (VENDORS_OWN.includes(scheme)) return SIGNING_SECRET_WAITS;
  if (scheme === 'hmac')
    return CRMS[crm]?.vendorIssuesSecret ? SIGNING_SECRET_WAITS : GENERATED_SIGNING_SECRET;
  return scheme === 'basic' ? GENERATED_PASSWORD : GENERATED_TOKEN;
}
