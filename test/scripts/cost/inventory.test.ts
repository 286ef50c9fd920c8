import { describe, expect, it } from 'vitest';
import { takeInventory } from '../../../scripts/cost/inventory.ts';
import { accessLine } from '../../../scripts/cost/measure.ts';
import type { Template } from '../../signals/template.ts';

const resource = (Type: string, Properties: Record<string, unknown> = {}) => ({ Type, Properties });
const WORKER = resource('AWS::Lambda::EventSourceMapping', { ScalingConfig: { MaximumConcurrency: 7 } });
const target = (id: string) => ({ Arn: { 'Fn::GetAtt': [id, 'Arn'] } });

function inventoryOf(resources: Template['Resources']) {
  return takeInventory({ Resources: { CloseFunctionSourceAB: WORKER, ...resources } });
}

describe('the inventory', () => {
  it('counts what AWS charges by the month', () => {
    const metric = { MetricStat: {} };
    expect(
      inventoryOf({
        A: resource('AWS::SecretsManager::Secret'),
        B: resource('AWS::SecretsManager::Secret'),
        C: resource('AWS::CloudWatch::Alarm', { MetricName: 'x' }),
        D: resource('AWS::CloudWatch::Alarm', { Metrics: [metric, metric, { Expression: 'a / b' }] }),
        E: resource('AWS::CloudWatch::CompositeAlarm'),
        F: resource('AWS::CloudWatch::Dashboard'),
        G: resource('AWS::KMS::Key'),
        H: resource('AWS::Logs::LogGroup', { RetentionInDays: 90 }),
      }),
    ).toMatchObject({
      secrets: 2,
      alarmMetrics: 3,
      compositeAlarms: 1,
      dashboards: 1,
      keys: 1,
      fedQueues: 1,
      workers: 7,
      retentionDays: 90,
    });
  });

  it('has the memory of each function by its name', () => {
    const { memory } = inventoryOf({
      ReceiveFunction1A: resource('AWS::Lambda::Function', { MemorySize: 512 }),
      CloseFunction2B: resource('AWS::Lambda::Function', { MemorySize: 256 }),
    });
    expect(memory).toEqual({ receive: 512, close: 256 });
  });

  it('has the runs that schedules start in 730 hours. A cron counts as hourly', () => {
    const { scheduledRuns } = inventoryOf({
      A: resource('AWS::Scheduler::Schedule', {
        ScheduleExpression: 'rate(30 minutes)',
        Target: target('CleanupFunction1A'),
      }),
      B: resource('AWS::Scheduler::Schedule', {
        ScheduleExpression: 'cron(0 6 * * ? *)',
        Target: target('CleanupFunction1A'),
      }),
      C: resource('AWS::Events::Rule', {
        ScheduleExpression: 'rate(1 hour)',
        Targets: [target('CanaryFunction2B')],
      }),
      D: resource('AWS::Events::Rule', { EventPattern: {}, Targets: [target('Queue')] }),
    });
    expect(scheduledRuns).toEqual({ cleanup: 1460 + 730, canary: 730 });
  });

  it('needs a worker', () => {
    expect(() => takeInventory({ Resources: {} })).toThrow('no worker');
  });
});

describe('the access line', () => {
  const line = (Format: string) =>
    accessLine({ Resources: { A: resource('AWS::ApiGatewayV2::Stage', { AccessLogSettings: { Format } }) } });

  it('follows the format of the template', () => {
    expect(
      line('{"status":"$context.status","a":"$context.integration.status","b":$context.error.messageString}'),
    ).toBe('{"status":"200","a":"200","b":"-"}');
  });

  it('refuses a variable whose length is not known', () => {
    expect(() => line('$context.new')).toThrow('does not know $context.new');
  });

  it('is empty without an API', () => {
    expect(accessLine({ Resources: {} })).toBe('');
  });
});
