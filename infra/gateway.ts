import { Fn, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  ApiMapping,
  DomainName,
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Configuration } from './config/load.ts';
import { createLogGroup } from './function.ts';

/**
 * The HTTP API in front of the receiver: one route for any method, throttled, with an access log. It has no CORS,
 * because no browser calls it.
 */
export class Gateway extends Construct {
  readonly api: HttpApi;
  readonly accessLog: ILogGroup;
  /** Where the API is reached, without a slash at its end. */
  readonly url: string;
  /** Only with a domain name of the user's own. */
  readonly domainTarget?: string;

  constructor(scope: Construct, id: string, receiver: IFunction, settings: Configuration['stack']) {
    super(scope, id);
    const stack = Stack.of(this);
    const { throttle, domain } = settings;
    this.accessLog = createLogGroup(this, 'AccessLog', settings, accessLogName(stack));
    this.api = new HttpApi(this, 'Api', {
      apiName: stack.stackName,
      description: 'Receives the webhooks of CRMs',
      createDefaultStage: false,
      ...(domain && { disableExecuteApiEndpoint: true }),
    });
    this.addRoute(receiver);
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: throttle.ratePerSecond, burstLimit: throttle.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLog),
        format: accessLogFormat(stack.stackName),
      },
    });
    if (domain) this.domainTarget = this.addDomain(domain, stage);
    this.url = domain ? `https://${domain.name}` : this.api.apiEndpoint;
  }

  /** @returns the name that the user's own domain name must point to */
  private addDomain(
    { name, certificateArn, truststore }: NonNullable<Configuration['stack']['domain']>,
    stage: HttpStage,
  ): string {
    const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(truststore ?? '') ?? [];
    const domainName = new DomainName(this, 'Domain', {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      securityPolicy: SecurityPolicy.TLS_1_2,
      ...(truststore && { mtls: { bucket: Bucket.fromBucketName(this, 'Truststore', bucket), key } }),
    });
    new ApiMapping(this, 'Mapping', { api: this.api, domainName, stage });
    return domainName.regionalDomainName;
  }

  /**
   * The route is greedy because a plain parameter does not match an address with a slash at its end, and no route
   * may end in one.
   *
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
   */
  private addRoute(receiver: IFunction): void {
    const routes = this.api.addRoutes({
      path: '/webhooks/{connection+}',
      methods: [HttpMethod.ANY],
      integration: new HttpLambdaIntegration('Receive', receiver),
    });
    for (const route of routes) {
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason: "CRMs cannot sign for an authorizer of AWS's; the receiver verifies every delivery itself.",
      });
    }
  }
}

/**
 * API Gateway adds to the account's one resource policy for logs, which is short, unless the name begins with
 * `/aws/vendedlogs/`. The name ends in the stack's own id, because the group outlives the stack and the next stack
 * of that name needs another group.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
 */
function accessLogName({ stackName, stackId }: Stack): string {
  return `/aws/vendedlogs/${stackName}/AccessLog-${Fn.select(2, Fn.split('/', stackId))}`;
}

/**
 * The log has neither path nor query, because a token may be in them. The gateway writes the error's text with its
 * quotes, so that a quote inside it does not break the line. It writes an integration's error without quotes, so
 * that is left out. `integrationStatus` is what the receiver answered, `lambdaStatus` what Lambda did. Both are "-"
 * where the gateway answered alone.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
 */
function accessLogFormat(service: string): AccessLogFormat {
  const format = JSON.stringify({
    type: 'access',
    service,
    request_id: '$context.requestId',
    time: '$context.requestTimeEpoch',
    method: '$context.httpMethod',
    route: '$context.routeKey',
    status: '$context.status',
    integrationStatus: '$context.integration.status',
    lambdaStatus: '$context.integration.integrationStatus',
    latencyMs: '$context.responseLatency',
    errorType: '$context.error.responseType',
    error: '$context.error.messageString',
  });
  return AccessLogFormat.custom(
    format.replace('"$context.error.messageString"', '$context.error.messageString'),
  );
}
