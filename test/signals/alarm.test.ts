import { describe, expect, it } from 'vitest';
import { rehearse, stateAt } from './alarm.ts';
import { MetricStore } from './metrics.ts';
import type { Template } from './template.ts';

const FROM = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;
const DIMENSIONS = [{ Name: 'QueueName', Value: { 'Fn::GetAtt': ['Closes', 'QueueName'] } }];
const REFERENCES = { 'Closes.QueueName': 'closes', 'AWS::StackName': 'chat' };
const QUEUE = { namespace: 'AWS/SQS', dimensions: { QueueName: 'closes' } };

const alarm = (own: Record<string, unknown> = {}) => ({
  Namespace: 'AWS/SQS',
  MetricName: 'Visible',
  Dimensions: DIMENSIONS,
  Statistic: 'Maximum',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 1,
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  TreatMissingData: 'notBreaching',
  AlarmActions: [{ Ref: 'Topic' }],
  OKActions: [{ Ref: 'Topic' }],
  AlarmDescription: { 'Fn::Sub': 'any text' },
  ...own,
});

function template(alarms: Record<string, unknown>, composites: Record<string, unknown> = {}): Template {
  const resources = (type: string, all: Record<string, unknown>) =>
    Object.entries(all).map(([id, Properties]) => [id, { Type: `AWS::CloudWatch::${type}`, Properties }]);
  const Resources = Object.fromEntries([
    ...resources('Alarm', alarms),
    ...resources('CompositeAlarm', composites),
  ]);
  return { Resources };
}

type Values = (number | undefined)[];

/** One value a minute, from the start on. */
function store(metrics: Record<string, Values>): MetricStore {
  const made = new MetricStore();
  for (const [name, values] of Object.entries(metrics)) {
    for (const [minute, value] of values.entries()) {
      if (value !== undefined) made.add({ ...QUEUE, name }, FROM + minute * MINUTE, value);
    }
  }
  return made;
}

function run(alarms: Template, metrics: Record<string, Values>, minutes: number, extraPeriods?: number) {
  const history = rehearse({
    template: alarms,
    references: REFERENCES,
    metrics: store(metrics),
    from: FROM,
    to: FROM + minutes * MINUTE,
    ...(extraPeriods === undefined ? {} : { extraPeriods }),
  });
  const brief = ([id, all]: [string, (typeof history)[string]]) => [
    id,
    all.map(({ at, to }) => `${(at - FROM) / MINUTE} ${to}`),
  ];
  return Object.fromEntries(Object.entries(history).map(brief));
}

/** Evaluates one alarm without extra periods, so that each value counts in its own periods only. */
const one = (own: Record<string, unknown>, values: Values, minutes = values.length) =>
  run(template({ A: alarm(own) }), { Visible: values }, minutes, 0).A;

