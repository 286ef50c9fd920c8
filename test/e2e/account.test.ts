import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStacksCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOCAL_ACCOUNT, LOCAL_REGION } from '../../local/isolation.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { openAws } from '../../operate/aws.ts';
import { type Deployment, readDeployment } from '../../operate/deployment.ts';
import { signZendesk, zendeskEvent } from '../../samples/delivery.ts';
import { REGULATED } from '../support/account.ts';
import { SMALLEST, writeConnections } from '../support/configuration.ts';

// A stack with every setting for accounts with rules, on the local AWS. The emulator encrypts nothing, has no network of
// its own, asks for no client certificate, keeps neither key, network nor limit of a function, and does not know the condition key of
// `queueSenders`. Of these the test reads what the deployed resources have, or test/infra/account.test.ts the template.
// The domain name and the protection are used.

const MINUTE = 60_000;
const STACK = 'closer-account';
const NAME = 'zendesk-support';
const local = <Text extends string>(arn: Text) =>
  arn.replaceAll('eu-west-1', LOCAL_REGION).replaceAll('111122223333', LOCAL_ACCOUNT);
const SETTINGS: typeof REGULATED.stack = JSON.parse(local(JSON.stringify(REGULATED.stack)));
const { encryptionKey, domain, tags } = SETTINGS;

let polyai: PolyAIStandIn;
let deployed: LocalStack;
let deployment: Deployment;

beforeAll(async () => {
  polyai = await startPolyAI();
  const { canary: _, alarms: __, ...stack } = SETTINGS;
  deployed = await startLocalStack({
    configuration: writeConnections({ ...SMALLEST, stack }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: STACK,
    onStep: () => {},
  });
  deployment = await readDeployment(openAws(), STACK);
}, 4 * MINUTE);

afterAll(async () => {
  const off = { StackName: STACK, EnableTerminationProtection: false };
  await new CloudFormationClient({}).send(new UpdateTerminationProtectionCommand(off));
  await deployed?.stop();
  await polyai?.close();
}, MINUTE);

/** Sends a signed delivery to the user's own domain name, which here leads to the emulator. @returns the HTTP status */
async function deliver(externalId: string): Promise<number> {
  const { signingSecret: secret = '' } = await deployed.readSecret(deployed.secretId('connections', NAME));
  const body = JSON.stringify(zendeskEvent({ externalId }));
  const { hostname, port } = new URL(process.env.AWS_ENDPOINT_URL ?? '');
  const sent = request({
    hostname,
    port,
    path: `/webhooks/${NAME}`,
    method: 'POST',
    headers: {
      host: domain.name,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...signZendesk({ secret, body, at: Date.now() }),
    },
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

async function expectClosed(id: string): Promise<void> {
  for (const deadline = Date.now() + MINUTE; polyai.isOpen(id); await sleep(200))
    if (Date.now() > deadline) throw new Error('the chat was not closed in time');
}

describe('the settings together', () => {
  it(
    'let a delivery to the domain name close its chat',
    async () => {
      expect(deployed.outputs.WebhooksUrl).toBe(`https://${domain.name}/webhooks`);
      const id = polyai.openChat();
      expect(await deliver(id)).toBe(200);
      await expectClosed(id);
    },
    2 * MINUTE,
  );
});

describe('the deployed resources have', () => {
  it('the key: queues, secrets and log groups', async () => {
    const { CloseQueueUrl, DeadLetterQueueUrl } = deployed.outputs;
    const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
    for (const QueueUrl of [CloseQueueUrl, DeadLetterQueueUrl]) {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
      );
      expect(Attributes?.KmsMasterKeyId).toBe(encryptionKey);
    }
    for (const SecretId of [deployed.secretId('connections', NAME), deployed.secretId('polyai', 'support')]) {
      const { KmsKeyId } = await new SecretsManagerClient({}).send(new DescribeSecretCommand({ SecretId }));
      expect(KmsKeyId).toBe(encryptionKey);
    }
    const { logGroups = [] } = await new CloudWatchLogsClient({}).send(new DescribeLogGroupsCommand({}));
    const own = logGroups.filter(({ logGroupName }) =>
      Object.values(deployment.logGroups).includes(logGroupName ?? ''),
    );
    expect(own.length).toBeGreaterThan(1);
    expect(own.map(({ kmsKeyId }) => kmsKeyId)).toEqual(own.map(() => encryptionKey));
  });

  it('the tags of the functions', async () => {
    const lambda = new LambdaClient({});
    for (const FunctionName of Object.values(deployment.functions)) {
      const found = await lambda.send(new GetFunctionCommand({ FunctionName }));
      expect(found.Tags).toMatchObject(tags);
    }
  });
});

describe('stack.terminationProtection', () => {
  it('keeps the stack from being deleted', async () => {
    const client = new CloudFormationClient({});
    await expect(client.send(new DeleteStackCommand({ StackName: STACK }))).rejects.toThrow(
      /TerminationProtection/,
    );
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: STACK }));
    expect(Stacks?.[0]?.EnableTerminationProtection).toBe(true);
  });
});
