import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { SMALLEST } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:on-call';
const silent = Template.fromStack(createStack());
const genesys = { crm: 'genesys-eventbridge', bus: 'aws.partner/genesys.com/cloud/1/2', lookUp: 'sharedId' };
const onBus = Template.fromStack(
  createStack({ ...SMALLEST, connections: { genesys: { ...genesys, polyai: 'support' } } }),
);
const loud = Template.fromStack(
  createStack({ ...SMALLEST, stack: { alarms: { email: 'on-call@example.com', topicArn: TOPIC } } }),
);

type Alarm = { Properties: { AlarmDescription: string; AlarmActions?: unknown[] } & Record<string, unknown> };

function alarm(template: Template, id: string): Alarm['Properties'] {
  const found = Object.entries(template.findResources('AWS::CloudWatch::Alarm')).find(([name]) =>
    name.startsWith(id),
  );
  if (!found) throw new Error(`no alarm ${id}`);
  return (found[1] as Alarm).Properties;
}

describe('the alarms', () => {
  it('watch the depth of the dead-letter queue', () => {
    expect(alarm(silent, 'DeadLettersAlarm')).toMatchObject({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [
        { Name: 'QueueName', Value: { 'Fn::GetAtt': [expect.stringMatching(/^DeadLetters/), 'QueueName'] } },
      ],
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Statistic: 'Maximum',
    });
  });

  it('watch the depth of the events’ dead-letter queue if there is one', () => {
    const queue = { 'Fn::GetAtt': [expect.stringMatching(/^EventDeadLetters/), 'QueueName'] };
    expect(alarm(onBus, 'EventsDeadLettersAlarm')).toMatchObject({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: queue }],
      Threshold: 1,
      Statistic: 'Maximum',
    });
    expect(() => alarm(silent, 'EventsDeadLettersAlarm')).toThrow(/no alarm/);
  });

  it('watch the function that reads events in the same way as the others', () => {
    onBus.hasResourceProperties('AWS::Logs::MetricFilter', {
      LogGroupName: { Ref: Match.stringLikeRegexp('^EventLog') },
      FilterPattern: '{ $.type = "fault" }',
      MetricTransformations: [Match.objectLike({ MetricName: 'Faults' })],
    });
    expect(alarm(onBus, 'EventErrorsAlarm')).toMatchObject({ Namespace: 'AWS/Lambda', MetricName: 'Errors' });
  });

  it('watch the failures that the gateway answers itself, not those that the receiver answers', () => {
    silent.hasResourceProperties('AWS::Logs::MetricFilter', {
      LogGroupName: { Ref: Match.stringLikeRegexp('^ReceiveGatewayAccessLog') },
      FilterPattern: '{ ($.status = "429") || (($.status = "5*") && ($.integrationStatus != "5*")) }',
      MetricTransformations: [Match.objectLike({ MetricName: 'GatewayFailures', MetricValue: '1' })],
    });
    expect(alarm(silent, 'GatewayAlarm')).toMatchObject({
      MetricName: 'GatewayFailures',
      Threshold: 1,
      Statistic: 'Sum',
    });
  });

  it.each(['unauthorized', 'misdirected', 'unknown_target'])(
    'watch the outcome %s, which needs somebody to act',
    (outcome) => {
      silent.hasResourceProperties('AWS::CloudWatch::Alarm', {
        Namespace: 'PolyAIChatCloser',
        MetricName: 'CloseAttempts',
        Dimensions: [
          { Name: 'outcome', Value: outcome },
          { Name: 'service', Value: 'closer' },
        ],
        Threshold: 1,
      });
    },
  );

  it('watch the faults that functions log and the failures that they cannot log', () => {
    for (const group of ['^ReceiveLog', '^CloseLog']) {
      silent.hasResourceProperties('AWS::Logs::MetricFilter', {
        LogGroupName: { Ref: Match.stringLikeRegexp(group) },
        FilterPattern: '{ $.type = "fault" }',
        MetricTransformations: [
          {
            MetricName: 'Faults',
            MetricNamespace: 'PolyAIChatCloser',
            MetricValue: '1',
            Unit: 'Count',
            Dimensions: [{ Key: 'service', Value: '$.service' }],
          },
        ],
      });
    }
    expect(alarm(silent, 'FaultsAlarm')).toMatchObject({
      MetricName: 'Faults',
      Namespace: 'PolyAIChatCloser',
      Dimensions: [{ Name: 'service', Value: 'closer' }],
    });
    for (const name of ['Receive', 'Close']) {
      expect(alarm(silent, `${name}ErrorsAlarm`)).toMatchObject({
        Namespace: 'AWS/Lambda',
        MetricName: 'Errors',
      });
    }
  });

  it('watch how many closes are in flight, far below where SQS stops delivering', () => {
    expect(alarm(silent, 'InFlightAlarm')).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesNotVisible',
      Threshold: 80_000,
    });
  });

  it('notify nobody unless an address or topic is configured', () => {
    silent.resourceCountIs('AWS::SNS::Topic', 0);
    silent.resourceCountIs('AWS::KMS::Key', 0);
    expect(alarm(silent, 'DeadLettersAlarm').AlarmActions ?? []).toEqual([]);
  });

  it('notify the configured e-mail address and topic', () => {
    loud.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'on-call@example.com',
    });
    for (const { Properties } of Object.values(loud.findResources('AWS::CloudWatch::Alarm')) as Alarm[]) {
      expect(Properties.AlarmActions).toEqual([TOPIC, { Ref: expect.stringMatching(/^AlarmTopic/) }]);
    }
  });

  it('have a topic that CloudWatch may publish to with a key that it may use', () => {
    const fromCloudWatch = {
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    };
    loud.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({
            ...fromCloudWatch,
            Action: 'sns:Publish',
            Resource: { Ref: Match.stringLikeRegexp('^AlarmTopic') },
          }),
        ]),
      }),
    });
    loud.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({ ...fromCloudWatch, Action: ['kms:Decrypt', 'kms:GenerateDataKey*'] }),
        ]),
      }),
    });
    loud.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
  });
});
