import { describe, expect, it } from 'vitest';
import { configurationOf, SMALLEST } from '../../support/configuration.ts';

const withStack = (stack: object) => () => configurationOf({ ...SMALLEST, stack });
const withSilence = (silentAfter: unknown) => () =>
  configurationOf({ ...SMALLEST, connections: { desk: { crm: 'zendesk', polyai: 'support', silentAfter } } });

describe('the thresholds of alarms', () => {
  it('have defaults, except for the miss rate, whose alarm exists only with a number', () => {
    const { thresholds } = configurationOf(SMALLEST).stack.alarms;
    expect(thresholds).toMatchObject({
      AgingDeadLettersAlarm: 10,
      ConnectionRefusedAlarm: 1,
      FloodAlarm: 30_000,
    });
    expect(thresholds).not.toHaveProperty('MissRateAlarm');
  });

  it('may be chosen one by one', () => {
    const { thresholds } = withStack({ alarms: { thresholds: { NotFoundAlarm: 5 } } })().stack.alarms;
    expect(thresholds).toMatchObject({ NotFoundAlarm: 5, InFlightAlarm: 80_000 });
  });

  it.each<[object, RegExp]>([
    [{ NotFoundAlarm: 0 }, /stack\.alarms\.thresholds\.NotFoundAlarm is less than 1/],
    [{ AgingDeadLettersAlarm: 14 }, /stack\.alarms\.thresholds\.AgingDeadLettersAlarm is more than 13/],
    [{ MissRateAlarm: 101 }, /stack\.alarms\.thresholds\.MissRateAlarm is more than 100/],
    [{ FloodAlarm: 1.5 }, /stack\.alarms\.thresholds\.FloodAlarm is not a whole number/],
    [{ NotFoundAlrm: 5 }, /stack\.alarms\.thresholds\.NotFoundAlrm is not a known key.*NotFoundAlarm/],
  ])('are refused: %j', (thresholds, problem) => {
    expect(withStack({ alarms: { thresholds } })).toThrow(problem);
  });
});

describe('runbookUrl', () => {
  it.each([
    'https://wiki.example.com/operations?x=1',
    'https://wiki.example.com/operations#top',
    'operations.md',
  ])('is refused if a section cannot follow it: %s', (runbookUrl) => {
    expect(withStack({ runbookUrl })).toThrow(/stack\.runbookUrl/);
  });
});

describe('silentAfter', () => {
  it('is a duration of at most seven days, on any connection', () => {
    expect(withSilence('7d')().connections.desk?.silentAfter).toBe('7d');
  });

  it.each<[unknown, RegExp]>([
    ['8d', /connections\.desk\.silentAfter is more than 7d/],
    ['a day', /connections\.desk\.silentAfter is not a duration/],
    [60, /connections\.desk\.silentAfter is a number/],
  ])('is refused: %j', (silentAfter, problem) => {
    expect(withSilence(silentAfter)).toThrow(problem);
  });
});