describe('an alarm', () => {
  it('goes to ALARM and back, at the minute in which a datapoint is complete', () => {
    expect(one({}, [0, 0, 1, 0])).toEqual(['0 OK', '3 ALARM', '4 OK']);
  });

  // The figure of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
  it('needs three breaching datapoints in three periods', () => {
    const own = { Threshold: 3, EvaluationPeriods: 3, ComparisonOperator: 'GreaterThanThreshold' };
    expect(one(own, [1, 2, 4, 5, 6, 2, 2, 1, 4, 2])).toEqual(['0 OK', '5 ALARM', '6 OK']);
  });

  it('needs M breaching datapoints of N', () => {
    const own = { EvaluationPeriods: 5, DatapointsToAlarm: 3 };
    expect(one(own, [1, 0, 1, 0, 1, 0, 0])).toEqual(['0 OK', '5 ALARM', '6 OK']);
    expect(one(own, [1, 0, 1, 0, 0, 1, 0])).toEqual(['0 OK']);
  });

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
  it('looks through a sliding window of its period once a minute', () => {
    expect(one({ Period: 300, Statistic: 'Sum', Threshold: 2 }, [0, 1, 1, 0, 0, 0, 0, 0, 0])).toEqual([
      '0 OK',
      '3 ALARM',
      '7 OK',
    ]);
  });

  it('stays in ALARM for as long as its evaluation range holds the last real datapoint', () => {
    const run1 = (extra: number) => run(template({ A: alarm() }), { Visible: [1] }, 10, extra).A;
    expect(run1(0)).toEqual(['0 OK', '1 ALARM', '2 OK']);
    expect(run1(2)).toEqual(['0 OK', '1 ALARM', '4 OK']);
    expect(run(template({ A: alarm() }), { Visible: [1] }, 10).A).toEqual(run1(2));
  });

  it.each([
    ['missing', ['1 ALARM', '2 INSUFFICIENT_DATA']],
    ['ignore', ['1 ALARM']],
    ['breaching', ['0 ALARM']],
    ['notBreaching', ['0 OK', '1 ALARM', '2 OK']],
  ])('treats missing data as %s', (TreatMissingData, expected) => {
    expect(one({ TreatMissingData }, [1], 5)).toEqual(expected);
  });

  it('treats missing data as missing by default', () => {
    const { TreatMissingData: _, ...rest } = alarm();
    expect(run(template({ A: rest }), {}, 5).A).toEqual([]);
  });

  it('evaluates once an hour when it looks back on more than a day', () => {
    const own = { Period: 3600, EvaluationPeriods: 30, TreatMissingData: 'breaching', Threshold: 1 };
    const less = { ...own, ComparisonOperator: 'LessThanThreshold' };
    expect(one(less, [undefined, 1], 150)).toEqual(['0 ALARM', '60 OK']);
  });

  it('uses a percentile', () => {
    const { Statistic: _, ...rest } = alarm({ ExtendedStatistic: 'p90', Period: 300, Threshold: 9 });
    const values = [1, 9, 2, 3, 4];
    expect(run(template({ A: rest }), { Visible: values }, 5, 0).A).toEqual(['0 OK', '2 ALARM']);
  });

  it('takes values of its unit only', () => {
    expect(one({ Unit: 'Seconds' }, [1, 1])).toEqual(['0 OK']);
  });

  it('needs exactly the dimensions of the metric', () => {
    expect(one({ Dimensions: [] }, [1, 1])).toEqual(['0 OK']);
    expect(one({ Dimensions: [...DIMENSIONS, { Name: 'a', Value: 'b' }] }, [1, 1])).toEqual(['0 OK']);
  });

  it('has a state at each time', () => {
    const history = [{ at: 5, from: 'INSUFFICIENT_DATA', to: 'ALARM' } as const];
    expect([4, 5, 6].map((at) => stateAt(history, at))).toEqual(['INSUFFICIENT_DATA', 'ALARM', 'ALARM']);
  });
});

describe('an alarm on metric math', () => {
  const metric = (Id: string, MetricName: string, own: Record<string, unknown> = {}) => ({
    Id,
    ReturnData: false,
    MetricStat: {
      Metric: { Namespace: 'AWS/SQS', MetricName, Dimensions: DIMENSIONS },
      Period: 60,
      Stat: 'Sum',
    },
    ...own,
  });
  const math = (Expression: string, more: unknown[] = []) => {
    const { Namespace, MetricName, Dimensions, Statistic, Period, ...rest } = alarm();
    const Metrics = [{ Id: 'e', Expression }, metric('m1', 'Visible'), metric('m2', 'Received'), ...more];
    return { ...rest, Metrics };
  };

  it('rings when messages are visible and none is received', () => {
    const stopped = math('IF(m1 > 0 AND FILL(m2, 0) == 0, 1, 0)');
    const metrics = { Visible: [0, 3, 3, 3, 3], Received: [undefined, 1, undefined, undefined, 2] };
    expect(run(template({ A: stopped }), metrics, 5, 0).A).toEqual(['0 OK', '3 ALARM', '5 OK']);
  });

  it('uses other expressions', () => {
    const both = math('e1 / 2', [{ Id: 'e1', Expression: 'm1 + m2', ReturnData: false }]);
    const Metrics = [...both.Metrics.slice(1), both.Metrics[0]];
    expect(run(template({ A: { ...both, Metrics } }), { Visible: [1, 1], Received: [0, 1] }, 2, 0).A).toEqual(
      ['0 OK', '2 ALARM'],
    );
  });

  it.each([
    ['two results', math('m1', [metric('m3', 'X', { ReturnData: true })])],
    ['no result', { ...math('m1'), Metrics: [metric('m1', 'Visible')] }],
    [
      'two periods',
      math('m1', [{ ...metric('m3', 'X'), MetricStat: { ...metric('m3', 'X').MetricStat, Period: 300 } }]),
    ],
    ['an expression beside a metric', math('m1', [metric('m3', 'X', { Expression: 'm1' })])],
    ['a metric beside it', { ...math('m1'), Namespace: 'N', MetricName: 'M' }],
    ['another account', math('m1', [metric('m3', 'X', { AccountId: '111122223333' })])],
    ['an expression that is not known', math('SEARCH("x")')],
  ])('with %s throws', (_, properties) => {
    expect(() => run(template({ A: properties }), {}, 1)).toThrow();
  });
});

