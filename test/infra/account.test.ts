import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../infra/config/load.ts';
import { KEY, OPERATORS, REGULATED } from '../support/account.ts';
import { configurationOf, SMALLEST } from '../support/configuration.ts';
import { EVERYTHING } from '../support/everything.ts';
import { createStack } from '../support/stack.ts';
import { templateOf } from '../support/template.ts';

const stack = createStack(REGULATED);
const template = Template.fromStack(stack);
const resources = Object.entries(templateOf(stack).Resources);
const ofType = (type: string) => resources.filter(([, { Type }]) => Type === type);

/** The properties of all resources of a type. */
const propertiesOf = (type: string): Record<string, unknown>[] =>
  ofType(type).map(([, { Properties = {} }]) => Properties);

describe('stack.encryptionKey', () => {
  it.each([
    ['AWS::SQS::Queue', 'KmsMasterKeyId', 4],
    ['AWS::Logs::LogGroup', 'KmsKeyId', 6],
    ['AWS::SecretsManager::Secret', 'KmsKeyId', 5],
    ['AWS::SNS::Topic', 'KmsMasterKeyId', 1],
    ['AWS::Lambda::Function', 'KmsKeyArn', 5],
  ])('encrypts every %s', (type, property, count) => {
    const found = propertiesOf(type).map((properties) => properties[property]);
    expect(found).toHaveLength(count);
    expect(new Set(found)).toEqual(new Set([KEY]));
  });

  it('creates no other key', () => {
    template.resourceCountIs('AWS::KMS::Key', 0);
  });

  it('lets each function use it through the services that need it, and in no other way', () => {
    const uses = propertiesOf('AWS::IAM::Policy').filter((policy) =>
      JSON.stringify(policy).includes('kms:GenerateDataKey'),
    );
    expect(uses).toHaveLength(5);
    for (const policy of uses) {
      const { Statement } = policy.PolicyDocument as { Statement: Record<string, unknown>[] };
      expect(Statement).toContainEqual({
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: KEY,
        Condition: { StringEquals: { 'kms:ViaService': expect.any(Array) } },
      });
    }
  });
});

describe('stack.vpc', () => {
  it('puts every function into the subnets and security groups', () => {
    for (const { VpcConfig } of propertiesOf('AWS::Lambda::Function')) {
      expect(VpcConfig).toMatchObject({
        SubnetIds: REGULATED.stack.vpc.subnetIds,
        SecurityGroupIds: REGULATED.stack.vpc.securityGroupIds,
      });
    }
  });

  it('lets their roles have network interfaces', () => {
    const policies = propertiesOf('AWS::IAM::Policy').map((policy) => JSON.stringify(policy));
    expect(policies.filter((text) => text.includes('ec2:CreateNetworkInterface'))).toHaveLength(5);
  });
});

describe('stack.domain', () => {
  it('is in front of the API, with mutual TLS, and the API’s own address is off', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: 'chats.example.com',
      DomainNameConfigurations: [
        Match.objectLike({
          CertificateArn: REGULATED.stack.domain.certificateArn,
          SecurityPolicy: 'TLS_1_2',
        }),
      ],
      MutualTlsAuthentication: { TruststoreUri: 's3://example-trust/crm-clients.pem' },
    });
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
    template.resourceCountIs('AWS::ApiGatewayV2::ApiMapping', 1);
  });

  it('is the address in the outputs and the canary’s', () => {
    template.hasOutput('WebhooksUrl', { Value: 'https://chats.example.com/webhooks' });
    template.hasOutput('DomainTarget', { Value: Match.anyValue() });
    expect(JSON.stringify(propertiesOf('AWS::Lambda::Function'))).toContain(
      '"CANARY_URL":"https://chats.example.com/webhooks/canary"',
    );
  });
});

it('stack.reservedConcurrency is the receiver’s alone', () => {
  const reserved = ofType('AWS::Lambda::Function').filter(
    ([, { Properties }]) => Properties?.ReservedConcurrentExecutions !== undefined,
  );
  expect(reserved.map(([id]) => id)).toEqual([expect.stringMatching(/^Receive/)]);
  expect(reserved[0]?.[1].Properties?.ReservedConcurrentExecutions).toBe(50);
});

