import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../infra/root.ts';
import { OperatorError } from '../../../operate/error.ts';
import { readCostOptions, USAGE } from '../../../scripts/command/cost.ts';
import { SMALLEST, writeConnections } from '../../support/configuration.ts';

const read = (text: string, environment: NodeJS.ProcessEnv = {}) =>
  readCostOptions(text.split(' ').filter(Boolean), environment);

describe('the options of npm run cost', () => {
  it('are a million closes, four ignored deliveries for each and the configuration of the checkout by default', () => {
    expect(read('')).toEqual({
      closes: 1_000_000,
      ignored: 4,
      polyaiMs: 200,
      config: join(ROOT, 'connections.json'),
      write: false,
    });
  });

  it('are read, and a path is resolved from where it was typed', () => {
    const file = writeConnections(SMALLEST);
    const text = '--closes 250000 --ignored 0.5 --polyai-ms 900 --config connections.json --write';
    expect(read(text, { INIT_CWD: dirname(file) })).toEqual({
      closes: 250_000,
      ignored: 0.5,
      polyaiMs: 900,
      config: file,
      write: true,
    });
  });

  it('are not checked when help is requested', () => {
    expect(read('--help')).toBeUndefined();
  });

  it.each([
    ['--closes many', '--closes must be a number of at least 1'],
    ['--closes 0', '--closes must be a number of at least 1'],
    ['--ignored -1', '--ignored'],
    ['--ignored=', '--ignored must be a number of at least 0'],
    ['--polyai-ms 0', '--polyai-ms must be a number of at least 1'],
    ['--config nope.json', 'There is no file nope.json'],
    ['--close 1', '--close'],
  ])('refuse %s, with a message after the usage', (text, message) => {
    expect(() => read(text)).toThrow(OperatorError);
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(USAGE);
  });
});
