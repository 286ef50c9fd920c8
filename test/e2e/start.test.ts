import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { USUAL_PORT } from '../../local/emulator.ts';
import { startPolyAI } from '../../local/polyai-stand-in.ts';
import { SMALLEST, writeConnections } from '../support/configuration.ts';

// Runs `npm start` as a user does. The shell's AWS settings must not matter, so it has many.

const MINUTE = 60_000;
const SHELL = {
  AWS_PROFILE: 'production',
  AWS_ACCESS_KEY_ID: 'a-real-one',
  AWS_SECRET_ACCESS_KEY: 'a-real-one',
  AWS_REGION: 'eu-west-1',
  AWS_ENDPOINT_URL_SQS: 'https://sqs.eu-west-1.example.com',
  HTTPS_PROXY: 'http://127.0.0.1:9',
};

type Run = { child: ChildProcess; output: () => string; ended: Promise<number | null> };

const running: Run[] = [];

afterEach(async () => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL');
});

function start(args: string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, ['scripts/start.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...SHELL, ...env },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed += chunk;
    });
  const run = { child, output: () => printed, ended: once(child, 'close').then(([code]) => code) };
  running.push(run);
  return run;
}

async function printed(run: Run, text: string): Promise<void> {
  while (!run.output().includes(text)) {
    if (run.child.exitCode !== null) throw new Error(`the run ended without "${text}":\n${run.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('npm start', () => {
  it(
    'closes a chat, shows each step and the outcome, and with --once exits with 0',
    async () => {
      const run = start(['--once']);
      expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
      for (const shown of [
        'x-zendesk-webhook-signature:',
        '200 {"accepted":1',
        'PUT /v1/acme-uk/PROJECT-191bfa2a/chat/close',
        '"outcome":"closed"',
        'Outcome: closed.',
      ]) {
        expect(run.output()).toContain(shown);
      }
    },
    3 * MINUTE,
  );

  it(
    'closes a chat of the connection named with --connection, in that connection’s project',
    async () => {
      const config = writeConnections({
        polyai: {
          ...SMALLEST.polyai,
          sales: { region: 'us-1', accountId: 'acme-us', projectId: 'PROJECT-2' },
        },
        connections: {
          ...SMALLEST.connections,
          desk: { crm: 'jira', polyai: 'sales' },
        },
      });
      const run = start(['--once', '--config', config, '--connection', 'desk']);
      expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
      expect(run.output()).toContain('PUT /v1/acme-us/PROJECT-2/chat/close');
      expect(run.output()).toContain(
        '"outcome":"closed","result":"closed","final":true,"late":0,"connection":"desk"',
      );
    },
    3 * MINUTE,
  );

  it(
    'exits with 1 when the outcome is not closed, and shows that outcome',
    async () => {
      const polyai = await startPolyAI();
      polyai.behave(() => ({ status: 422, body: { error_code: 'NO' } }));
      const connections = writeConnections({
        ...SMALLEST,
        connections: {
          own: {
            crm: 'custom',
            polyai: 'support',
            verify: { scheme: 'basic' },
            finishedWhen: "body.state == 'done' && headers.kind == 'chat'",
            conversationId: 'query.id',
          },
        },
      });
      const run = start(
        ['--once', '--config', connections, '--polyai', polyai.url, '--conversation', 'CONV-77'],
        { POLYAI_API_KEY: 'k-1', POLYAI_TOKEN: 't-1' },
      );
      expect(await run.ended).toBe(1);
      expect(run.output()).toContain('Outcome: rejected (PolyAI answered 422 NO)');
      const [call] = polyai.calls;
      expect(call).toMatchObject({
        body: '{"conversation_id":"CONV-77"}',
        headers: { 'x-api-key': 'k-1', 'x-token': 't-1' },
      });
      await polyai.close();
    },
    3 * MINUTE,
  );

  it(
    'keeps running, accepts what its curl lines send, and stops its emulator on Ctrl-C',
    async () => {
      const run = start([]);
      await printed(run, 'so its signature is wrong:');
      const address = /POST (http:\/\/127\.0\.0\.1:(\d+)\/\S+)/.exec(run.output());
      await printed(run, 'To send your own deliveries to in-house');
      await printed(run, 'openssl dgst -sha256 -hmac');
      await printed(run, 'why CONV-');
      const questions = [...run.output().matchAll(/^ +(env -u AWS_PROFILE .* chat-closer .*)$/gm)];
      const answers = await Promise.all(questions.map(([, line = '']) => runShell(line)));
      expect(answers).toEqual([
        expect.stringContaining('Nothing is wrong'),
        expect.stringContaining('closed'),
      ]);
      const lines = run
        .output()
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => /^(curl|BODY=)/.test(line));
      for (const line of lines) await runShell(line);
      await printed(run, '"refused":"signature_mismatch"');
      await printed(run, 'A close was attempted:');
      await printed(
        run,
        '"outcome":"closed","result":"closed","final":true,"late":0,"connection":"in-house"',
      );
      run.child.kill('SIGINT');
      expect(await run.ended).toBe(0);
      await expect(fetch(`http://127.0.0.1:${address?.[2]}/_ministack/health`)).rejects.toThrow();
    },
    3 * MINUTE,
  );

  it(
    'uses a free port when the usual one is taken, and names it',
    async () => {
      const server = createServer().listen(USUAL_PORT, '127.0.0.1');
      // If another test's emulator has the port, it is taken too.
      await Promise.race([once(server, 'listening'), once(server, 'error')]).catch(() => undefined);
      const run = start([]);
      await printed(run, `Port ${USUAL_PORT} is taken: using `);
      run.child.kill('SIGKILL');
      await run.ended;
      server.close();
    },
    MINUTE,
  );

  it(
    'stops its emulator when it is killed',
    async () => {
      const run = start([]);
      await printed(run, 'Deploying the stack');
      const port = /using (\d+)/.exec(run.output())?.[1] ?? '4566';
      run.child.kill('SIGKILL');
      await run.ended;
      const isUp = () =>
        fetch(`http://127.0.0.1:${port}/_ministack/health`).then(
          () => true,
          () => false,
        );
      while (await isUp()) await new Promise((resolve) => setTimeout(resolve, 200));
    },
    MINUTE,
  );

  it.each([
    [
      'an AWS on another machine',
      { AWS_ENDPOINT_URL: 'https://sqs.eu-west-1.amazonaws.com' },
      [],
      'is not an address of this machine',
    ],
    ['a missing configuration', {}, ['--config', 'nowhere.json'], 'nowhere.json'],
    ['an unknown option', {}, ['--onec'], '--onec'],
    ['an option that npm took for itself', { npm_config_once: 'true' }, [], 'npm start -- --once'],
    ['an unknown connection', {}, ['--connection', 'x'], 'with an address: zendesk-support, in-house'],
    ['an invalid port', {}, ['--port', 'x'], '--port must be a number'],
    ['a conversation without PolyAI', {}, ['--conversation', 'x'], '--conversation needs --polyai'],
    ['a PolyAI without TLS', {}, ['--polyai', 'http://example.com'], 'https'],
  ])(
    'refuses %s with a message and no stack trace',
    async (_, env, args, message) => {
      const run = start(args, env as Record<string, string>);
      expect(await run.ended).toBe(1);
      expect(run.output()).toContain(message);
      expect(run.output()).not.toMatch(/^\s+at /m);
    },
    MINUTE,
  );

  it(
    'refuses a taken port that was named with --port',
    async () => {
      const server: Server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const run = start(['--port', String(port)]);
      expect(await run.ended).toBe(1);
      expect(run.output()).toContain(`Port ${port} is taken`);
      server.close();
    },
    MINUTE,
  );
});

/** @returns what the line printed */
async function runShell(line: string): Promise<string> {
  const child = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'], cwd: ROOT });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return output;
}
