import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../infra/root.ts';
import { LocalRunError } from '../../../local/isolation.ts';
import { readStartOptions, USAGE } from '../../../scripts/command/start-options.ts';
import { SMALLEST, writeConnections } from '../../support/configuration.ts';

const read = (text: string, environment: NodeJS.ProcessEnv = {}) =>
  readStartOptions(text.split(' ').filter(Boolean), environment);

describe('the options of npm start', () => {
  it('use the configuration of the checkout by default', () => {
    expect(read('')).toEqual({
      once: false,
      config: join(ROOT, 'connections.json'),
      connection: undefined,
      polyai: undefined,
      conversation: undefined,
      port: undefined,
    });
  });

  it('are read, and a path is resolved from where it was typed', () => {
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

  it('are not checked when help is requested', () => {
    expect(read('--help')).toBeUndefined();
  });

  it.each([
    ['a missing file', '--config nope.json', 'There is no file nope.json'],
    ['a missing file, naming the option', '--config nope.json', '--config FILE'],
    ['an unknown option', '--onec', '--onec'],
    ['an invalid port', '--port x', '--port must be a number'],
    ['a conversation without PolyAI', '--conversation x', '--conversation needs --polyai'],
    ['a PolyAI without TLS', '--polyai http://example.com', 'begins with https://'],
  ])('refuse %s, with a message after the usage', (_, text, message) => {
    expect(() => read(text)).toThrow(LocalRunError);
    expect(() => read(text)).toThrow(message);
    expect(messageOf(() => read(text)).startsWith(USAGE)).toBe(true);
  });

  it.each(['once', 'config', 'connection', 'polyai', 'conversation', 'port'])(
    'are refused when npm took --%s for itself, with or without its value left behind',
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
