import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { canaryConversationId, canaryDelivery } from '../../functions/canary-delivery.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { SMALLEST, writeConnections } from '../support/configuration.ts';
import { readNewLines } from '../support/release-lines.ts';

// Runs the canary on the deployed stack, with IAM enforced, from its function to PolyAI's endpoint and the log.

const MINUTE = 60_000;
const STACK = 'closer-canary';

let polyai: PolyAIStandIn;
let local: LocalStack;
const lines: LoggedLine[] = [];

beforeAll(async () => {
  polyai = await startPolyAI();
  local = await startLocalStack({
    configuration: writeConnections({
      ...SMALLEST,
      stack: { canary: { schedule: 'rate(1 day)', polyai: 'support' } },
    }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: STACK,
    isIamEnforced: true,
    onStep: () => {},
  });
}, 4 * MINUTE);

afterEach(() => polyai.behave(undefined));

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

/** Invokes the deployed function, as its schedule does. */
async function runCanary(): Promise<void> {
  const client = new LambdaClient({});
  const { Functions = [] } = await client.send(new ListFunctionsCommand({}));
  const FunctionName = Functions.map((each) => each.FunctionName).find((name) =>
    name?.startsWith(`${STACK}-Canary`),
  );
  const { FunctionError, Payload } = await client.send(new InvokeCommand({ FunctionName }));
  if (FunctionError) throw new Error(Buffer.from(Payload ?? []).toString());
}

/** Waits for a line that was not seen before. */
async function nextLine(type: string): Promise<LoggedLine> {
  for (const deadline = Date.now() + MINUTE; Date.now() < deadline; await sleep(500)) {
    lines.push(...(await readNewLines(local)));
    const index = lines.findIndex((line) => line.type === type);
    if (index >= 0) return lines.splice(index, 1)[0] as LoggedLine;
  }
  throw new Error(`no line of the type ${type} came in time`);
}

async function deadLetters(): Promise<unknown[]> {
  const { Messages = [] } = await new SQSClient({ useQueueUrlAsEndpoint: false }).send(
    new ReceiveMessageCommand({ QueueUrl: local.outputs.DeadLetterQueueUrl, VisibilityTimeout: 0 }),
  );
  return Messages;
}

describe('the canary on the deployed stack', () => {
  it(
    'goes through gateway, receiver, queue and worker to PolyAI, and closes nothing',
    async () => {
      const chats = [polyai.openChat(), polyai.openChat()];
      await runCanary();
      const run = await nextLine('canary');
      expect(run).toMatchObject({ answer: 200, accepted: 1, answer_ms: expect.any(Number) });
      const request_id = run.request_id;
      expect(await nextLine('delivery')).toMatchObject({ request_id, connection: 'canary', canary: true });
      expect(await nextLine('close')).toMatchObject({
        request_id,
        conversation_id: run.conversation_id,
        outcome: 'already_ended',
        final: true,
        canary: true,
        healthy: 1,
        queued_ms: expect.any(Number),
        took_ms: expect.any(Number),
      });
      expect(chats.every((id) => polyai.isOpen(id))).toBe(true);
      expect(polyai.calls.map(({ status }) => status)).toEqual([404]);
      expect(lines.filter(({ type }) => type === 'fault')).toEqual([]);
    },
    2 * MINUTE,
  );

  it(
    'is not healthy with keys that PolyAI refuses, and makes no dead letter',
    async () => {
      polyai.behave(() => ({ status: 401, body: {} }));
      await runCanary();
      expect(await nextLine('close')).toMatchObject({
        outcome: 'unauthorized',
        final: true,
        canary: true,
        healthy: 0,
      });
      expect(await deadLetters()).toEqual([]);
    },
    2 * MINUTE,
  );
});

describe('somebody else at the address of the canary', () => {
  const id = canaryConversationId('somebody');

  async function send({ headers, body }: { headers: Record<string, string>; body: string }) {
    const response = await fetch(local.webhookUrl('canary'), { method: 'POST', headers, body });
    return { status: response.status, body: await response.json() };
  }

  it('is refused with a forged delivery', async () => {
    expect(await send(canaryDelivery('a guess', id, Date.now()))).toMatchObject({
      status: 401,
      body: { code: 'signature_mismatch' },
    });
  });

  it('is refused without a signature', async () => {
    const { body } = canaryDelivery('a guess', id, Date.now());
    expect(await send({ headers: {}, body })).toMatchObject({
      status: 401,
      body: { code: 'signature_missing' },
    });
  });

  it('closes no chat even with the secret', async () => {
    const chat = polyai.openChat();
    const { signingSecret = '' } = await local.readSecret(local.secretId('connections', 'canary'));
    expect(signingSecret).toHaveLength(48);
    expect(await send(canaryDelivery(signingSecret, chat, Date.now()))).toMatchObject({
      status: 200,
      body: { accepted: 0 },
    });
    expect(polyai.isOpen(chat)).toBe(true);
  });
});
