import { App, Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { REGULATED } from '../support/account.ts';
import { SMALLEST, temporaryFolder } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

/** Synthesises an app with AwsSolutions, which throws on a finding. */
function check(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
}

describe('cdk-nag’s AwsSolutions', () => {
  it('finds nothing except what is acknowledged with a reason', () => {
    const everything = {
      ...SMALLEST,
      stack: { alarms: { email: 'on-call@example.com' } },
      connections: {
        ...SMALLEST.connections,
        own: { ...SMALLEST.connections['zendesk-support'], existingSecret: 'crm/zendesk' },
      },
    };
    const stack = createStack(everything);
    expect(() => check(stack.node.root as App)).not.toThrow();
  });

  it.each([
    ['AwsSolutions', AwsSolutionsChecks],
    ['NIST 800-53 R5', NIST80053R5Checks],
    ['PCI DSS 3.2.1', PCIDSS321Checks],
    ['HIPAA Security', HIPAASecurityChecks],
  ])('and %s find nothing else in a stack with every setting of docs/compliance.md', (_, Checks) => {
    const app = createStack(REGULATED).node.root as App;
    Validations.of(app).addPlugins(new Checks(app));
    expect(() => app.synth()).not.toThrow();
  });

  it('refuses a bad stack', () => {
    const app = new App({ outdir: temporaryFolder() });
    new Bucket(new Stack(app, 'bad'), 'Bucket');
    expect(() => check(app)).toThrow(/AwsSolutions-S10/);
  });
});
