import { describe, expect, it } from 'vitest';
import { requireDashes } from '../../commands/npm-options.ts';

const check = (environment: NodeJS.ProcessEnv) => () =>
  requireDashes('npm start', ['once', 'config', 'late-look-up', 'yes', 'help'], environment);

describe('options that npm takes for itself', () => {
  it.each([
    [{ npm_config_once: 'true' }, 'npm took --once for itself. Put two dashes first: npm start -- --once'],
    [{ npm_config_once: '' }, 'npm start -- --once'],
    [{ npm_config_config: 'mine.json' }, 'npm start -- --config mine.json'],
    [{ npm_config_late_look_up: 'true' }, 'npm start -- --late-look-up'],
  ])('are refused, with the command to type: %j', (environment, message) => {
    expect(check(environment)).toThrow(message);
  });

  it.each([{}, { npm_config_cache: '/tmp' }, { npm_config_yes: 'true' }, { once: 'true' }])(
    'are not found in %j',
    (environment) => {
      expect(check(environment)).not.toThrow();
    },
  );
});
