import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bridgeCanaryAddress } from '../../local/canary-address.ts';
import { temporaryFolder } from '../support/configuration.ts';

function bridged(resources: object): Record<string, object> {
  const file = join(temporaryFolder(), 'template.json');
  writeFileSync(file, JSON.stringify({ Resources: resources }));
  bridgeCanaryAddress(file, 'http://127.0.0.1:4566');
  return JSON.parse(readFileSync(file, 'utf8')).Resources;
}

const api = { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'closer' } };
const withVariables = (Variables: object) => ({
  Type: 'AWS::Lambda::Function',
  Properties: { Environment: { Variables } },
});

describe('the address of the canary on this machine', () => {
  it('leads to the same API by the emulator’s own address', () => {
    const canary = withVariables({
      CANARY_URL: { 'Fn::Join': ['', ['https://', { Ref: 'Api' }]] },
      OTHER: 'x',
    });
    const path = ['http://127.0.0.1:4566/_aws/execute-api/', { Ref: 'Api' }, '/$default/webhooks/canary'];
    expect(bridged({ Api: api, Canary: canary })).toEqual({
      Api: api,
      Canary: withVariables({ CANARY_URL: { 'Fn::Join': ['', path] }, OTHER: 'x' }),
    });
  });

  it.each([
    ['without a canary', { Api: api, Worker: withVariables({ CLOSE_QUEUE_URL: 'x' }) }],
    ['without an API', { Worker: withVariables({ CLOSE_QUEUE_URL: 'x' }) }],
    ['with functions that have no environment', { Api: api, F: { Type: 'AWS::Lambda::Function' } }],
  ])('changes nothing in a template %s', (_, resources) => {
    expect(bridged(resources)).toEqual(resources);
  });
});
