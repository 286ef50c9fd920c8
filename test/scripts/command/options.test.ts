import { describe, expect, it } from 'vitest';
import { explain, OperatorError } from '../../../operate/error.ts';
import { type Command, readOptions } from '../../../scripts/command/options.ts';

const COMMAND: Command = {
  name: 'replay',
  usage: 'usage of replay',
  outcomes: ['not_found', 'rejected'],
  required: [],
};

function read(text: string, environment: NodeJS.ProcessEnv = {}, command: Partial<Command> = {}) {
  return readOptions({ ...COMMAND, ...command }, text.split(' ').filter(Boolean), environment);
}

describe('the options of a command', () => {
  it('are those of the usual stack, and careful, when none is given', () => {
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

  it('are read as they are given, outcomes and projects several times', () => {
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
  ])('understand a time of %s', (since, ms) => {
    expect(read(`--since ${since}`)?.sinceMs).toBe(ms);
  });

  it('move nothing where a list is asked for', () => {
    expect(read('--list')).toMatchObject({ list: true, dryRun: true });
  });

  it('give way to a question for help', () => {
    expect(read('--help', {}, { required: ['outcome'] })).toBeUndefined();
  });

  it.each([
    [
      'an outcome that is none',
      '--outcome gone',
      '--outcome gone is none that replay takes: not_found, rejected.',
    ],
    ['an inherited name for an outcome', '--outcome constructor', '--outcome constructor is none'],
    ['a time without a unit', '--since 6', '--since 6 is no duration: write 30m, 6h or 2d.'],
    ['a time of nothing', '--since 0h', '--since 0h is no duration'],
    ['a rate of nothing', '--rate 0', '--rate 0 is no rate'],
    ['a rate that is too fast', '--rate 1001', '--rate 1001 is no rate'],
    ['half a rate', '--rate 0.5', '--rate 0.5 is no rate'],
    ['an option that nobody knows', '--dryrun', '--dryrun'],
    ['a word without an option', 'not_found', 'not_found'],
  ])('refuse %s, with the usage', (_, text, says) => {
    const error = errorOf(() => read(text));
    expect(error.message).toContain(says);
    expect(error.message.startsWith('usage of replay\n')).toBe(true);
    expect(error.exitCode).toBe(2);
  });

  it.each(['outcome', 'since'] as const)('refuse to go without a required %s', (option) => {
    expect(errorOf(() => read('', {}, { required: [option] })).message).toContain(`--${option} is required.`);
  });

  it.each([
    ['--dry-run', 'npm_config_dry_run'],
    ['--late-look-up', 'npm_config_late_look_up'],
    ['--project', 'npm_config_project'],
  ])('refuse to go when npm kept %s for itself', (option, variable) => {
    expect(errorOf(() => read('', { [variable]: 'true' })).message).toContain(
      `npm took ${option} for itself. Put two dashes first: npm run replay -- ${option}`,
    );
  });

  it('refuse to go when npm kept one, whatever is left of its value', () => {
    expect(errorOf(() => read('support', { npm_config_project: 'true' })).message).toContain(
      'npm run replay -- --project',
    );
  });

  it('ask rather than take a yes that npm was given', () => {
    expect(read('', { npm_config_yes: 'true' })?.yes).toBe(false);
  });
});

describe('an error', () => {
  it.each([
    [{ name: 'CredentialsProviderError', message: 'none' }, 'There are no AWS credentials.'],
    [{ name: 'Error', message: 'Region is missing' }, 'There is no AWS region.'],
    [{ name: 'ExpiredTokenException', message: 'late' }, 'wrong or have expired'],
    [{ name: 'AccessDenied', message: 'no' }, 'may not do that'],
    [{ name: 'QueueDoesNotExist', message: 'no' }, 'A queue of the stack is not there'],
    [{ name: 'AWS.SimpleQueueService.NonExistentQueue', message: 'no' }, 'A queue of the stack is not there'],
    [{ name: 'ResourceNotFoundException', message: 'no' }, 'The log group of the stack is not there'],
    [{ name: 'Error', code: 'ECONNREFUSED', message: 'no' }, 'AWS cannot be reached.'],
    [{ name: 'NotQueued', message: '1 of 2 batches' }, 'SQS did not confirm every close.'],
    [{ name: 'ThrottlingException', message: 'slow down' }, 'AWS throttles these calls.'],
    [{ name: 'SomethingElse', message: 'odd', $metadata: {} }, 'AWS answered SomethingElse: odd'],
  ])('of AWS is told with its mend: %j', (error, says) => {
    expect(explain(error, {})).toContain(says);
    expect(explain(error, {})).toContain(error.message);
  });

  it('of a profile without credentials names the profile', () => {
    const error = { name: 'CredentialsProviderError', message: 'none' };
    expect(explain(error, { AWS_PROFILE: 'prod' })).toContain(
      'AWS_PROFILE is "prod", and that profile gives no credentials.',
    );
  });

  it('of the command itself is told as it is', () => {
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
  throw new Error('it was not refused');
}
