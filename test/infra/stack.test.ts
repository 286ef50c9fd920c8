import { describe, expect, it } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { requireVisibility } from '../../infra/stack.ts';
import { createStack, SMALLEST } from '../support/configuration.ts';

const smallest = Template.fromStack(createStack());

type Resource = { Type: string; Properties: Record<string, unknown>; DeletionPolicy?: string };

/** The resources of a type, by their logical ids. */
function resources(template: Template, type: string): Record<string, Resource> {
  return template.findResources(type) as Record<string, Resource>;
}

/** What the role of a function may do: `action` → the logical ids (or literals) that it may do it to. */
function permissions(template: Template, role: RegExp): Record<string, string[]> {
  const policies = Object.entries(resources(template, 'AWS::IAM::Policy')).filter(([id]) => role.test(id));
  const granted: Record<string, string[]> = {};
  for (const [, { Properties }] of policies) {
    const { Statement } = Properties.PolicyDocument as {
      Statement: { Action: string | string[]; Resource: unknown }[];
    };
    for (const { Action, Resource } of Statement) {
      const names = [Resource].flat().map((each) => JSON.stringify(each));
      for (const action of [Action].flat()) granted[action] = [...(granted[action] ?? []), ...names].sort();
    }
  }
  return granted;
}

describe('the gateway', () => {
  it('has one route, for any method, and no CORS', () => {
    smallest.resourceCountIs('AWS::ApiGatewayV2::Route', 1);
    smallest.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: 'ANY /webhooks/{connection+}' });
    smallest.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      ProtocolType: 'HTTP',
      CorsConfiguration: Match.absent(),
    });
    smallest.hasResourceProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
  });

  it('throttles far above a burst by default, and as configured', () => {
    const stage = (template: Template) =>
      Object.values(resources(template, 'AWS::ApiGatewayV2::Stage'))[0]?.Properties;
    expect(stage(smallest)?.DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 1000,
      ThrottlingBurstLimit: 2000,
    });
    const set = createStack({ ...SMALLEST, stack: { throttle: { ratePerSecond: 7, burst: 9 } } });
    expect(stage(Template.fromStack(set))?.DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 7,
      ThrottlingBurstLimit: 9,
    });
  });

  it('logs neither path nor query nor address', () => {
    const [stage] = Object.values(resources(smallest, 'AWS::ApiGatewayV2::Stage'));
    const { Format = '' } = (stage?.Properties.AccessLogSettings ?? {}) as { Format?: string };
    const variables = [...Format.matchAll(/\$context\.([\w.]+)/g)].map(([, name]) => name);
    expect(variables.sort()).toEqual([
      'error.message',
      'httpMethod',
      'integration.error',
      'integration.status',
      'requestId',
      'requestTimeEpoch',
      'responseLatency',
      'routeKey',
      'status',
    ]);
  });
});

