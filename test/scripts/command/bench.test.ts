import { describe, expect, it } from 'vitest';
import { readBenchOptions } from '../../../scripts/command/bench.ts';

const read = (...args: string[]) => readBenchOptions(args, {});

describe('the options of npm run bench', () => {
  it('measure everything 15 times unless told otherwise', () => {
    expect(read()).toEqual({ runs: 15, parts: ['cold', 'warm', 'verify'], json: false });
    expect(read('--runs', '3', '--only', 'warm', '--json')).toEqual({
      runs: 3,
      parts: ['warm'],
      json: true,
    });
  });

  it.each([
    [['--runs', '0'], '--runs must be a whole number from 1 to 9999.'],
    [['--runs', '1.5'], '--runs must be a whole number from 1 to 9999.'],
    [['--only', 'hot'], '--only must be one of cold, warm, verify.'],
    [['--fast'], "Unknown option '--fast'"],
  ])('are refused when they are %j', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });

  it('show the usage on request', () => {
    expect(read('--help')).toBeUndefined();
  });

  it('are refused when npm took them for itself', () => {
    expect(() => readBenchOptions([], { npm_config_json: 'true' })).toThrow('npm run bench -- --json');
  });
});
