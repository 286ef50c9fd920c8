import { type App, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../infra/config/load.ts';
import { SMALLEST } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

const GENESYS = 'aws.partner/genesys.com/cloud/32aa07aa-db1b-4987-abd0-9483601ec29d/chat-closer';
const SALESFORCE = 'aws.partner/salesforce.com/00D000000000001EAA/0YL000000000001AAA';
const PATTERN = { source: ['acme.desk'], account: ['111122223333'], detail: { status: ['closed'] } };

const desk = {
  crm: 'eventbridge',
  polyai: 'support',
  bus: 'default',
  eventPattern: PATTERN,
  conversationId: 'detail.chat.id',
};
const genesys = { crm: 'genesys-eventbridge', polyai: 'support', bus: GENESYS, lookUp: 'sharedId' };
const salesforce = { crm: 'salesforce-event-relay', polyai: 'support', bus: SALESFORCE };
const withBuses = { ...SMALLEST, connections: { ...SMALLEST.connections, desk, genesys, salesforce } };

const smallest = Template.fromStack(createStack());
const template = Template.fromStack(createStack(withBuses));

type Resource = { Type: string; Properties: Record<string, unknown> };

function find(type: string, id: RegExp): [string, Resource['Properties']] {
  const found = Object.entries(template.findResources(type) as Record<string, Resource>).find(([each]) =>
    id.test(each),
  );
  if (!found) throw new Error(`no ${type} ${id}`);
  return [found[0], found[1].Properties];
}

const [queue, queueProperties] = find('AWS::SQS::Queue', /^EventQueue/);
const [deadLetters, deadLettersProperties] = find('AWS::SQS::Queue', /^EventDeadLetters/);
const rules = Object.values(template.findResources('AWS::Events::Rule') as Record<string, Resource>).map(
  ({ Properties }) => Properties,
);
const ruleOn = (bus: string) => rules.find(({ EventBusName }) => EventBusName === bus);

function foreign(bus: string, env?: { account: string; region: string }): () => unknown {
  const content = { ...SMALLEST, connections: { desk: { ...desk, bus } } };
  return () => createStack(content, env ? { env } : {});
}

describe('without a connection on a bus', () => {
  it('the stack has no rules, no event queues and no function for events', () => {
    smallest.resourceCountIs('AWS::Events::Rule', 0);
    smallest.resourceCountIs('AWS::SQS::Queue', 2);
    smallest.resourceCountIs('AWS::Lambda::Function', 2);
    expect(smallest.findOutputs('EventsDeadLetterQueueUrl')).toEqual({});
    expect(JSON.stringify(smallest.toJSON().Resources)).not.toContain('EventsDeadLettersAlarm');
  });
});

describe('the rules', () => {
  it('exist one for each connection, on its bus', () => {
    expect(rules.map(({ EventBusName }) => EventBusName).sort()).toEqual([GENESYS, SALESFORCE, 'default']);
  });

  it('match what the connection’s eventPattern says', () => {
    expect(ruleOn('default')?.EventPattern).toEqual(PATTERN);
  });

  it('match only the partner’s source and the events that the preset knows', () => {
    expect(ruleOn(GENESYS)?.EventPattern).toEqual({
      source: [GENESYS],
      'detail-type': ['v2.detail.events.conversation.{id}.customer.end'],
    });
    expect(ruleOn(SALESFORCE)?.EventPattern).toEqual({
      source: [SALESFORCE],
      'detail-type': ['PolyAI_Chat_Finished__e', 'CaseChangeEvent'],
    });
  });

  it('match a source that anybody could use only from this account', () => {
    const connections = {
      own: { ...genesys, bus: 'forwarded', source: 'my.forwarder' },
      partners: { ...genesys, bus: 'forwarded', source: GENESYS },
    };
    const patterns = Object.values(
      Template.fromStack(createStack({ ...SMALLEST, connections })).findResources('AWS::Events::Rule'),
    ).map(({ Properties }) => Properties.EventPattern);
    const types = { 'detail-type': ['v2.detail.events.conversation.{id}.customer.end'] };
    expect(patterns).toEqual(
      expect.arrayContaining([
        { ...types, source: ['my.forwarder'], account: [{ Ref: 'AWS::AccountId' }] },
        { ...types, source: [GENESYS] },
      ]),
    );
  });

  it('match a service’s events on the default bus, of this account or of the one that the sender’s ARN names', () => {
    const sender = 'arn:aws:connect:eu-west-2:999999999999:instance/12345678-1234-1234-1234-123456789012';
    const connect = { crm: 'amazon-connect', polyai: 'support' };
    const connections = { own: connect, forwarded: { ...connect, bus: 'connect', sender } };
    const found = Object.values(
      Template.fromStack(createStack({ ...SMALLEST, connections })).findResources('AWS::Events::Rule'),
    ).map(({ Properties }) => [Properties.EventBusName, Properties.EventPattern.account]);
    expect(found).toEqual(
      expect.arrayContaining([
        ['default', [{ Ref: 'AWS::AccountId' }]],
        ['connect', ['999999999999']],
      ]),
    );
  });

  it('can be on a bus that is named by its ARN', () => {
    const bus = 'arn:aws:events:eu-west-1:111122223333:event-bus/orders';
    const stack = createStack({ ...SMALLEST, connections: { desk: { ...desk, bus } } });
    Template.fromStack(stack).hasResourceProperties('AWS::Events::Rule', { EventBusName: bus });
  });

  it('send the whole event and the connection’s name to the queue, and retry for a day', () => {
    expect(ruleOn(GENESYS)?.Targets).toEqual([
      {
        Id: 'Events',
        Arn: { 'Fn::GetAtt': [queue, 'Arn'] },
        InputTransformer: { InputTemplate: '{"connection":"genesys","event":<aws.events.event.json>}' },
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [deadLetters, 'Arn'] } },
      },
    ]);
  });

  it('have different names when two connections differ only in a hyphen', () => {
    const connections = { 'a-b': desk, ab: desk };
    Template.fromStack(createStack({ ...SMALLEST, connections })).resourceCountIs('AWS::Events::Rule', 2);
  });

  it('have valid names that match the queue’s policy and no other stack’s', () => {
    const names = (name: string, connections: string[]) => {
      const all = Object.fromEntries(connections.map((each) => [each, desk]));
      const stack = Template.fromStack(createStack({ ...SMALLEST, connections: all }, { name }));
      return Object.values(stack.findResources('AWS::Events::Rule')).map(({ Properties }) => Properties.Name);
    };
    expect(rules.map(({ Name }) => Name).sort()).toEqual([
      'closer.desk',
      'closer.genesys',
      'closer.salesforce',
    ]);
    expect(names('a', ['b-c'])).not.toEqual(names('a-b', ['c']));
    const long = names('s'.repeat(100), ['c'.repeat(64), `${'c'.repeat(63)}d`]);
    const longer = names(`${'s'.repeat(99)}t`, ['c'.repeat(64)]);
    expect(new Set([...long, ...longer]).size).toBe(3);
    for (const each of [...long, ...longer]) expect(each).toMatch(/^s{30}-[0-9a-f]{8}\.[\w.-]{1,24}$/);
    expect(long[0]?.split('.')[0]).toBe(long[1]?.split('.')[0]);
    expect(long[0]?.split('.')[0]).not.toBe(longer[0]?.split('.')[0]);
  });

  it('are created after the permission to send', () => {
    const [policy] = find('AWS::SQS::QueuePolicy', /^EventQueue/);
    const [deadLetterPolicy] = find('AWS::SQS::QueuePolicy', /^EventDeadLetters/);
    for (const rule of Object.values(template.findResources('AWS::Events::Rule'))) {
      expect(rule.DependsOn).toEqual(expect.arrayContaining([policy, deadLetterPolicy]));
    }
  });
});

