import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { spanOf } from '../../infra/monitoring/alarm-rule.ts';
import { ROOT } from '../../infra/root.ts';
import { SMALLEST } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

const SETTINGS = { schedule: 'rate(1 hour)', channels: ['CHAT'] };

/** A configuration with one project for each of these cleanups, and one project without. */
function configurationWith(cleanups: Record<string, object>) {
  const { support } = SMALLEST.polyai;
  const projects = Object.entries(cleanups).map(([name, own]) => [
    name,
    { ...support, cleanup: { ...SETTINGS, ...own } },
  ]);
  return { ...SMALLEST, polyai: { support, ...Object.fromEntries(projects) } };
}

const nightly = {
  schedule: 'cron(0 3 * * ? *)',
  timezone: 'Europe/London',
  alarmAfter: '26h',
  oldestOpenAlarm: '3d',
};
const template = Template.fromStack(createStack(configurationWith({ hourly: {}, nightly })));
const without = Template.fromStack(createStack());

const schedules = (from: Template) =>
  Object.values(from.findResources('AWS::Scheduler::Schedule')).map(({ Properties }) => Properties);
const scheduleOf = (project: string, from = template) =>
  schedules(from).find(({ Target }) => Target.Input === JSON.stringify({ project }));

describe('the schedules of cleanups', () => {
  it('exist one for each project with a cleanup, and without a cleanup nothing of it exists', () => {
    expect(schedules(template)).toHaveLength(2);
    without.resourceCountIs('AWS::Scheduler::Schedule', 0);
    without.resourceCountIs('AWS::Scheduler::ScheduleGroup', 0);
    expect(Object.keys(without.toJSON().Resources).filter((id) => /cleanup/i.test(id))).toEqual([]);
  });

  it('call the function with the project’s name at the configured time, without retries', () => {
    const target = (project: string) => ({
      Arn: { 'Fn::GetAtt': [expect.stringMatching(/^Cleanup/), 'Arn'] },
      RoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^CleanupSchedulesRole/), 'Arn'] },
      Input: `{"project":"${project}"}`,
      RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 900 },
    });
    expect(scheduleOf('hourly')).toMatchObject({
      ScheduleExpression: 'rate(1 hour)',
      ScheduleExpressionTimezone: 'UTC',
      Target: target('hourly'),
    });
    expect(scheduleOf('nightly')).toMatchObject({
      ScheduleExpression: 'cron(0 3 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/London',
      Target: target('nightly'),
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('^Cleanup') },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 900,
    });
  });

  it.each([
    ['rate(1 hour)', { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 }],
    ['rate(1 day)', { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 }],
    ['rate(20 minutes)', { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 }],
    ['rate(1 minute)', { Mode: 'OFF' }],
  ])('fire within a window, so that many do not fire together: %s', (schedule, window) => {
    const one = Template.fromStack(createStack(configurationWith({ one: { schedule } })));
    expect(scheduleOf('one', one)?.FlexibleTimeWindow).toEqual(window);
  });

  it('have a role that only this group of schedules can assume, and that may call only this function', () => {
    template.hasResourceProperties('AWS::Scheduler::ScheduleGroup', { Name: 'closer-cleanup' });
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: Match.objectLike({
        Statement: [
          Match.objectLike({
            Principal: { Service: 'scheduler.amazonaws.com' },
            Condition: {
              StringEquals: {
                'aws:SourceAccount': { Ref: 'AWS::AccountId' },
                'aws:SourceArn': Match.objectLike({}),
              },
            },
          }),
        ],
      }),
    });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: Match.objectLike({
        Statement: [
          {
            Action: 'lambda:InvokeFunction',
            Effect: 'Allow',
            Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Cleanup'), 'Arn'] },
          },
        ],
      }),
      Roles: [{ Ref: Match.stringLikeRegexp('^CleanupSchedulesRole') }],
    });
  });

  it.each([
    ['ends', `a${'-b'.repeat(45)}`, `c${'-b'.repeat(45)}`],
    ['begins', `${'b-'.repeat(45)}a`, `${'b-'.repeat(45)}c`],
  ])(
    'have a group with a valid and unique name, even if the stack’s name is long and another %s alike',
    (_, ...names) => {
      const groups = names.map((name) => {
        const long = Template.fromStack(createStack(configurationWith({ one: {} }), { name }));
        return Object.values(long.findResources('AWS::Scheduler::ScheduleGroup'))[0]?.Properties.Name;
      });
      for (const group of groups) expect(group).toMatch(/^[0-9a-zA-Z._][0-9a-zA-Z-_.]{0,55}-cleanup$/);
      expect(new Set(groups).size).toBe(2);
    },
  );
});

