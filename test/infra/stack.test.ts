import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../infra/config/load.ts';
import { schemaText } from '../../infra/config/schema.ts';
import { requireVisibility } from '../../infra/queues.ts';
import { SMALLEST } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

const smallest = Template.fromStack(createStack());

type Resource = { Type: string; Properties: Record<string, unknown>; DeletionPolicy?: string };

/** The resources of a type, by their logical ids. */
function resources(template: Template, type: string): Record<string, Resource> {
  return template.findResources(type) as Record<string, Resource>;
}

/** What a function's role may do: each action with the resources, as JSON, that it is allowed for. */
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

  it('throttles far above a burst by default, or as configured', () => {
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
      'error.messageString',
      'error.responseType',
      'httpMethod',
      'integration.integrationStatus',
      'integration.status',
      'requestId',
      'requestTimeEpoch',
      'responseLatency',
      'routeKey',
      'status',
    ]);
  });
});

describe('the access log', () => {
  const [stage] = Object.values(resources(smallest, 'AWS::ApiGatewayV2::Stage'));
  const { Format = '' } = (stage?.Properties.AccessLogSettings ?? {}) as { Format?: string };

  it('is valid JSON whatever text the gateway’s error has', () => {
    const message = 'Function "Receive" said \\ "no"\n';
    const line = Format.replace('$context.error.messageString', () => JSON.stringify(message)).replace(
      /\$context\.[\w.]+/g,
      '-',
    );
    expect(JSON.parse(line)).toMatchObject({ type: 'access', error: message, lambdaStatus: '-' });
    // These variables are neither quoted by the gateway nor from a closed list.
    expect(Format).not.toMatch(
      /context\.(error\.message|integration\.error|integrationErrorMessage|authorizer)\b/,
    );
  });

  it('has a name of this stack alone, below the prefix that needs no room in the account’s resource policy', () => {
    const names = Object.values(resources(smallest, 'AWS::Logs::LogGroup')).flatMap(
      ({ Properties }) => Properties.LogGroupName ?? [],
    );
    const id = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };
    expect(names).toEqual([{ 'Fn::Join': ['', ['/aws/vendedlogs/closer/AccessLog-', id]] }]);
  });
});

