import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { AllowedMethods, CachePolicy, Distribution, OriginRequestPolicy } from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';

type Props = StackProps & {
  /** The host name of the API: `chats.api.apiId` and its region, or your own domain name. */
  apiHost: string;
  /** Requests that one address may make in five minutes. */
  requestsPerAddress?: number;
};

/**
 * CloudFront with a web ACL in front of a ChatCloser's API. An HTTP API cannot have a web ACL itself. Deploy it in
 * us-east-1, where CloudFront's ACLs live, and set `publicUrl` of each connection to the distribution's address:
 * signatures that cover the address need it.
 */
export class ChatFront extends Stack {
  readonly distribution: Distribution;

  constructor(scope: Construct, id: string, { apiHost, requestsPerAddress = 2000, ...props }: Props) {
    super(scope, id, props);
    const visible = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      metricName,
      sampledRequestsEnabled: false,
    });
    const acl = new CfnWebACL(this, 'Acl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visible('Chats'),
      rules: [
        {
          name: 'TooMany',
          priority: 0,
          action: { block: {} },
          statement: { rateBasedStatement: { limit: requestsPerAddress, aggregateKeyType: 'IP' } },
          visibilityConfig: visible('TooMany'),
        },
      ],
    });
    this.distribution = new Distribution(this, 'Front', {
      comment: 'Webhooks of CRMs',
      webAclId: acl.attrArn,
      defaultBehavior: {
        origin: new HttpOrigin(apiHost, { readTimeout: Duration.seconds(10) }),
        allowedMethods: AllowedMethods.ALLOW_ALL,
        // A delivery must never be answered from a cache, and signatures need every header but Host.
        cachePolicy: CachePolicy.CACHING_DISABLED,
        originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      },
    });
  }
}
