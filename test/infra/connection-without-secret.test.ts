import { Template } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { SMALLEST } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

it('has no secret in the stack and none to fill in, because public keys verify its deliveries', () => {
  const desk = {
    crm: 'zoho-desk',
    polyai: 'support',
    sender: '54983163',
    dataCentre: 'eu',
    audience: '31138000000006907',
  };
  const connections = { ...SMALLEST.connections, desk };
  const template = Template.fromStack(createStack({ ...SMALLEST, connections }));
  template.resourceCountIs('AWS::SecretsManager::Secret', 2);
  expect(template.findOutputs('SecretsToFill').SecretsToFill?.Value).not.toContain('connections/desk');
  expect(JSON.stringify(template)).not.toContain('connections/desk');
});
