import { readFileSync, writeFileSync } from 'node:fs';
import { CANARY } from '../functions/canary-delivery.ts';
import { ENVIRONMENT } from '../functions/environment.ts';

type Resource = {
  Type: string;
  Properties?: { Environment?: { Variables?: Record<string, unknown> } };
};

/**
 * Bridges a difference between MiniStack and AWS: a function cannot resolve the host name that MiniStack gives to an
 * API. In the synthesised template, and never in the stack itself, the canary gets the address by which this machine
 * reaches the same API. A template without a canary is not changed.
 *
 * @param endpoint the emulator's address
 */
export function bridgeCanaryAddress(templateFile: string, endpoint: string): void {
  const template: { Resources: Record<string, Resource> } = JSON.parse(readFileSync(templateFile, 'utf8'));
  const resources = Object.entries(template.Resources);
  const [api] = resources.find(([, { Type }]) => Type === 'AWS::ApiGatewayV2::Api') ?? [];
  for (const [, { Properties }] of resources) {
    const variables = Properties?.Environment?.Variables;
    if (!api || !variables || !Object.hasOwn(variables, ENVIRONMENT.canaryUrl)) continue;
    const path = [`${endpoint}/_aws/execute-api/`, { Ref: api }, `/$default/webhooks/${CANARY}`];
    variables[ENVIRONMENT.canaryUrl] = { 'Fn::Join': ['', path] };
  }
  writeFileSync(templateFile, JSON.stringify(template));
}
