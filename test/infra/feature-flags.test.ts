import { Template } from 'aws-cdk-lib/assertions';
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';
import { describe, expect, it } from 'vitest';
import { EVERYTHING } from '../support/everything.ts';
import { createStack } from '../support/stack.ts';

/** A stack's template without its bundles' hashes. */
function templateWith(options: { context?: Record<string, unknown>; env?: object } = {}): unknown {
  const template = Template.fromStack(createStack(EVERYTHING, options)).toJSON();
  return JSON.parse(JSON.stringify(template, (key, value) => (key === 'S3Key' ? '' : value)));
}

describe('the feature flags in cdk.json', () => {
  it.each([
    ['anywhere', {}],
    ['in a given account and region', { env: { account: '111122223333', region: 'eu-west-1' } }],
  ])('make the same template as all flags that the CDK recommends: %s', (_, options) => {
    expect(templateWith(options)).toEqual(templateWith({ ...options, context: CURRENTLY_RECOMMENDED_FLAGS }));
  });

  it('matter: without any flag the template is another', () => {
    const options = { env: { account: '111122223333', region: 'eu-west-1' } };
    expect(templateWith(options)).not.toEqual(templateWith({ ...options, context: {} }));
  });
});