describe('the ARN of a bus', () => {
  const bus = 'arn:aws:events:eu-west-1:111122223333:event-bus/orders';

  it.each([
    ['another account', { account: '999999999999', region: 'eu-west-1' }, /account 111122223333/],
    ['another region', { account: '111122223333', region: 'us-east-1' }, /region eu-west-1/],
  ])('of %s is refused when the stack’s own is known', (_, env, problem) => {
    expect(foreign(bus, env)).toThrow(ConfigurationError);
    expect(foreign(bus, env)).toThrow(problem);
    expect(foreign(bus, env)).toThrow(/connections\.desk\.bus is in .* Let a rule there forward/);
  });

  it('is accepted for this account and region, and always when these are not known', () => {
    expect(foreign(bus, { account: '111122223333', region: 'eu-west-1' })).not.toThrow();
    expect(foreign(bus)).not.toThrow();
  });

  it('is compared with the account and region that the command line deploys to', () => {
    process.env.CDK_DEFAULT_ACCOUNT = '999999999999';
    try {
      expect(foreign(bus)).toThrow(/account 111122223333, but this stack is in 999999999999/);
      process.env.CDK_DEFAULT_ACCOUNT = '111122223333';
      process.env.CDK_DEFAULT_REGION = 'us-east-1';
      expect(foreign(bus)).toThrow(/region eu-west-1, but this stack is in us-east-1/);
    } finally {
      delete process.env.CDK_DEFAULT_ACCOUNT;
      delete process.env.CDK_DEFAULT_REGION;
    }
  });

  it('is not compared with the region that the command line makes up when it has no credentials', () => {
    process.env.CDK_DEFAULT_REGION = 'us-east-1';
    try {
      expect(foreign(bus)).not.toThrow();
    } finally {
      delete process.env.CDK_DEFAULT_REGION;
    }
  });
});