describe('a definition that is not known throws', () => {
  it.each([
    ['an unknown property', { Surprise: 1 }],
    ['an anomaly band', { ThresholdMetricId: 'e1' }],
    ['an operator of anomaly bands', { ComparisonOperator: 'GreaterThanUpperThreshold' }],
    ['a wall clock window', { EvaluationWindow: { WallClockWindow: {} } }],
    ['a high-resolution period', { Period: 30 }],
    ['a statistic that is not known', { Statistic: 'Median' }],
    ['two statistics', { ExtendedStatistic: 'p90' }],
    ['more to alarm than periods', { DatapointsToAlarm: 2 }],
    ['more than a day of short periods', { EvaluationPeriods: 1441 }],
    ['more than a week of long periods', { Period: 3600, EvaluationPeriods: 169 }],
    ['an unknown treatment of missing data', { TreatMissingData: 'zero' }],
    ['no metric', { MetricName: undefined }],
  ])('%s', (_, own) => {
    expect(() => one(own, [1])).toThrow();
  });
});

describe('a reference', () => {
  it.each([
    [{ Ref: 'Other' }, /refers to Other/],
    [{ 'Fn::GetAtt': ['Other', 'Arn'] }, /refers to Other.Arn/],
    [{ Ref: 'toString' }, /refers to toString/],
    [{ 'Fn::Sub': 'x' }, /Fn::Sub is not supported/],
  ])('that is not in the table throws: %j', (Value, message) => {
    expect(() => one({ Dimensions: [{ Name: 'QueueName', Value }] }, [1])).toThrow(message);
  });

  it('is replaced in a list and in a joined text', () => {
    const Value = { 'Fn::Join': ['', ['clo', 'ses']] };
    expect(one({ Dimensions: [{ Name: 'QueueName', Value }] }, [1])).toEqual(['0 OK', '1 ALARM']);
  });
});

// Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
describe('a composite alarm', () => {
  const metrics = { Visible: [0, 1, 1, 0], Received: [0, 0, 1, 1] };
  const parts = { A: alarm({ AlarmName: 'named one' }), B: alarm({ MetricName: 'Received' }) };
  const composite = (AlarmRule: unknown, more: Record<string, unknown> = {}) =>
    run(template(parts, { C: { AlarmRule, AlarmActions: [{ Ref: 'Topic' }], ...more } }), metrics, 4, 0).C;

  it.each([
    ['ALARM("named one") AND ALARM(B)', ['0 OK', '3 ALARM', '4 OK']],
    ['ALARM("named one") OR ALARM("B")', ['0 OK', '2 ALARM']],
    ['ALARM("named one") AND NOT ALARM(B)', ['0 OK', '2 ALARM', '3 OK']],
    ['NOT (ALARM("named one") OR ALARM(B))', ['0 ALARM', '2 OK']],
    ['OK("named one")', ['0 ALARM', '2 OK', '4 ALARM']],
    ['INSUFFICIENT_DATA("named one")', ['0 OK']],
    ['FALSE OR TRUE AND ALARM(B)', ['0 OK', '3 ALARM']],
    ['TRUE OR FALSE AND ALARM(B)', ['0 ALARM']],
    [{ 'Fn::Join': ['', ['ALARM("', { 'Fn::GetAtt': ['B', 'Arn'] }, '")']] }, ['0 OK', '3 ALARM']],
    [{ 'Fn::Join': ['', ['ALARM("', { Ref: 'B' }, '")']] }, ['0 OK', '3 ALARM']],
    ['ALARM("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:named one")', ['0 OK', '2 ALARM', '4 OK']],
  ])('%j', (rule, expected) => {
    expect(composite(rule)).toEqual(expected);
  });

  it('can name another one, whatever their order', () => {
    const composites = { C: { AlarmRule: 'NOT ALARM(D)' }, D: { AlarmRule: 'ALARM(B)' } };
    expect(run(template(parts, composites), metrics, 4, 0).C).toEqual(['0 ALARM', '3 OK']);
  });

  it.each([
    ['ALARM(Unknown)', {}],
    ['ALARM(C)', {}],
    ['AT_LEAST(1, ALARM, (B))', {}],
    ['ALARM(B) XOR ALARM(B)', {}],
    ['ALARM(B', {}],
    ['B', {}],
    ['', {}],
    ['ALARM(B)', { ActionsSuppressor: 'B' }],
  ])('%s with %j throws', (rule, more) => {
    expect(() => composite(rule, more)).toThrow();
  });
});