describe('the cleanup function', () => {
  it('may read the secrets of its projects and queue closes, and nothing else', () => {
    const policies = template.findResources('AWS::IAM::Policy', {
      Properties: { Roles: [{ Ref: Match.stringLikeRegexp('^CleanupRole') }] },
    });
    const statements = Object.values(policies).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement,
    );
    const text = JSON.stringify(statements);
    expect(new Set(statements.flatMap(({ Action }) => Action))).toEqual(
      new Set([
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        'secretsmanager:GetSecretValue',
        'sqs:SendMessage',
      ]),
    );
    expect(text).toContain(':secret:closer/polyai/hourly/secret-??????');
    expect(text).toContain(':secret:closer/polyai/nightly/secret-??????');
    expect(text).not.toContain('polyai/support');
    expect(text).not.toContain('polyai/*');
    expect(text).not.toMatch(/DeadLetters/);
  });

  it('may run for 15 minutes, the longest that Lambda allows', () => {
    template.hasResourceProperties('AWS::Lambda::Function', { Timeout: 900, MemorySize: 1024 });
  });

  it('synthesises without a warning', () => {
    const stack = createStack(configurationWith({ hourly: {} }));
    expect(Annotations.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
  });

  it('passes cdk-nag’s AwsSolutions', () => {
    const stack = createStack(configurationWith({ hourly: {}, nightly }));
    Validations.of(stack.node.root).addPlugins(new AwsSolutionsChecks(stack.node.root as App));
    expect(() => (stack.node.root as App).synth()).not.toThrow();
  });
});

type Properties = Record<string, unknown> & { AlarmDescription: string };

function alarmsOn(metric: string, from = template): Properties[] {
  return Object.values(from.findResources('AWS::CloudWatch::Alarm'))
    .map(({ Properties }) => Properties)
    .filter(({ MetricName }) => MetricName === metric);
}

const of = (project: string) => [
  { Name: 'project', Value: project },
  { Name: 'service', Value: 'closer' },
];

describe('the alarms of a cleanup', () => {
  it('sound when no run was complete for too long, also when none ran', () => {
    const common = {
      Namespace: 'PolyAIChatCloser',
      Statistic: 'Maximum',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    };
    expect(alarmsOn('CleanupComplete')).toEqual([
      expect.objectContaining({ ...common, Dimensions: of('hourly'), Period: 300, EvaluationPeriods: 36 }),
      expect.objectContaining({ ...common, Dimensions: of('nightly'), Period: 3600, EvaluationPeriods: 26 }),
    ]);
  });

  it('sound when a chat is open for longer than oldestOpenAlarm, until a run says otherwise', () => {
    expect(alarmsOn('CleanupOldestOpen')).toEqual([
      expect.objectContaining({
        Dimensions: of('nightly'),
        Threshold: 3 * 86_400,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'ignore',
      }),
    ]);
  });

  it('sound when a schedule cannot start its run and when a run fails', () => {
    expect(alarmsOn('InvocationDroppedCount')).toEqual([
      expect.objectContaining({
        Namespace: 'AWS/Scheduler',
        Dimensions: [{ Name: 'ScheduleGroup', Value: 'closer-cleanup' }],
        Threshold: 1,
        TreatMissingData: 'notBreaching',
      }),
    ]);
    const errors = JSON.stringify(alarmsOn('Errors'));
    expect(errors).toContain('The function Cleanup failed');
    template.hasResourceProperties('AWS::Logs::MetricFilter', {
      LogGroupName: { Ref: Match.stringLikeRegexp('^CleanupLog') },
      MetricTransformations: [Match.objectLike({ MetricName: 'Faults' })],
    });
  });

  it('link to sections of docs/operations.md that exist', () => {
    const sections = ['CleanupComplete', 'CleanupOldestOpen', 'InvocationDroppedCount']
      .flatMap((metric) => alarmsOn(metric))
      .map(({ AlarmDescription }) => JSON.stringify(AlarmDescription).replace(/^.*#|\W*$/g, ''));
    expect(new Set(sections)).toEqual(
      new Set(['no-complete-cleanup', 'oldest-open-chat', 'cleanup-not-started']),
    );
    const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    );
    expect(headings).toEqual(expect.arrayContaining(sections));
  });

  it('look back at least as long as asked for, within CloudWatch’s limits', () => {
    for (const minutes of [3, 59, 60, 61, 90, 24 * 60, 24 * 60 + 1, 26 * 60, 7 * 24 * 60]) {
      const { period, evaluationPeriods } = spanOf(minutes);
      const seconds = period.toSeconds() * evaluationPeriods;
      expect(seconds).toBeGreaterThanOrEqual(minutes * 60);
      expect(seconds).toBeLessThan(minutes * 60 + period.toSeconds());
      expect(seconds).toBeLessThanOrEqual((period.toSeconds() < 3600 ? 1 : 7) * 86_400);
    }
  });
});
