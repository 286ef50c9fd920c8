import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../commands/list.ts';
import { ROOT } from '../../infra/root.ts';
import { runCommand } from '../support/command.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'chat-closer-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));

/** Nothing listens there, and nobody has these keys. */
const NOWHERE = {
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_REGION: 'eu-west-2',
  AWS_MAX_ATTEMPTS: '1',
};

const names = Object.keys(COMMANDS);
const DOCUMENTED = readFileSync(join(ROOT, 'docs/commands.md'), 'utf8');

// Each test starts a process, so they run side by side.
describe.concurrent('a command', () => {
  it.each(names)('%s has a help with an example that calls it, and says what --json does', async (name) => {
    const { code, stdout } = await runCommand([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`npx --no chat-closer ${name}`);
    expect(stdout.split('Examples:')[1]).toContain(`npx --no chat-closer ${name}`);
    expect(stdout).toContain('--json');
  });

  it.each(names)(
    '%s refuses an unknown option with exit code 2, and the message comes last',
    async (name) => {
      const { code, stdout, stderr } = await runCommand([...name.split(' '), '--no-such-option']);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain('Usage: npx --no chat-closer');
      expect(stderr.trim().split('\n').at(-1)).toContain("unknown option '--no-such-option'");
    },
  );

  it.each(names)('%s is explained in docs/commands.md', (name) => {
    expect(DOCUMENTED).toMatch(new RegExp(`^## .*\\b${name.split(' ')[0]}\\b`, 'm'));
    expect(DOCUMENTED).toContain(`npx --no chat-closer ${name}`);
  });

  it.each([
    'why',
    'open',
    'close',
    'cleanup',
    'connection',
    'send',
    'explain',
    'secret set',
    'secret rotate',
    'secret show',
  ])('%s refuses to run without its argument', async (name) => {
    const { code, stderr } = await runCommand(name.split(' '));
    expect(code).toBe(2);
    expect(stderr.trim().split('\n').at(-1)).toContain('missing required argument');
  });

  it.each(['status', 'doctor', 'redrive'])(
    '%s says in one sentence that AWS cannot be reached',
    async (words) => {
      const { code, stderr } = await runCommand(words.split(' '), { env: NOWHERE });
      expect(code).toBe(1);
      expect(stderr).toContain('Cannot reach AWS.');
      expect(stderr).not.toContain('    at ');
    },
    240_000,
  );

  it.each([
    ['why x --since yesterday', '--since yesterday is not a time.'],
    ['why x --since 1h --until 2h', 'is not before --until 2h'],
    ['replay --outcome closed --since 1h', '--outcome closed is not valid.'],
    ['replay --since 1h', '--outcome is required.'],
    ['redrive --rate 0', '--rate 0 is not valid.'],
    ['listen --for soon', '--for soon is not a duration'],
    ['explain zendsk nothing.json', 'Did you mean "zendesk"?'],
    ['explain zendesk nothing.json', 'There is no file nothing.json'],
    ['explain custom', 'custom alone says too little'],
    ['secret show x', 'A secret is shown on a terminal only.'],
    [
      'init --config nowhere.json --polyai-region us-1 --account a --project b --crm zendsk',
      'Did you mean "zendesk"?',
    ],
    [
      'init --config nowhere.json --polyai-region us --account a --project b --crm zendesk',
      '--polyai-region us is not known.',
    ],
    ['init --config nowhere.json', '--polyai-region is missing, and there is no terminal to ask.'],
    ['init --force=x', '--force'],
    ['init', 'exists. Name another file with --config'],
  ])('%s is used wrongly: %s', async (words, expected) => {
    const { code, stdout, stderr } = await runCommand(words.split(' '), { env: NOWHERE });
    expect(stderr).toContain(expected);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });
});

describe.concurrent('the command line', () => {
  it('without a command shows every command and exits with 2', async () => {
    const { code, stderr } = await runCommand([]);
    expect(code).toBe(2);
    for (const name of names) expect(stderr).toContain(`  ${name.split(' ')[0]}`);
  });

  it('refuses an unknown command, and the message comes last', async () => {
    const { code, stderr } = await runCommand(['wy']);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n').slice(-2).join(' ')).toContain("unknown command 'wy'");
  });

  it('lists the commands of a group', async () => {
    const { code, stderr } = await runCommand(['secret']);
    expect(code).toBe(2);
    for (const name of ['list', 'set', 'rotate', 'show']) expect(stderr).toContain(`  ${name}`);
  });

  it('writes a configuration that passes the check, and its card', async () => {
    const file = join(FOLDER, 'connections.json');
    const args = [
      'init',
      '--config',
      file,
      '--polyai-region',
      'uk-1',
      '--account',
      'acme-uk',
      '--project',
      'PROJECT-1',
    ];
    const { code, stdout } = await runCommand([...args, '--crm', 'intercom', '--set', 'sender=ab12cd34']);
    expect(code).toBe(0);
    expect(stdout).toContain('<WebhooksUrl>/intercom-support');
    expect(JSON.parse(readFileSync(file, 'utf8')).connections).toEqual({
      'intercom-support': { crm: 'intercom', polyai: 'support', sender: 'ab12cd34' },
    });
  });

  it('writes no configuration that lacks what its CRM needs', async () => {
    const file = join(FOLDER, 'none.json');
    const args = [
      'init',
      '--config',
      file,
      '--polyai-region',
      'uk-1',
      '--account',
      'a',
      '--project',
      'b',
      '--crm',
      'hubspot',
    ];
    const { code, stderr } = await runCommand(args);
    expect(code).toBe(2);
    expect(stderr).toContain('connections.hubspot-support.finishedValues is missing');
    expect(() => readFileSync(file)).toThrow('ENOENT');
  });

  it('explains a delivery from standard input, without AWS, as JSON alone', async () => {
    const config = join(FOLDER, 'own.json');
    writeFileSync(config, readFileSync(join(ROOT, 'connections.json')));
    const { code, stdout } = await runCommand(['explain', 'in-house', '--config', config, '--json'], {
      input: '{"status":"closed","chat":{"id":"CONV-1"}}',
      env: NOWHERE,
    });
    expect(JSON.parse(stdout)).toMatchObject({ verified: null, would: 'close', conversationId: 'CONV-1' });
    expect(code).toBe(0);
  });
});
