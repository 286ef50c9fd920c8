import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../infra/root.ts';
import { LocalRunError } from '../../../local/isolation.ts';
import { readStartOptions, USAGE } from '../../../scripts/command/start-options.ts';
import { SMALLEST, writeConnections } from '../../support/configuration.ts';

const read = (text: string, environment: NodeJS.ProcessEnv = {}) =>
  readStartOptions(text.split(' ').filter(Boolean), environment);

describe('the options of npm start', () => {
  it('are those of the checkout’s configuration when none is given', () => {
    expect(read('')).toEqual({
      once: false,
      config: join(ROOT, 'connections.json'),
      connection: undefined,
      polyai: undefined,
      conversation: undefined,
      port: undefined,
    });
  });

  it('are read as they are given, a file from where it was typed', () => {
    const file = writeConnections(SMALLEST);
    const text =
      '--once --config connections.json --connection in-house --polyai https://a --conversation C --port 5';
    expect(read(text, { INIT_CWD: dirname(file) })).toEqual({
      once: true,
      config: file,
      connection: 'in-house',
      polyai: 'https://a',
      conversation: 'C',
      port: 5,
    });
  });

  it('give way to a question for help', () => {
    expect(read('--help')).toBeUndefined();
  });

  it.each([
    ['a file that is not there', '--config nope.json', 'There is no file nope.json'],
    ['a file that is not there, by the option of this command', '--config nope.json', '--config FILE'],
    ['an option that nobody knows', '--onec', '--onec'],
    ['a port that is none', '--port x', '--port takes a number'],
    ['a conversation without PolyAI', '--conversation x', '--conversation goes with --polyai'],
    ['a PolyAI that is not safe', '--polyai http://example.com', 'begins with https://'],
  ])('refuse %s, and say so after the usage', (_, text, says) => {
    expect(() => read(text)).toThrow(LocalRunError);
    expect(() => read(text)).toThrow(says);
    expect(messageOf(() => read(text)).startsWith(USAGE)).toBe(true);
  });

  it.each(['once', 'config', 'connection', 'polyai', 'conversation', 'port'])(
    'refuse to go when npm kept --%s for itself, whatever is left of it',
    (option) => {
      const environment = { [`npm_config_${option}`]: 'true' };
      for (const left of ['', 'mine.json']) {
        expect(() => read(left, environment)).toThrow(`Put two dashes first: npm start -- --${option}`);
      }
    },
  );
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}
