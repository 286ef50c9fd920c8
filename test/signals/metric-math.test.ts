import { describe, expect, it } from 'vitest';
import { compileMath } from './metric-math.ts';
import type { Numbers } from './metric-math-values.ts';

const _ = undefined;

function evaluate(expression: string, series: Record<string, Numbers>, periodSeconds = 60): Numbers {
  const length = Object.values(series)[0]?.length ?? 0;
  return compileMath(expression)({ series, metrics: Object.keys(series), periodSeconds, length });
}

// Cases: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
describe('operators', () => {
  const series = { metric1: [30, 20, 0, 0], metric2: [20, _, 20, _] };

  it.each([
    ['(metric1 < metric2)', [0, 0, 1, 0]],
    ['(metric1 >= 30)', [1, 0, 0, 0]],
    ['(metric1 > 15 AND metric2 > 15)', [1, 0, 0, 0]],
    ['metric1 > 25 || metric2 > 15', [1, 0, 1, 0]],
    ['metric1 == 20 OR metric1 == 0', [0, 1, 1, 1]],
    ['metric1 != 0 && metric1 != 30', [0, 1, 0, 0]],
    ['metric1 + metric2', [50, 20, 20, 0]],
    ['metric2 - metric1', [-10, -20, 20, 0]],
    ['5 * metric2', [100, _, 100, _]],
    ['-metric1', [-30, -20, -0, -0]],
    ['metric1 ^ 2', [900, 400, 0, 0]],
    ['-metric1 ^ 2', [-900, -400, -0, -0]],
    ['metric1 - 2 - 3 * 2', [22, 12, -8, -8]],
    ['(metric1 - 2) / 2', [14, 9, -1, -1]],
    ['metric2 / metric1', [20 / 30, 0, _, _]],
    ['metric1 / 0', [_, _, _, _]],
    ['metric1 / PERIOD(metric1)', [0.5, 20 / 60, 0, 0]],
    ['SUM(100 / [metric1, metric2])', [100 / 30 + 5, 5, 5, _]],
  ])('%s', (expression, expected) => {
    expect(evaluate(expression, series)).toEqual(expected);
  });

  it('give nothing where neither time series has a value', () => {
    expect(evaluate('a + b', { a: [_, 1], b: [_, 2] })).toEqual([_, 3]);
  });
});

describe('IF', () => {
  const series = { metric1: [1, 1, 0, 0, _], metric2: [30, _, 0, 0, 30], metric3: [0, 0, 20, _, 20] };

  it.each([
    ['IF(metric1, metric2, metric3)', [30, 0, 20, _, _]],
    ['IF(metric1, 5, metric3)', [5, 5, 20, _, _]],
    ['IF(metric1, metric2, 5)', [30, 0, 5, 5, _]],
    ['IF(metric1, 7, 5)', [7, 7, 5, 5, _]],
    ['IF(metric1, metric2)', [30, 0, _, _, _]],
    ['IF(1, metric2, metric3)', [30, _, 0, 0, 30]],
    ['IF(0, metric2, metric3)', [0, 0, 20, _, 20]],
    ['IF(0, metric2)', [_, _, _, _, _]],
    ['IF(metric2 < 20, 10, 2)', [2, _, 10, 10, 2]],
  ])('%s', (expression, expected) => {
    expect(evaluate(expression, series)).toEqual(expected);
  });
});

describe('functions', () => {
  const series = { errors1: [1, _, 3], errors2: [5, _, _], requests: [_, 4, 8] };

  it.each([
    ['FILL(requests, 10)', [10, 4, 8]],
    ['FILL(errors1, requests)', [1, 4, 3]],
    ['FILL(errors1, REPEAT)', [1, 1, 3]],
    ['FILL(requests, REPEAT)', [_, 4, 8]],
    ['SUM(FILL(METRICS(), 0))', [6, 4, 11]],
    ['SUM(METRICS())', [6, 4, 11]],
    ['SUM(METRICS("errors"))', [6, _, 3]],
    ['SUM([METRICS("errors1"), requests])', [1, 4, 11]],
    ['MAX([errors1, errors2])', [5, _, 3]],
    ['MIN([errors1, errors2])', [1, _, 0]],
    ['AVG([errors1, errors2])', [3, _, 1.5]],
    ['TIME_SERIES(10)', [10, 10, 10]],
    ['ABS(errors1 - 2)', [1, _, 1]],
    ['CEIL(errors1 / 2)', [1, _, 2]],
    ['FLOOR(errors1 / 2)', [0, _, 1]],
    ['DIFF(requests)', [_, _, 4]],
    ['DIFF(errors1)', [_, _, 2]],
    ['RATE(requests)', [_, _, 4 / 60]],
    ['RATE(errors1)', [_, _, 2 / 120]],
    ['SUM(METRICS() * 100)', [600, 400, 1100]],
  ])('%s', (expression, expected) => {
    expect(evaluate(expression, series)).toEqual(expected);
  });
});

describe('what is not known throws', () => {
  it.each([
    // They depend on how many datapoints the evaluation retrieves; AWS advises against them in alarms.
    'SUM(m1)',
    'm1 - MAX(m1)',
    'DATAPOINT_COUNT(m1)',
    'RUNNING_SUM(m1)',
    'FILL(m1, LINEAR)',
    'FILL(m1)',
    'IF(1, 2, 3)',
    'IF(m1)',
    'IF(METRICS(), m1, m1)',
    'ANOMALY_DETECTION_BAND(m1)',
    'SEARCH("x", "Sum")',
    'TIME_SERIES(m1)',
    'sum(METRICS())',
    'm2',
    'METRICS()',
    '5',
    'REPEAT',
    'm1 % 2',
    'm1 = 2',
    'm1 m1',
    '(m1',
    'NOT m1',
    '[5]',
    '',
  ])('%s', (expression) => {
    expect(() => evaluate(expression, { m1: [1, 2] })).toThrow(/metric math: /);
  });
});