describe('the functions', () => {
  it('run on Node 24 and ARM64, and log JSON from INFO up into log groups of the stack', () => {
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

  it('keep their logs as long as configured, and after the stack is deleted', () => {
    const retention = (template: Template) =>
      Object.values(resources(template, 'AWS::Logs::LogGroup')).map(({ Properties, DeletionPolicy }) => [
        Properties.RetentionInDays,
        DeletionPolicy,
      ]);
    expect(retention(smallest)).toEqual(Array(3).fill([90, 'RetainExceptOnCreate']));
    const set = createStack({ ...SMALLEST, stack: { logRetentionDays: 7 } });
    expect(retention(Template.fromStack(set))).toEqual(Array(3).fill([7, 'RetainExceptOnCreate']));
  });

  it('may keep their logs for any period that CloudWatch Logs offers', () => {
    const { stack } = JSON.parse(schemaText()).properties;
    const offered = Object.values(RetentionDays).filter(
      (days) => typeof days === 'number' && days !== RetentionDays.INFINITE,
    );
    expect(stack.properties.logRetentionDays.enum).toEqual(offered.sort((a, b) => Number(a) - Number(b)));
  });

  it('let the receiver read the secrets of connections and send to the queue, and nothing else', () => {
    const granted = permissions(smallest, /^ReceiveRole/);
    expect(Object.keys(granted).sort()).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:GetSecretValue',
      'sqs:SendMessage',
    ]);
    expect(granted['secretsmanager:GetSecretValue']).toEqual([
      expect.stringMatching(/:secret:closer\/connections\/\*\/secret-\?{6}"/),
    ]);
    expect(granted['sqs:SendMessage']).toEqual([expect.stringMatching(/"Closes/)]);
    expect(granted['logs:PutLogEvents']).toEqual([expect.stringMatching(/"ReceiveLog/)]);
  });

  it('let the worker read the secrets of projects, consume the queue and send dead letters, and nothing else', () => {
    const granted = permissions(smallest, /^CloseRole/);
    expect(Object.keys(granted).sort()).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:GetSecretValue',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ]);
    expect(granted['secretsmanager:GetSecretValue']).toEqual([
      expect.stringMatching(/:secret:closer\/polyai\/\*\/secret-\?{6}"/),
    ]);
    expect(granted['sqs:SendMessage']).toEqual([
      expect.stringMatching(/"Closes/),
      expect.stringMatching(/"DeadLetters/),
    ]);
    expect(granted['sqs:ReceiveMessage']).toEqual([expect.stringMatching(/"Closes/)]);
  });

  it('have roles without managed or inline policies beyond these', () => {
    for (const { Properties } of Object.values(resources(smallest, 'AWS::IAM::Role'))) {
      expect(Properties.ManagedPolicyArns).toBeUndefined();
      expect(Properties.Policies).toBeUndefined();
    }
  });
});

describe('the queues', () => {
  const queues = resources(smallest, 'AWS::SQS::Queue');

  it('are encrypted, keep messages for 14 days, and refuse requests without TLS', () => {
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

  it('dead-letter a message that keeps crashing its function', () => {
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

  // These never change: Secrets Manager would write a changed literal over what somebody has filled in.
  it('start with values that never change', () => {
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

  it('are listed in the output SecretsToFill when they must be filled in', () => {
    expect(JSON.parse(every.findOutputs('SecretsToFill').SecretsToFill?.Value)).toEqual({
      'closer/polyai/support/secret': { apiKey: '', token: '' },
      'closer/connections/zendesk-support/secret': { signingSecret: '' },
      'closer/connections/standard/secret': { signingSecret: '' },
    });
  });

  it('are listed with the keys that a project’s look-up or cleanup needs, and start without them', () => {
    const project = { ...SMALLEST.polyai.support, projectId: 'PROJECT-2' };
    const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'] };
    const template = Template.fromStack(
      createStack({
        polyai: {
          plain: SMALLEST.polyai.support,
          looked: project,
          cleaned: { ...project, projectId: 'PROJECT-3', cleanup },
          both: { ...project, projectId: 'PROJECT-4', cleanup },
        },
        connections: {
          plain: { crm: 'zendesk', polyai: 'plain' },
          looked: { crm: 'gladly', polyai: 'looked', lookUp: 'sharedId' },
          both: { crm: 'gladly', polyai: 'both', lookUp: 'sharedId' },
        },
      }),
    );
    expect(JSON.parse(template.findOutputs('SecretsToFill').SecretsToFill?.Value)).toEqual({
      'closer/polyai/plain/secret': { apiKey: '', token: '' },
      'closer/polyai/looked/secret': { apiKey: '', token: '', handoffApiKey: '' },
      'closer/polyai/cleaned/secret': { apiKey: '', token: '', conversationsApiKey: '' },
      'closer/polyai/both/secret': { apiKey: '', token: '', handoffApiKey: '', conversationsApiKey: '' },
      'closer/connections/plain/secret': { signingSecret: '' },
    });
    for (const { Properties } of Object.values(resources(template, 'AWS::SecretsManager::Secret'))) {
      if (String(Properties.Name).includes('/polyai/'))
        expect(Properties.SecretString).toBe('{"apiKey":"","token":""}');
    }
  });

  it('are not made for a CRM that signs with published keys', () => {
    const desk = { crm: 'zoho-desk', polyai: 'support', sender: '1', dataCentre: 'eu', audience: '2' };
    const connections = { ...SMALLEST.connections, desk };
    const template = Template.fromStack(createStack({ ...SMALLEST, connections }));
    template.resourceCountIs('AWS::SecretsManager::Secret', 2);
    expect(template.findOutputs('SecretsToFill').SecretsToFill?.Value).not.toContain('connections/desk');
    expect(JSON.stringify(template)).not.toContain('connections/desk');
  });

  it('may be the user’s own by name or ARN, each granted once with its key', () => {
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

  it('may be decrypted with the user’s key only through Secrets Manager and only if named', () => {
    const key = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555';
    const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:crm/zendesk-AbCdEf';
    const own = (existingSecret: string, existingSecretKey?: string) => ({
      crm: 'zendesk',
      polyai: 'support',
      existingSecret,
      ...(existingSecretKey && { existingSecretKey }),
    });
    const connections = { one: own(arn, key), two: own('crm/two', key), three: own('crm/three') };
    const template = Template.fromStack(createStack({ ...SMALLEST, connections }));
    const [policy] = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
      /^ReceiveRole/.test(Properties.Roles[0].Ref),
    );
    const decrypt = policy?.Properties.PolicyDocument.Statement.filter(
      ({ Action }: { Action: string }) => Action === 'kms:Decrypt',
    );
    expect(decrypt).toEqual([
      {
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: key,
        Condition: {
          StringEquals: {
            'kms:ViaService': {
              'Fn::Join': ['', ['secretsmanager.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]],
            },
          },
          StringLike: {
            'kms:EncryptionContext:SecretARN': [
              arn,
              { 'Fn::Join': ['', expect.arrayContaining([':secret:crm/two-??????'])] },
            ],
          },
        },
      },
    ]);
  });
});

describe('the policies of a role', () => {
  /** The sizes of a role's policies as AWS counts them, in the region with the longest name. */
  function sizes(template: Template, type: string, role: RegExp): number[] {
    const policies = Object.values(template.findResources(type));
    return policies
      .filter(({ Properties }) => role.test(Properties.Roles[0].Ref))
      .map(({ Properties }) => resolved(Properties.PolicyDocument).length);
  }

  function resolved(document: unknown): string {
    const pseudo: Record<string, string> = {
      'AWS::Partition': 'aws-us-gov',
      'AWS::Region': 'ap-southeast-2',
      'AWS::AccountId': '123456789012',
      'AWS::URLSuffix': 'amazonaws.com.cn',
    };
    return JSON.stringify(document, (_key, value) => {
      if (value?.Ref) return pseudo[value.Ref] ?? 'r'.repeat(100);
      if (value?.['Fn::GetAtt']) return 'a'.repeat(200);
      const [separator, parts] = value?.['Fn::Join'] ?? [];
      return parts
        ? parts
            .map((part: unknown) => (typeof part === 'string' ? part : JSON.parse(resolved(part))))
            .join(separator)
        : value;
    });
  }

  const LONG = 's'.repeat(100);
  const long = (n: number) => `${'c'.repeat(60)}-${n}`;
  const connectionsOf = (count: number, own: (n: number) => object = () => ({})) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, n) => [long(n), { crm: 'zendesk', polyai: 'support', ...own(n) }]),
    );

  it('do not grow with the number of the stack’s secrets', () => {
    const few = Template.fromStack(createStack(SMALLEST, { name: LONG }));
    const many = Template.fromStack(
      createStack({ ...SMALLEST, connections: connectionsOf(200) }, { name: LONG }),
    );
    many.resourceCountIs('AWS::SecretsManager::Secret', 201);
    many.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
    for (const role of [/^ReceiveRole/, /^CloseRole/]) {
      const [size = 0] = sizes(many, 'AWS::IAM::Policy', role);
      expect(size).toBe(sizes(few, 'AWS::IAM::Policy', role)[0]);
      expect(size).toBeLessThan(3000);
    }
  });

  it.each([
    ['without a key', 400, () => ({})],
    [
      'with a key each',
      60,
      (n: number) => ({ existingSecretKey: `arn:aws:kms:eu-west-1:111122223333:key/k-${n}` }),
    ],
  ])('have room for as many existing secrets as one stack can have: %s', (_, count, key) => {
    const connections = connectionsOf(count, (n) => ({ existingSecret: `crm/desk-${n}`, ...key(n) }));
    const template = Template.fromStack(createStack({ ...SMALLEST, connections }, { name: LONG }));
    const managed = sizes(template, 'AWS::IAM::ManagedPolicy', /^ReceiveRole/);
    expect(managed.length).toBeGreaterThan(3);
    expect(managed.length).toBeLessThanOrEqual(9);
    for (const size of managed) expect(size).toBeLessThanOrEqual(6144);
    const inline = sizes(template, 'AWS::IAM::Policy', /^ReceiveRole/);
    expect(inline).toHaveLength(1);
    expect(inline[0]).toBeLessThanOrEqual(10_240);
    const named = JSON.stringify(template.toJSON()).match(/crm\/desk-\d+-\?{6}/g);
    expect(new Set(named).size).toBe(count);
  });

  it('name a cleanup’s secrets one by one when there are at most 20', () => {
    const projects = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, n) => [
          `p-${n}`,
          { ...SMALLEST.polyai.support, cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'] } },
        ]),
      );
    const granted = (count: number) => {
      const polyai = { ...SMALLEST.polyai, ...projects(count) };
      const template = Template.fromStack(createStack({ ...SMALLEST, polyai }, { name: LONG }));
      expect(sizes(template, 'AWS::IAM::Policy', /^CleanupRole/)[0]).toBeLessThan(10_240);
      return permissions(template, /^CleanupRole/)['secretsmanager:GetSecretValue'];
    };
    expect(granted(20)).toHaveLength(20);
    expect(granted(21)).toEqual([expect.stringContaining('/polyai/*/secret-??????')]);
  });
});

describe('a configuration that needs more than 500 resources', () => {
  const { support } = SMALLEST.polyai;
  const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'], oldestOpenAlarm: '2d' };
  const projects = (count: number, own: object) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`p-${n}`, { ...support, ...own }]));

  it.each<[string, object, RegExp]>([
    [
      'projects with a cleanup',
      { polyai: { support, ...projects(150, { cleanup }) } },
      /needs 8\d\d resources for 151 projects \(150 with a cleanup\) and 1 connections/,
    ],
    [
      'connections',
      {
        connections: Object.fromEntries(
          Array.from({ length: 235 }, (_, n) => [`c-${n}`, { crm: 'zendesk', polyai: 'support' }]),
        ),
      },
      /needs 5\d\d resources for 1 projects \(0 with a cleanup\) and 235 connections/,
    ],
  ])('is refused: %s', (_, own, problem) => {
    const create = () => createStack({ ...SMALLEST, ...own });
    expect(create).toThrow(ConfigurationError);
    expect(create).toThrow(problem);
    expect(create).toThrow(/takes 500\. Split it into several stacks, as docs\/scale\.md shows/);
  });
});

describe('the outputs', () => {
  it('are exactly those that commands and guides rely on', () => {
    expect(Object.keys(smallest.findOutputs('*')).sort()).toEqual([
      'CloseQueueUrl',
      'DeadLetterQueueUrl',
      'OutcomesLogGroup',
      'SecretsToFill',
      'WebhooksUrl',
    ]);
  });
});
