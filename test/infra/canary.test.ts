import type { App } from 'aws-cdk-lib';
import { Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { embed } from '../../infra/embed.ts';
import { seriesOf } from '../../infra/metric-series.ts';
import { configurationOf, SMALLEST } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

const CONFIGURATION = { ...SMALLEST, stack: { canary: { schedule: 'rate(5 minutes)', polyai: 'support' } } };

const stack = createStack(CONFIGURATION);
const template = Template.fromStack(stack);
const without = Template.fromStack(createStack());

/** The statements of a role, whose logical id begins like this. */
function statementsOf(role: string): { Action: string | string[]; Resource: unknown }[] {
  const policies = template.findResources('AWS::IAM::Policy', {
    Properties: { Roles: [{ Ref: Match.stringLikeRegexp(`^${role}`) }] },
  });
  return Object.values(policies).flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
}

describe('the canary', () => {
  it('is not there without the setting: not a single resource', () => {
    expect(Object.keys(without.toJSON().Resources).filter((id) => /canary/i.test(id))).toEqual([]);
    const filters = Object.values(without.findResources('AWS::Logs::MetricFilter'));
    expect(filters.filter(({ Properties }) => /healthy|"canary"/.test(Properties.FilterPattern))).toEqual([]);
  });

  it('runs on its schedule, once each time, in a group of its own', () => {
    template.resourceCountIs('AWS::Scheduler::Schedule', 1);
    template.hasResourceProperties('AWS::Scheduler::ScheduleGroup', { Name: 'closer-canary' });
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(5 minutes)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      GroupName: { Ref: Match.stringLikeRegexp('^CanaryScheduleGroup') },
      Target: {
        Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^CanaryFunction'), 'Arn'] },
        RoleArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^CanaryScheduleRole'), 'Arn'] },
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('^CanaryFunction') },
      MaximumRetryAttempts: 0,
    });
  });

  it('sends to the public address of its own connection, and knows the name of that secret alone', () => {
    const [canary] = Object.values(
      template.findResources('AWS::Lambda::Function', {
        Properties: { Description: Match.stringLikeRegexp('cannot exist') },
      }),
    );
    expect(canary?.Properties.Environment.Variables).toEqual({
      CANARY_URL: {
        'Fn::Join': [
          '',
          [
            { 'Fn::GetAtt': [expect.stringMatching(/^ReceiveGatewayApi/), 'ApiEndpoint'] },
            '/webhooks/canary',
          ],
        ],
      },
      CANARY_SECRET_ID: 'closer/connections/canary/secret',
      STACK_NAME: 'closer',
    });
  });

  it('may read its own secret and write its log, and nothing else', () => {
    const statements = statementsOf('CanaryRole');
    expect(new Set(statements.flatMap(({ Action }) => Action))).toEqual(
      new Set(['logs:CreateLogStream', 'logs:PutLogEvents', 'secretsmanager:GetSecretValue']),
    );
    const text = JSON.stringify(statements);
    expect(text).toContain(':secret:closer/connections/canary/secret-??????');
    expect(text).not.toContain('connections/*');
    expect(text).not.toContain('polyai/');
  });

  it('has a secret that the stack generates and deletes, and that nobody must fill', () => {
    template.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'Delete',
      Properties: {
        Name: 'closer/connections/canary/secret',
        GenerateSecretString: Match.objectLike({
          GenerateStringKey: 'signingSecret',
          PasswordLength: 48,
          SecretStringTemplate: '{}',
        }),
      },
    });
    expect(JSON.stringify(template.findOutputs('SecretsToFill'))).not.toContain('canary');
  });

  it('has an alarm of its own, and metrics from its lines without a dimension besides the stack', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'CanaryHealthy',
      Dimensions: [{ Name: 'service', Value: 'closer' }],
      TreatMissingData: 'breaching',
      Period: 60,
      EvaluationPeriods: 15,
    });
    const filters = Object.values(template.findResources('AWS::Logs::MetricFilter'));
    const metrics = filters.flatMap(({ Properties }) => Properties.MetricTransformations);
    expect(
      metrics
        .filter(({ MetricName }) => MetricName.startsWith('Canary'))
        .map(({ MetricName, MetricValue, Dimensions }) => [MetricName, MetricValue, Dimensions]),
    ).toEqual([
      ['CanaryHealthy', '$.healthy', [{ Key: 'service', Value: '$.service' }]],
      ['CanaryHopAnswer', '$.answer_ms', [{ Key: 'service', Value: '$.service' }]],
      ['CanaryHopQueue', '$.queued_ms', [{ Key: 'service', Value: '$.service' }]],
      ['CanaryHopPolyAI', '$.took_ms', [{ Key: 'service', Value: '$.service' }]],
    ]);
  });

  it('makes four metrics that AWS bills, and none without the setting', () => {
    const canarySeries = (content: unknown) =>
      seriesOf(configurationOf(content)).filter(({ name }) => name.startsWith('Canary'));
    expect(canarySeries(CONFIGURATION)).toHaveLength(4);
    expect(canarySeries(SMALLEST)).toEqual([]);
  });

  it('has no alarm for errors and no fault of its function: its own alarm misses the healthy line', () => {
    const ids = Object.keys(template.findResources('AWS::CloudWatch::Alarm'));
    expect(ids.filter((id) => /CanaryErrors/.test(id))).toEqual([]);
    const filters = Object.keys(template.findResources('AWS::Logs::MetricFilter'));
    expect(filters.filter((id) => /canary.*faults|faults.*canary/i.test(id))).toEqual([]);
  });

  it('passes cdk-nag’s AwsSolutions', () => {
    const app = createStack(CONFIGURATION).node.root as App;
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });
});

describe('the connection of the canary', () => {
  const secret = { id: 'closer/connections/canary/secret' };
  const embedded = embed(configurationOf(CONFIGURATION), {
    polyai: new Map(),
    connections: new Map([['canary', secret]]),
  });

  it('is in the receiver, with its mark, its project and its secret', () => {
    expect(Object.keys(embedded.connections)).toEqual(['zendesk-support', 'canary']);
    expect(embedded.connections.canary).toMatchObject({
      crm: 'custom',
      project: 'support',
      secretId: secret.id,
      canary: true,
      verify: { scheme: 'hmac', signed: '{timestamp}.{body}' },
    });
    expect(embedded.connections['zendesk-support']).not.toHaveProperty('canary');
  });

  it('is not there without the setting', () => {
    const other = embed(configurationOf(SMALLEST), { polyai: new Map(), connections: new Map() });
    expect(Object.keys(other.connections)).toEqual(['zendesk-support']);
  });
});
