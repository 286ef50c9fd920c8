import { describe, expect, it } from 'vitest';
import { collectMetrics, type GivenSeries } from './collect-metrics.ts';
import type { LogLine } from './emf.ts';
import { MetricStore, statistic } from './metrics.ts';
import type { Template } from './template.ts';

const AT = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;
const ALWAYS = { from: 0, to: Number.MAX_SAFE_INTEGER };
const NONE: Template = { Resources: {} };

const line = (body: unknown, at = AT, logGroup = 'closes'): LogLine => ({
  at,
  logGroup,
  text: JSON.stringify(body),
});

function collect(lines: LogLine[], template = NONE, series: GivenSeries[] = []): MetricStore {
  return collectMetrics({ lines, template, references: { CloseLog: 'closes' }, series });
}

describe('a statistic', () => {
  const points = (...values: number[]) => values.map((value) => ({ at: AT, value, unit: 'None' }));
  const hundred = points(...Array.from({ length: 100 }, (_, index) => 100 - index));

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
  it.each([
    ['Sum', 9],
    ['Average', 3],
    ['Minimum', 1],
    ['Maximum', 6],
    ['SampleCount', 3],
  ])('%s of 1, 2 and 6 is %d', (name, expected) => {
    expect(statistic(points(1, 6, 2), name)).toBe(expected);
    expect(statistic([], name)).toBeUndefined();
  });

  it.each([
    ['p50', 50],
    ['p90', 90],
    ['p99', 99],
    ['p99.9', 100],
    ['p100', 100],
    ['p0', 1],
  ])('%s of 1 to 100 is %d', (name, expected) => {
    expect(statistic(hundred, name)).toBe(expected);
  });

  it.each(['tm90', 'p101', 'p', 'IQM', 'sum', 'PR(1:2)'])('%s is refused', (name) => {
    expect(() => statistic(points(1), name)).toThrow(/not supported/);
  });
});