it('stack.queueSenders denies sending to everybody but the functions and these principals', () => {
  const statement = propertiesOf('AWS::SQS::QueuePolicy')
    .flatMap(({ PolicyDocument }) => (PolicyDocument as { Statement: object[] }).Statement)
    .find((each) => JSON.stringify(each).includes('aws:PrincipalArn'));
  expect(statement).toMatchObject({
    Effect: 'Deny',
    Principal: { AWS: '*' },
    Action: 'sqs:SendMessage',
    Condition: { ArnNotEquals: { 'aws:PrincipalArn': expect.arrayContaining([OPERATORS]) } },
  });
  const { Condition } = statement as unknown as {
    Condition: { ArnNotEquals: Record<string, unknown[]> };
  };
  expect(Condition.ArnNotEquals['aws:PrincipalArn']).toHaveLength(6);
});

it('stack.tags are on every resource that can have them', () => {
  for (const type of ['AWS::SQS::Queue', 'AWS::Lambda::Function', 'AWS::SecretsManager::Secret'])
    for (const { Tags } of propertiesOf(type))
      expect(Tags).toContainEqual({ Key: 'cost-centre', Value: '4711' });
});

it('none of them is in a stack without them', () => {
  const plain = JSON.stringify(templateOf(createStack(EVERYTHING)));
  for (const word of [
    'VpcConfig',
    'DomainName"',
    'ReservedConcurrent',
    'PrincipalArn',
    'cost-centre',
    'KmsKeyArn',
  ])
    expect(plain).not.toContain(word);
});

it('stack.systemLogLevel is the level of Lambda’s own lines, and never of the functions’ lines', () => {
  for (const level of ['WARN', 'INFO', 'DEBUG']) {
    const set = Template.fromStack(createStack({ ...SMALLEST, stack: { systemLogLevel: level } }));
    const logging = { ApplicationLogLevel: 'INFO', LogFormat: 'JSON', SystemLogLevel: level };
    const count = Object.keys(set.findResources('AWS::Lambda::Function')).length;
    set.resourcePropertiesCountIs(
      'AWS::Lambda::Function',
      { LoggingConfig: Match.objectLike(logging) },
      count,
    );
    expect(count).toBe(2);
  }
});

describe('a wrong setting', () => {
  it.each([
    ['encryptionKey', 'alias/mine', /stack\.encryptionKey is not the ARN of a KMS key/],
    ['vpc', { vpcId: 'mine', subnetIds: [], securityGroupIds: ['sg-1'] }, /stack\.vpc\.subnetIds is empty/],
    ['domain', { name: 'https://x' }, /stack\.domain\.name is not a host name/],
    ['queueSenders', ['operators'], /stack\.queueSenders has something else than ARNs/],
    ['reservedConcurrency', 0, /stack\.reservedConcurrency is less than 1/],
    ['systemLogLevel', 'TRACE', /stack\.systemLogLevel .*TRACE/],
    ['tags', { owner: '' }, /stack\.tags\.owner is empty/],
  ])('%s is refused with the fix', (key, value, message) => {
    const load = () => configurationOf({ ...SMALLEST, stack: { [key]: value } });
    expect(load).toThrow(ConfigurationError);
    expect(load).toThrow(message);
  });
});

describe('stack.terminationProtection', () => {
  const protectionOf = (settings: object) =>
    createStack({ ...SMALLEST, stack: settings }).terminationProtection ?? false;

  it('protects the stack that has it, and no other', () => {
    expect(stack.terminationProtection).toBe(true);
    expect(protectionOf({})).toBe(false);
    expect(protectionOf({ terminationProtection: false })).toBe(false);
  });
});

describe('a permissions boundary in cdk.json', () => {
  const rolesWith = (boundary: unknown) => {
    const context = { '@aws-cdk/core:permissionsBoundary': boundary };
    const { Resources } = templateOf(createStack(REGULATED, { context }));
    return Object.values(Resources)
      .filter(({ Type }) => Type === 'AWS::IAM::Role')
      .map(({ Properties = {} }) => JSON.stringify(Properties.PermissionsBoundary ?? ''));
  };

  it('is on every role', () => {
    const found = rolesWith({ name: 'developer-boundary' });
    expect(found.length).toBeGreaterThan(5);
    expect(found.filter((each) => !each.includes('policy/developer-boundary'))).toEqual([]);
  });

  it('is ignored as a text, which is what the command line makes of it', () => {
    expect(new Set(rolesWith('{"name":"developer-boundary"}'))).toEqual(new Set(['""']));
  });
});
