import { describe, expect, it } from 'vitest';
import { explain, OperatorError } from '../../../operate/error.ts';
import { readOptions } from '../../../scripts/command/options.ts';
import { REDRIVE } from '../../../scripts/command/redrive.ts';
import { REPLAY } from '../../../scripts/command/replay.ts';

const wordsOf = (text: string) => text.split(' ').filter(Boolean);

function read(text: string, environment: NodeJS.ProcessEnv = {}) {
  return readOptions(REDRIVE, wordsOf(text), environment);
}

function readReplay(text: string) {
  return readOptions(REPLAY, wordsOf(text), {});
}

describe('the options of a command', () => {
  it('have the usual stack and cautious values by default', () => {
    expect(read('')).toEqual({
      stack: 'polyai-chat-closer',
      outcomes: [],
      projects: [],
      sinceMs: undefined,
      dryRun: false,
      list: false,
      yes: false,
      rate: 50,
      lateLookUp: false,
    });
  });

  it('may name several outcomes and projects', () => {
    const text =
      '--stack s --outcome not_found --outcome rejected --project a --project b --since 6h --dry-run --yes --rate 7 --late-look-up';
    expect(read(text)).toEqual({
      stack: 's',
      outcomes: ['not_found', 'rejected'],
      projects: ['a', 'b'],
      sinceMs: 6 * 3_600_000,
      dryRun: true,
      list: false,
      yes: true,
      rate: 7,
      lateLookUp: true,
    });
  });

  it.each([
    ['30m', 1_800_000],
    ['2d', 172_800_000],
  ])('read %s as a duration', (since, ms) => {
    expect(read(`--since ${since}`)?.sinceMs).toBe(ms);
  });

  it('move nothing when a list is requested', () => {
    expect(read('--list')).toMatchObject({ list: true, dryRun: true });
  });

  it('are not checked when help is requested', () => {
    expect(read('--help')).toBeUndefined();
    expect(readReplay('--help')).toBeUndefined();
  });

  it.each([
    ['an unknown outcome', '--outcome gone', '--outcome gone is not valid. Choose one of: closed, '],
    ['an inherited name for an outcome', '--outcome constructor', '--outcome constructor is not valid.'],
    ['a time without a unit', '--since 6', '--since 6 is not a duration. Write 30m, 6h or 2d.'],
    ['a time of zero', '--since 0h', '--since 0h is not a duration'],
    ['a rate of zero', '--rate 0', '--rate 0 is not valid. Write how many a second, from 1 to 1000.'],
    ['a rate that is too fast', '--rate 1001', '--rate 1001 is not valid'],
    ['a fractional rate', '--rate 0.5', '--rate 0.5 is not valid'],
    ['an unknown option', '--dryrun', '--dryrun'],
    ['a word without an option', 'not_found', 'not_found'],
  ])('refuse %s, and print the usage', (_, text, expected) => {
    const error = errorOf(() => read(text));
    expect(error.message).toContain(expected);
    expect(error.message.startsWith(`${REDRIVE.usage}\n`)).toBe(true);
    expect(error.exitCode).toBe(2);
  });

  it('of a redrive may name the outcome none; those of a replay may not, nor an outcome that needs no replay', () => {
    expect(read('--outcome none')?.outcomes).toEqual(['none']);
    for (const outcome of ['none', 'closed', 'resolved']) {
      expect(errorOf(() => readReplay(`--outcome ${outcome} --since 6h`)).message).toContain(
        `--outcome ${outcome} is not valid.`,
      );
    }
  });

  it.each([
    ['outcome', '--since 6h'],
    ['since', '--outcome not_found'],
  ])('of a replay must have --%s', (option, text) => {
    expect(errorOf(() => readReplay(text)).message).toContain(`--${option} is required.`);
  });

  it('of a replay are read like those of a redrive', () => {
    expect(readReplay('--outcome not_found --since 6h')).toMatchObject({
      stack: 'polyai-chat-closer',
      outcomes: ['not_found'],
      sinceMs: 6 * 3_600_000,
    });
  });

  it.each([
    ['--dry-run', 'npm_config_dry_run'],
    ['--late-look-up', 'npm_config_late_look_up'],
    ['--project', 'npm_config_project'],
  ])('are refused when npm took %s for itself', (option, variable) => {
    expect(errorOf(() => read('', { [variable]: 'true' })).message).toContain(
      `npm took ${option} for itself. Put two dashes first: npm run redrive -- ${option}`,
    );
  });

  it('are refused when npm took one and left its value behind', () => {
    expect(errorOf(() => read('support', { npm_config_project: 'true' })).message).toContain(
      'npm run redrive -- --project',
    );
  });

  it('do not take a --yes that was given to npm', () => {
    expect(read('', { npm_config_yes: 'true' })?.yes).toBe(false);
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
    [{ name: 'ResourceNotFoundException', message: 'no' }, 'The log group of the stack does not exist'],
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