describe('the functions', () => {
  it('run on Node 24 and ARM64, log JSON from INFO up, into log groups of the stack', () => {
    const functions = Object.values(resources(smallest, 'AWS::Lambda::Function'));
    expect(functions).toHaveLength(2);
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        LoggingConfig: {
          LogFormat: 'JSON',
          ApplicationLogLevel: 'INFO',
          LogGroup: { Ref: expect.stringMatching(/Log/) },
        },
      });
    }
  });

  it('keep their logs as long as configured, and after the stack', () => {
    const retention = (template: Template) =>
      Object.values(resources(template, 'AWS::Logs::LogGroup')).map(({ Properties, DeletionPolicy }) => [
        Properties.RetentionInDays,
        DeletionPolicy,
      ]);
    expect(retention(smallest)).toEqual(Array(3).fill([90, 'RetainExceptOnCreate']));
    const set = createStack({ ...SMALLEST, stack: { logRetentionDays: 7 } });
    expect(retention(Template.fromStack(set))).toEqual(Array(3).fill([7, 'RetainExceptOnCreate']));
  });

  it('let the receiver read the secrets of connections and send to the queue, and nothing else', () => {
    const granted = permissions(smallest, /^ReceiveRole/);
    expect(Object.keys(granted).sort()).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:SendMessage',
    ]);
    expect(granted['secretsmanager:GetSecretValue']).toEqual([
      expect.stringMatching(/"Connectionzendesksupport/),
    ]);
    expect(granted['sqs:SendMessage']).toEqual([expect.stringMatching(/"Closes/)]);
    expect(granted['logs:PutLogEvents']).toEqual([expect.stringMatching(/"ReceiveLog/)]);
  });

  it('let the worker read the secrets of projects, consume the queue and send dead letters, and nothing else', () => {
    const granted = permissions(smallest, /^CloseRole/);
    expect(Object.keys(granted).sort()).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ]);
    expect(granted['secretsmanager:GetSecretValue']).toEqual([expect.stringMatching(/"Projectsupport/)]);
    expect(granted['sqs:SendMessage']).toEqual([expect.stringMatching(/"DeadLetters/)]);
    expect(granted['sqs:ReceiveMessage']).toEqual([expect.stringMatching(/"Closes/)]);
  });

  it('have roles with no policy beyond these', () => {
    for (const { Properties } of Object.values(resources(smallest, 'AWS::IAM::Role'))) {
      expect(Properties.ManagedPolicyArns).toBeUndefined();
      expect(Properties.Policies).toBeUndefined();
    }
  });
});

describe('the queues', () => {
  const queues = resources(smallest, 'AWS::SQS::Queue');

  it('are encrypted, keep messages for 14 days, and refuse what is not TLS', () => {
    expect(Object.keys(queues)).toHaveLength(2);
    for (const [id, { Properties }] of Object.entries(queues)) {
      expect(Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 86_400 });
      smallest.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: id }],
        PolicyDocument: Match.objectLike({
          Statement: [
            Match.objectLike({
              Effect: 'Deny',
              Action: 'sqs:*',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            }),
          ],
        }),
      });
    }
  });

  it('move a message that keeps crashing its function to the dead letters', () => {
    smallest.hasResourceProperties('AWS::SQS::Queue', {
      RedrivePolicy: { maxReceiveCount: 1000, deadLetterTargetArn: Match.anyValue() },
      VisibilityTimeout: 180,
    });
  });

  it('feed the worker ten at a time, with partial batch responses and bounded concurrency', () => {
    const source = (maxConcurrency: number) => ({
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: maxConcurrency },
    });
    smallest.hasResourceProperties('AWS::Lambda::EventSourceMapping', source(5));
    const set = createStack({ ...SMALLEST, stack: { maxConcurrency: 40 } });
    Template.fromStack(set).hasResourceProperties('AWS::Lambda::EventSourceMapping', source(40));
  });

  it('must hide a message for six times the timeout of its function', () => {
    expect(() => requireVisibility(Duration.seconds(179), Duration.seconds(30))).toThrow(
      /less than six times/,
    );
    expect(() => requireVisibility(Duration.seconds(180), Duration.seconds(30))).not.toThrow();
    const [worker] = Object.entries(resources(smallest, 'AWS::Lambda::Function')).filter(([id]) =>
      id.startsWith('Close'),
    );
    const [closes] = Object.entries(queues).filter(([id]) => id.startsWith('Closes'));
    expect(closes?.[1].Properties.VisibilityTimeout).toBeGreaterThanOrEqual(
      6 * Number(worker?.[1].Properties.Timeout),
    );
  });
});

describe('the secrets', () => {
  const verified = (verify: object) => ({
    crm: 'custom',
    polyai: 'support',
    verify,
    finishedWhen: "body.status == 'closed'",
    conversationId: 'body.chat.id',
  });
  const every = Template.fromStack(
    createStack({
      ...SMALLEST,
      connections: {
        ...SMALLEST.connections,
        hmac: verified({ scheme: 'hmac', header: 'x-signature' }),
        standard: verified({ scheme: 'standard-webhooks' }),
        bearer: verified({ scheme: 'bearer' }),
        header: verified({ scheme: 'header', header: 'x-token' }),
        query: verified({ scheme: 'query', parameter: 'token' }),
        basic: verified({ scheme: 'basic' }),
      },
    }),
  );
  const initial = Object.fromEntries(
    Object.values(resources(every, 'AWS::SecretsManager::Secret')).map(({ Properties }) => [
      Properties.Name,
      Properties.SecretString ?? Properties.GenerateSecretString,
    ]),
  );
  const generated = (template: string, key: string) => ({
    SecretStringTemplate: template,
    GenerateStringKey: key,
    ExcludePunctuation: true,
    PasswordLength: 48,
  });

  // A changed literal would be written over what somebody has filled in: these never change.
  it('start with literals that are frozen', () => {
    expect(initial).toEqual({
      'closer/polyai/support/secret': '{"apiKey":"","token":""}',
      'closer/connections/zendesk-support/secret': '{"signingSecret":""}',
      'closer/connections/hmac/secret': generated('{}', 'signingSecret'),
      'closer/connections/standard/secret': '{"signingSecret":""}',
      'closer/connections/bearer/secret': generated('{}', 'token'),
      'closer/connections/header/secret': generated('{}', 'token'),
      'closer/connections/query/secret': generated('{}', 'token'),
      'closer/connections/basic/secret': generated('{"username":"webhook"}', 'password'),
    });
  });

  it('outlive the stack', () => {
    for (const { DeletionPolicy } of Object.values(resources(every, 'AWS::SecretsManager::Secret'))) {
      expect(DeletionPolicy).toBe('RetainExceptOnCreate');
    }
  });

  it('are listed where they wait to be filled', () => {
    expect(JSON.parse(every.findOutputs('SecretsToFill').SecretsToFill?.Value)).toEqual({
      'closer/polyai/support/secret': { apiKey: '', token: '' },
      'closer/connections/zendesk-support/secret': { signingSecret: '' },
      'closer/connections/standard/secret': { signingSecret: '' },
    });
  });

  it('may be the user’s own, by name or ARN, each granted once, with their keys', () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:crm/zendesk-AbCdEf';
    const key = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555';
    const own = Template.fromStack(
      createStack({
        polyai: { support: { ...SMALLEST.polyai.support, existingSecret: 'polyai/keys' } },
        connections: {
          one: { crm: 'zendesk', polyai: 'support', existingSecret: arn, existingSecretKey: key },
          two: { crm: 'zendesk', polyai: 'support', existingSecret: arn, existingSecretKey: key },
        },
      }),
    );
    own.resourceCountIs('AWS::SecretsManager::Secret', 0);
    const receiver = permissions(own, /^ReceiveRole/);
    expect(receiver['secretsmanager:GetSecretValue']).toEqual([JSON.stringify(arn)]);
    expect(receiver['kms:Decrypt']).toEqual([JSON.stringify(key)]);
    const worker = permissions(own, /^CloseRole/);
    expect(worker['secretsmanager:GetSecretValue']).toEqual([
      expect.stringContaining(':secret:polyai/keys-??????'),
    ]);
    expect(worker['kms:Decrypt']).toBeUndefined();
  });
});

describe('the outputs', () => {
  it('are those that others rely on', () => {
    expect(Object.keys(smallest.findOutputs('*')).sort()).toEqual([
      'CloseQueueUrl',
      'DeadLetterQueueUrl',
      'OutcomesLogGroup',
      'SecretsToFill',
      'WebhooksUrl',
    ]);
  });
});
