import { describe, expect, it } from 'vitest';
import { nextState, type State } from './alarm-state.ts';

const O = 'OK';
const A = 'ALARM';
const I = 'INSUFFICIENT_DATA';
/** The state is retained. */
const R = 'retained';
const TREATMENTS = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;

/** `0` is not breaching, `X` is, `-` is missing; the newest datapoint is the last. */
const read = (text: string) => [...text.replaceAll(' ', '')].map((sign) => ({ '0': 0, X: 1 })[sign]);

function stateOf(
  text: string,
  needed: number,
  treatment: (typeof TREATMENTS)[number],
  current: State,
): State {
  const rule = {
    EvaluationPeriods: 3,
    datapointsToAlarm: needed,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData: treatment,
  } as const;
  return nextState(rule, read(text), current);
}

// The tables of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
describe('the state for five datapoints where the alarm evaluates three', () => {
  it.each([
    [3, '0 - X - X', O, O, O, O],
    [3, '0 - - - -', O, O, O, O],
    [3, '- - - - -', I, R, A, O],
    [3, '0 X X - X', A, A, A, A],
    [3, '- - X - -', A, R, A, O],
    [2, '0 - X - X', A, A, A, A],
    [2, '0 0 X 0 X', A, A, A, A],
    [2, '0 - X - -', O, O, A, O],
    [2, '- - - - 0', O, O, A, O],
    [2, '- - - X -', A, R, A, O],
    // Premature alarms: the same page.
    [3, '- - - - X', I, R, A, O],
    [3, '- - - X -', I, R, A, O],
    // An earlier edition of the page.
    [3, 'X - - - -', A, R, A, O],
    [2, '- - - - X', I, R, A, O],
  ])('with %d to alarm and %s', (needed, text, ...expected) => {
    for (const current of [O, A, I] as const) {
      const states = TREATMENTS.map((treatment) => stateOf(text, needed, treatment, current));
      expect(states).toEqual(expected.map((state) => (state === R ? current : state)));
    }
  });

  it('leaves out older datapoints when there are three newer ones', () => {
    expect(stateOf('X X 0 0 0', 1, 'missing', A)).toBe(O);
    expect(stateOf('X X X 0 -', 3, 'breaching', A)).toBe(O);
    expect(stateOf('X X X 0 -', 2, 'notBreaching', O)).toBe(A);
  });
});

describe('a comparison operator', () => {
  it.each([
    ['GreaterThanOrEqualToThreshold', [O, A, A]],
    ['GreaterThanThreshold', [O, O, A]],
    ['LessThanThreshold', [A, O, O]],
    ['LessThanOrEqualToThreshold', [A, A, O]],
  ] as const)('%s', (ComparisonOperator, expected) => {
    const rule = {
      EvaluationPeriods: 1,
      datapointsToAlarm: 1,
      Threshold: 5,
      TreatMissingData: 'missing',
    } as const;
    expect([4, 5, 6].map((value) => nextState({ ...rule, ComparisonOperator }, [value], I))).toEqual(
      expected,
    );
  });
});
