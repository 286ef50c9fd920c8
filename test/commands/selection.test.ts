import { Command as Commander } from 'commander';
import { describe, expect, it } from 'vitest';
import { readSelection, type SelectionValues, selectionOptions } from '../../commands/selection.ts';
import { OUTCOMES } from '../../functions/close/outcome.ts';
import { explain, OperatorError } from '../../operate/error.ts';

const NOW = Date.parse('2026-08-01T12:00:00Z');
const HOUR = 3_600_000;

const wordsOf = (text: string) => text.split(' ').filter(Boolean);

/** The selection of a command that takes every outcome, as commander and then `readSelection` read it. */
function read(text: string) {
  const command = new Commander().exitOverride().configureOutput({ writeErr: () => {} });
  for (const option of selectionOptions('move', 'only this outcome', 'how far back'))
    command.addOption(option);
  const values = command.parse(wordsOf(text), { from: 'user' }).opts<SelectionValues>();
  return readSelection(values, [...Object.keys(OUTCOMES), 'none'], NOW);
}

describe('the options of a command', () => {
  it('have the usual stack and cautious values by default', () => {
    expect(read('')).toEqual({
      outcomes: [],
      projects: [],
      connections: [],
      conversations: [],
      requestIds: [],
      plan: false,
      span: undefined,
      dryRun: false,
      list: false,
      yes: false,
      rate: 50,
      lateLookUp: false,
    });
  });

  it('may name several outcomes and projects', () => {
    const text =
      '--outcome not_found --outcome rejected --project a --project b --conversation CONV-1 --since 6h --dry-run --yes --rate 7 --late-look-up';
    expect(read(text)).toEqual({
      outcomes: ['not_found', 'rejected'],
      projects: ['a', 'b'],
      connections: [],
      conversations: ['CONV-1'],
      requestIds: [],
      plan: false,
      span: { from: NOW - 6 * HOUR, to: NOW },
      dryRun: true,
      list: false,
      yes: true,
      rate: 7,
      lateLookUp: true,
    });
  });

  it.each([
    ['--since 30m', NOW - HOUR / 2, NOW],
    ['--since 2d', NOW - 48 * HOUR, NOW],
    ['--since 2026-08-01T09:00Z', NOW - 3 * HOUR, NOW],
    ['--since 6h --until 2h', NOW - 6 * HOUR, NOW - 2 * HOUR],
    ['--until 2026-08-01T11:00Z', NOW - 15 * 24 * HOUR, NOW - HOUR],
  ])('read the span of %s', (text, from, to) => {
    expect(read(text).span).toEqual({ from, to });
  });

  it('move nothing when a list is requested', () => {
    expect(read('--list')).toMatchObject({ list: true, dryRun: true });
  });

  it.each([
    ['an unknown outcome', '--outcome gone', '--outcome gone is not valid. Choose one of: closed, '],
    ['an inherited name for an outcome', '--outcome constructor', '--outcome constructor is not valid.'],
    [
      'a time without a unit',
      '--since 6',
      '--since 6 is not a time. Write 30m, 6h or 2d, or 2026-07-01T12:00Z.',
    ],
    ['a time of zero', '--since 0h', '--since 0h is not a time'],
    ['an end before the beginning', '--since 1h --until 2h', '--since 1h is not before --until 2h.'],
    ['a rate of zero', '--rate 0', '--rate 0 is not valid. Write how many a second, from 1 to 1000.'],
    ['a rate that is too fast', '--rate 1001', '--rate 1001 is not valid'],
    ['a fractional rate', '--rate 0.5', '--rate 0.5 is not valid'],
  ])('refuse %s', (_, text, expected) => {
    const error = errorOf(() => read(text));
    expect(error.message).toContain(expected);
    expect(error.exitCode).toBe(2);
  });
});

describe('an error', () => {
  it.each([
    [{ name: 'CredentialsProviderError', message: 'none' }, 'There are no AWS credentials.'],
    [{ name: 'Error', message: 'Region is missing' }, 'There is no AWS region.'],
    [{ name: 'ExpiredTokenException', message: 'late' }, 'wrong or have expired'],
    [{ name: 'AccessDenied', message: 'no' }, 'do not have that permission'],
    [{ name: 'QueueDoesNotExist', message: 'no' }, 'A queue of the stack does not exist'],
    [
      { name: 'AWS.SimpleQueueService.NonExistentQueue', message: 'no' },
      'A queue of the stack does not exist',
    ],
    [
      { name: 'ResourceNotFoundException', message: 'no' },
      'A log group or secret of the stack does not exist',
    ],
    [{ name: 'Error', code: 'ECONNREFUSED', message: 'no' }, 'Cannot reach AWS.'],
    [{ name: 'NotQueued', message: '1 of 2 batches' }, 'SQS did not confirm every close.'],
    [{ name: 'ThrottlingException', message: 'slow down' }, 'AWS throttles these calls.'],
    [{ name: 'SomethingElse', message: 'odd', $metadata: {} }, 'AWS answered SomethingElse: odd'],
  ])('of AWS is printed with its fix: %j', (error, expected) => {
    expect(explain(error, {})).toContain(expected);
    expect(explain(error, {})).toContain(error.message);
  });

  it('of a profile without credentials names the profile', () => {
    const error = { name: 'CredentialsProviderError', message: 'none' };
    expect(explain(error, { AWS_PROFILE: 'prod' })).toContain(
      'AWS_PROFILE is "prod", but that profile has no credentials.',
    );
  });

  it('of the command itself is printed unchanged', () => {
    expect(explain(new OperatorError('do this'))).toBe('do this');
  });

  it('of the program keeps its stack trace', () => {
    expect(explain(new TypeError('undefined is not a function'))).toBeUndefined();
    expect(explain(undefined)).toBeUndefined();
  });
});

function errorOf(act: () => unknown): OperatorError {
  try {
    act();
  } catch (error) {
    if (error instanceof OperatorError) return error;
  }
  throw new Error('nothing was thrown');
}