describe('a metric', () => {
  const id = { namespace: 'N', name: 'M', dimensions: { a: '1', b: '2' } };

  it('is found by exactly its dimensions, in any order', () => {
    const store = new MetricStore();
    store.add(id, AT, 5);
    expect(store.points({ ...id, dimensions: { b: '2', a: '1' } }, ALWAYS)).toHaveLength(1);
    for (const dimensions of [{}, { a: '1' }, { a: '1', b: '3' }, { a: '1', b: '2', c: '3' }]) {
      expect(store.points({ ...id, dimensions }, ALWAYS)).toEqual([]);
    }
  });

  it('gives the datapoints of a window, its start included and its end not, in order of time', () => {
    const store = new MetricStore();
    for (const at of [3, 1, 2, 0]) store.add(id, AT + at, at);
    expect(store.points(id, { from: AT + 1, to: AT + 3 }).map(({ value }) => value)).toEqual([1, 2]);
  });

  it('is separate by unit where one is asked for', () => {
    const store = new MetricStore();
    store.add(id, AT, 1, 'Count');
    store.add(id, AT, 2, 'Seconds');
    expect(store.points(id, ALWAYS, 'Seconds').map(({ value }) => value)).toEqual([2]);
    expect(store.points(id, ALWAYS)).toHaveLength(2);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
describe('embedded metric format', () => {
  const embedded = (directive: Record<string, unknown> = {}, body: Record<string, unknown> = {}) => ({
    _aws: {
      Timestamp: AT,
      CloudWatchMetrics: [
        {
          Namespace: 'lambda-function-metrics',
          Dimensions: [['functionVersion']],
          Metrics: [{ Name: 'time', Unit: 'Milliseconds' }],
          ...directive,
        },
      ],
    },
    functionVersion: '$LATEST',
    time: 100,
    requestId: '989ffbf8-9ace-4817-a57c-e4dd734019ee',
    ...body,
  });
  const time = {
    namespace: 'lambda-function-metrics',
    name: 'time',
    dimensions: { functionVersion: '$LATEST' },
  };

  it('gives the datapoint of the specification’s example', () => {
    const store = collect([line(embedded())]);
    expect(store.ids()).toEqual([time]);
    expect(store.points(time, ALWAYS)).toEqual([{ at: AT, value: 100, unit: 'Milliseconds' }]);
  });

  it('gives a metric for every set of dimensions, the empty one too', () => {
    const Dimensions = [['functionVersion'], ['functionVersion', 'requestId'], []];
    expect(
      collect([line(embedded({ Dimensions }))])
        .ids()
        .map(({ dimensions }) => Object.keys(dimensions)),
    ).toEqual(Dimensions);
  });

  it('takes several metrics, and a list of values', () => {
    const Metrics = [{ Name: 'time', Unit: 'Milliseconds' }, { Name: 'count' }];
    const store = collect([line(embedded({ Metrics }, { time: [1, 2, 3], count: 7 }))]);
    expect(store.points(time, ALWAYS).map(({ value }) => value)).toEqual([1, 2, 3]);
    expect(store.points({ ...time, name: 'count' }, ALWAYS)).toEqual([{ at: AT, value: 7, unit: 'None' }]);
  });

  it('counts at its own time, not at the line’s', () => {
    const store = collect([line(embedded(), AT + MINUTE)]);
    expect(store.points(time, ALWAYS)[0]?.at).toBe(AT);
  });

  it.each([
    ['a value that is not there', embedded({ Metrics: [{ Name: 'other' }] })],
    ['a value that is no number', embedded({}, { time: '100' })],
    ['101 values', embedded({}, { time: Array(101).fill(1) })],
    ['a dimension that is not there', embedded({ Dimensions: [['other']] })],
    ['a dimension that is no text', embedded({}, { functionVersion: 1 })],
    ['no set of dimensions', embedded({ Dimensions: [] })],
    ['an unknown key', embedded({ Statistics: [] })],
    ['no time', { _aws: { CloudWatchMetrics: [] } }],
  ])('with %s throws', (_, body) => {
    expect(() => collect([line(body)])).toThrow();
  });

  it.each([
    ['more than two hours after the line', -2 * 60 * MINUTE - 1],
    ['more than two weeks before the line', 14 * 24 * 60 * MINUTE + 1],
  ])('with a time %s throws', (_, shift) => {
    expect(() => collect([line(embedded(), AT + shift)])).toThrow(/too far/);
  });

  it('is not looked for in other lines', () => {
    const texts = ['START RequestId: 1', '{"type":"close"}', '[{"_aws":1}]'];
    expect(collect(texts.map((text) => ({ at: AT, logGroup: 'closes', text }))).ids()).toEqual([]);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
describe('a metric filter', () => {
  const filter = (
    transformation: Record<string, unknown> = {},
    more: Record<string, unknown> = {},
  ): Template => ({
    Resources: {
      Faults: {
        Type: 'AWS::Logs::MetricFilter',
        Properties: {
          LogGroupName: { Ref: 'CloseLog' },
          FilterPattern: '{ $.type = "fault" }',
          MetricTransformations: [
            { MetricNamespace: 'N', MetricName: 'Faults', MetricValue: '1', ...transformation },
          ],
          ...more,
        },
      },
    },
  });
  const faults = { namespace: 'N', name: 'Faults', dimensions: {} };
  const values = (store: MetricStore, dimensions = {}) =>
    store.points({ ...faults, dimensions }, ALWAYS).map(({ at, value }) => [(at - AT) / MINUTE, value]);

  it('counts matching lines of its log group', () => {
    const fault = { type: 'fault' };
    const store = collect([line(fault), line({ type: 'close' }), line(fault, AT, 'other')], filter());
    expect(values(store)).toEqual([[0, 1]]);
  });

  it('gives the default value once for a minute with lines and no match, nothing for a minute without lines', () => {
    const lines = [
      line({ type: 'fault' }),
      line({ type: 'fault' }),
      line({ type: 'close' }),
      line({ type: 'close' }, AT + MINUTE + 1),
      line({ type: 'close' }, AT + MINUTE + 2),
    ];
    expect(values(collect(lines, filter({ DefaultValue: 0 })))).toEqual([
      [0, 1],
      [0, 1],
      [1, 0],
    ]);
  });

  it('takes its value from a field, and nothing from a line without it', () => {
    const lines = [line({ type: 'fault', latency: 12 }), line({ type: 'fault' })];
    expect(values(collect(lines, filter({ MetricValue: '$.latency' })))).toEqual([[0, 12]]);
  });

  it('takes dimensions from fields, and nothing from a line without one of them', () => {
    const Dimensions = [{ Key: 'where', Value: '$.at.where' }];
    const lines = [line({ type: 'fault', at: { where: 'queue' } }), line({ type: 'fault' })];
    const store = collect(lines, filter({ Dimensions }));
    expect(values(store, { where: 'queue' })).toEqual([[0, 1]]);
    expect(store.ids()).toHaveLength(1);
  });

  it('gives its unit', () => {
    const store = collect([line({ type: 'fault' })], filter({ Unit: 'Count' }));
    expect(store.points(faults, ALWAYS)[0]?.unit).toBe('Count');
  });

  it.each([
    ['dimensions and a default value', filter({ DefaultValue: 0, Dimensions: [{ Key: 'a', Value: '$.a' }] })],
    ['a default value other than 0', filter({ DefaultValue: 1 })],
    ['a fixed dimension', filter({ Dimensions: [{ Key: 'a', Value: 'b' }] })],
    ['an unknown property', filter({}, { ApplyOnTransformedLogs: true })],
    ['an unresolved reference', filter({}, { LogGroupName: { Ref: 'OtherLog' } })],
    ['another intrinsic function', filter({}, { LogGroupName: { 'Fn::Sub': 'x' } })],
    ['a value that is no number', filter({ MetricValue: 'one' })],
  ])('with %s throws', (_, template) => {
    expect(() => collect([line({ type: 'fault' })], template)).toThrow();
  });

  it('with a value that is text in the line throws', () => {
    expect(() => collect([line({ type: 'fault', a: '1' })], filter({ MetricValue: '$.a' }))).toThrow(
      /not a number/,
    );
  });
});

describe('given figures', () => {
  it('are datapoints like others', () => {
    const id = { namespace: 'AWS/SQS', name: 'NumberOfMessagesReceived', dimensions: { QueueName: 'q' } };
    const store = collect([], NONE, [{ ...id, unit: 'Count', points: [[AT, 3]] }]);
    expect(store.points(id, ALWAYS)).toEqual([{ at: AT, value: 3, unit: 'Count' }]);
  });
});
