import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../../infra/bundle.ts';
import { type Emulator, startEmulator } from '../../scripts/local/emulator.ts';
import { isolatedEnvironment } from '../../scripts/local/isolation.ts';
import { SMALLEST, temporaryFolder, writeConnections } from '../support/configuration.ts';
import { signZendesk, zendeskEvent } from '../support/delivery.ts';
import { type PolyAIStandIn, startPolyAI } from '../support/polyai-stand-in.ts';

// An emulator that somebody else started, at AWS_ENDPOINT_URL.

const MINUTE = 60_000;
const folder = temporaryFolder();
let emulator: Emulator;
let polyai: PolyAIStandIn;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  polyai = await startPolyAI();
  const own = process.env.AWS_ENDPOINT_URL;
  delete process.env.AWS_ENDPOINT_URL;
  emulator = await startEmulator(folder, undefined, () => {});
  if (own) process.env.AWS_ENDPOINT_URL = own;
  env = isolatedEnvironment(emulator.endpoint, folder);
}, MINUTE);

afterAll(async () => {
  await emulator?.stop();
  await polyai?.close();
}, MINUTE);

function client() {
  return {
    endpoint: emulator.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  };
}

describe('the CDK’s own commands', () => {
  it(
    'deploy the stack with secrets of the user’s own, without help from our scripts, and it closes a chat',
    async () => {
      const secrets = new SecretsManagerClient(client());
      const signingSecret = 'a-signing-secret';
      await secrets.send(
        new CreateSecretCommand({ Name: 'polyai/keys', SecretString: JSON.stringify(polyai.keys) }),
      );
      await secrets.send(
        new CreateSecretCommand({ Name: 'crm/zendesk', SecretString: JSON.stringify({ signingSecret }) }),
      );
      const connections = writeConnections({
        polyai: {
          support: { ...SMALLEST.polyai.support, baseUrl: polyai.url, existingSecret: 'polyai/keys' },
        },
        connections: { tickets: { crm: 'zendesk', polyai: 'support', existingSecret: 'crm/zendesk' } },
      });
      const context = [
        '-c',
        `connections=${connections}`,
        '-c',
        'stack=by-hand',
        '--output',
        join(folder, 'by-hand'),
      ];
      cdk('bootstrap', ...context);
      cdk('synth', '--quiet', ...context);
      const deployed = cdk('deploy', '--require-approval', 'never', ...context);
      const [, host = ''] = /by-hand\.WebhooksUrl = http:\/\/([\w-]+)\./.exec(deployed) ?? [];
      const id = polyai.openChat();
      const body = JSON.stringify(zendeskEvent({ externalId: id }));
      const answer = await fetch(`${emulator.endpoint}/_aws/execute-api/${host}/$default/webhooks/tickets`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...signZendesk({ secret: signingSecret, body, at: Date.now() }),
        },
        body,
      });
      expect({ status: answer.status, body: await answer.json() }).toMatchObject({
        status: 200,
        body: { accepted: 1 },
      });
      while (polyai.isOpen(id)) await new Promise((resolve) => setTimeout(resolve, 100));
    },
    3 * MINUTE,
  );
});

describe('npm start beside it', () => {
  it(
    'uses it, and takes its own stack away again',
    async () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/start.ts', '--once'], {
        cwd: ROOT,
        env: { ...process.env, AWS_ENDPOINT_URL: emulator.endpoint },
        encoding: 'utf8',
      });
      expect({ status, output: stdout + stderr }).toMatchObject({
        status: 0,
        output: expect.stringContaining('its emulator at'),
      });
      const { QueueUrls = [] } = await new SQSClient(client()).send(new ListQueuesCommand({}));
      expect(QueueUrls.filter((url) => url.includes('polyai-chat-closer'))).toEqual([]);
      expect(QueueUrls.filter((url) => url.includes('by-hand'))).not.toEqual([]);
    },
    3 * MINUTE,
  );
});

function cdk(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    join(ROOT, 'node_modules/.bin/cdk'),
    [...args, '--no-notices'],
    {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    },
  );
  expect({ command: args[0], status, output: status === 0 ? '' : stdout + stderr }).toEqual({
    command: args[0],
    status: 0,
    output: '',
  });
  return stdout + stderr;
}