describe('the queue of events', () => {
  it('is encrypted, keeps events for 14 days, and dead-letters one after 20 receives', () => {
    for (const properties of [queueProperties, deadLettersProperties]) {
      expect(properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 86_400 });
    }
    expect(queueProperties).toMatchObject({
      VisibilityTimeout: 60,
      RedrivePolicy: { maxReceiveCount: 20, deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters, 'Arn'] } },
    });
  });

  it('hides a message for six times the timeout of its function', () => {
    const [, { Timeout }] = find('AWS::Lambda::Function', /^Event/);
    expect(queueProperties.VisibilityTimeout).toBeGreaterThanOrEqual(6 * Number(Timeout));
  });

  it.each([queue, deadLetters])(
    'accepts messages only from this stack’s rules and only over TLS: %s',
    (id) => {
      template.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: id }],
        PolicyDocument: Match.objectLike({
          Statement: [
            Match.objectLike({
              Effect: 'Deny',
              Action: 'sqs:*',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            }),
            {
              Effect: 'Allow',
              Principal: { Service: 'events.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: { 'Fn::GetAtt': [id, 'Arn'] },
              Condition: {
                StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
                ArnLike: {
                  'aws:SourceArn': [':rule/closer.*', ':rule/*/closer.*'].map((rule) => ({
                    'Fn::Join': [
                      '',
                      [
                        'arn:',
                        { Ref: 'AWS::Partition' },
                        ':events:',
                        { Ref: 'AWS::Region' },
                        ':',
                        { Ref: 'AWS::AccountId' },
                        rule,
                      ],
                    ],
                  })),
                },
              },
            },
          ],
        }),
      });
    },
  );

  // A new account may run ten functions at once. Webhooks get those that the worker and this function leave.
  it.each([
    [5, 2],
    [2, 2],
    [3, 2],
    [40, 20],
    [1000, 500],
  ])(
    'feeds its function ten at a time: with %i workers at most %i functions at once',
    (maxConcurrency, most) => {
      const set = createStack({ ...withBuses, stack: { maxConcurrency } });
      Template.fromStack(set).hasResourceProperties('AWS::Lambda::EventSourceMapping', {
        EventSourceArn: { 'Fn::GetAtt': [queue, 'Arn'] },
        BatchSize: 10,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: most },
      });
    },
  );
});

describe('the function that reads events', () => {
  it('has the same runtime and log format as the others', () => {
    expect(find('AWS::Lambda::Function', /^Event/)[1]).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: expect.stringMatching(/^EventLog/) } },
    });
  });

  it('may consume events and send to the close queue, and nothing else', () => {
    const [, { PolicyDocument }] = find('AWS::IAM::Policy', /^EventRole/);
    const { Statement } = PolicyDocument as { Statement: { Action: string | string[]; Resource: unknown }[] };
    const granted = Statement.flatMap(({ Action, Resource }) =>
      [Action].flat().map((action) => `${action} ${JSON.stringify(Resource)}`),
    );
    const named = granted
      .map((each) => each.replace(/^(\S+) .*"(EventLog|EventQueue|Closes)\w*".*$/, '$1 $2'))
      .sort();
    expect(named).toEqual([
      'logs:CreateLogStream EventLog',
      'logs:PutLogEvents EventLog',
      'sqs:DeleteMessage EventQueue',
      'sqs:GetQueueAttributes EventQueue',
      'sqs:ReceiveMessage EventQueue',
      'sqs:SendMessage Closes',
    ]);
  });
});

describe('a connection on a bus', () => {
  it('has no secret', () => {
    const names = Object.values(template.findResources('AWS::SecretsManager::Secret')).map(
      ({ Properties }) => Properties.Name,
    );
    expect(names.sort()).toEqual([
      'closer/connections/zendesk-support/secret',
      'closer/polyai/support/secret',
    ]);
  });

  it('adds the output EventsDeadLetterQueueUrl', () => {
    expect(template.findOutputs('EventsDeadLetterQueueUrl').EventsDeadLetterQueueUrl?.Value).toEqual({
      Ref: deadLetters,
    });
  });

  it('needs no API and no receiver when there are no webhooks', () => {
    const stack = createStack({ ...SMALLEST, connections: { desk, genesys } });
    const only = Template.fromStack(stack);
    only.resourceCountIs('AWS::Lambda::Function', 2);
    for (const type of ['Api', 'Stage', 'Route', 'Integration'])
      only.resourceCountIs(`AWS::ApiGatewayV2::${type}`, 0);
    expect(JSON.stringify(only.toJSON().Resources)).not.toMatch(
      /Receive(?!Count|Message|d)|Gateway|AccessLog|apigateway/,
    );
    expect(Object.keys(only.findOutputs('*')).sort()).toEqual([
      'CloseQueueUrl',
      'DeadLetterQueueUrl',
      'EventsDeadLetterQueueUrl',
      'OutcomesLogGroup',
      'SecretsToFill',
    ]);
  });
});

describe('cdk-nag’s AwsSolutions', () => {
  it('finds nothing in a stack with buses', () => {
    const app = createStack(withBuses).node.root as App;
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });
});
