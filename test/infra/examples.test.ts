import { App } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { ChatFront } from '../../docs/examples/cloudfront-waf.ts';
import { SMALLEST } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

describe('docs/examples/cloudfront-waf.ts', () => {
  const stack = new ChatFront(new App(), 'front', {
    env: { account: '111122223333', region: 'us-east-1' },
    apiHost: 'a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com',
  });
  const template = Template.fromStack(stack);

  it('limits the requests of one address', () => {
    template.hasResourceProperties('AWS::WAFv2::WebACL', {
      Scope: 'CLOUDFRONT',
      Rules: [
        Match.objectLike({ Statement: { RateBasedStatement: { Limit: 2000, AggregateKeyType: 'IP' } } }),
      ],
    });
  });

  it('sends every request to the API, with its headers, and caches nothing', () => {
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        WebACLId: Match.anyValue(),
        Origins: [Match.objectLike({ DomainName: 'a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com' })],
        DefaultCacheBehavior: Match.objectLike({
          AllowedMethods: Match.arrayWith(['POST']),
          // AWS's managed policies CachingDisabled and AllViewerExceptHostHeader.
          CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
          OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
        }),
      },
    });
  });
});

describe('a host that is not the vendor’s', () => {
  const { support } = SMALLEST.polyai;
  const warnings = (content: object) =>
    Annotations.fromStack(createStack(content))
      .findWarning('*', Match.stringLikeRegexp('sends the project|trusts the keys'))
      .map(({ entry }) => String(entry.data));

  it('that gets a project’s keys is said aloud at synth', () => {
    const found = warnings({
      ...SMALLEST,
      polyai: { support: { ...support, baseUrl: 'https://polyai.app.evil.example' } },
    });
    expect(found).toEqual([
      expect.stringMatching(
        /^polyai\.support\.baseUrl sends the project's keys to polyai\.app\.evil\.example/,
      ),
    ]);
  });

  it('is none without baseUrl', () => {
    expect(warnings(SMALLEST)).toEqual([]);
  });
});
