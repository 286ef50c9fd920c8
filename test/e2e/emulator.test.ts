import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { type Emulator, startEmulator } from '../../local/emulator.ts';
import { isolatedEnvironment } from '../../local/isolation.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { removeRefused } from '../../local/refused-resources.ts';
import { signZendesk, zendeskEvent } from '../../samples/delivery.ts';
import { SMALLEST, temporaryFolder, writeConnections } from '../support/configuration.ts';

// Uses an emulator that is already running at AWS_ENDPOINT_URL.

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
    'deploy the stack with the user’s own secrets and without our scripts, and it closes a chat',
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
      const assembly = join(folder, 'by-hand');
      const context = ['-c', `connections=${connections}`, '--output', assembly];
      cdk('bootstrap', ...context);
      cdk('synth', '--quiet', ...context);
      removeRefused(join(assembly, 'polyai-chat-closer.template.json'));
      const deployed = cdk('deploy', '--require-approval', 'never', '--app', assembly);
      const [, host = ''] = /polyai-chat-closer\.WebhooksUrl = http:\/\/([\w-]+)\./.exec(deployed) ?? [];
      // The commands blocked this process, which has not seen yet that idle connections were closed meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 100));
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

describe('npm start on that emulator', () => {
  it(
    'does not touch the existing stack and secrets, and removes its own at the end',
    async () => {
      const sqs = new SQSClient(client());
      const secrets = new SecretsManagerClient(client());
      const queues = async () => ((await sqs.send(new ListQueuesCommand({}))).QueueUrls ?? []).sort();
      const logs = new CloudWatchLogsClient(client());
      const logGroups = async () =>
        ((await logs.send(new DescribeLogGroupsCommand({}))).logGroups ?? [])
          .map(({ logGroupName }) => logGroupName)
          .sort();
      const groupsBefore = await logGroups();
      const before = await queues();
      expect(before.filter((url) => url.includes('polyai-chat-closer-Closes'))).toHaveLength(1);
      const connections = writeConnections({
        polyai: { support: { ...SMALLEST.polyai.support, existingSecret: 'polyai/keys' } },
        connections: { tickets: { crm: 'zendesk', polyai: 'support', existingSecret: 'crm/zendesk' } },
      });
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['scripts/start.ts', '--once', '--config', connections],
        { cwd: ROOT, env: { ...process.env, AWS_ENDPOINT_URL: emulator.endpoint }, encoding: 'utf8' },
      );
      expect({ status, output: stdout + stderr }).toMatchObject({
        status: 0,
        output: expect.stringContaining('its emulator at'),
      });
      expect(await queues()).toEqual(before);
      expect(await logGroups()).toEqual(groupsBefore);
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'polyai/keys' }));
      expect(JSON.parse(SecretString ?? '')).toEqual(polyai.keys);
      const { SecretList = [] } = await secrets.send(new ListSecretsCommand({}));
      expect(SecretList.map(({ Name }) => Name).sort()).toEqual(['crm/zendesk', 'polyai/keys']);
    },
    3 * MINUTE,
  );
});

describe('two runs at once', () => {
  it(
    'each have their own emulator',
    async () => {
      const start = () => startEmulator(temporaryFolder(), undefined, () => {});
      const both = await Promise.all([start(), start(), start()]);
      expect(new Set(both.map(({ endpoint }) => endpoint)).size).toBe(3);
      await Promise.all(both.map(({ stop }) => stop()));
    },
    MINUTE,
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
