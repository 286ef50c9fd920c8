import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { changeCharacter, prove, zendeskEvent } from '../../samples/delivery.ts';
import { createLedger, type Ledger, type Report } from './ledger.ts';
import { classify, PASSING, REFUSAL_NAMES, REFUSALS } from './polyai-network.ts';
import { createRandom, type Random } from './random.ts';
import { MINUTE, SECOND } from './schedule.ts';

type LiveOptions = { closes: number; seed: number; print: (text: string) => void };

const CONNECTIONS = ['zendesk', 'batches'] as const;
const SENDERS = 8;
const TRIES = 5;
const OUTAGE_MS = 20 * SECOND;
/** Leaves out a close that PolyAI never confirms: it is tried for 74 hours. */
const REFUSED = REFUSAL_NAMES.filter((name) => name !== 'unconfirmed');
const DRAINED_WITHIN_MS = 15 * MINUTE;

/**
 * Sends real deliveries by HTTP to the stack on the emulator of AWS, with faults at PolyAI: its temporary answers for a
 * tenth of the calls, an outage, and keys that are rotated while closes are under way. Counts as in virtual time.
 */
export async function soakLive({ closes, seed, print }: LiveOptions): Promise<{
  report: Report & { left: number };
  rows: [string, string][];
}> {
  const random = createRandom(seed);
  const polyai = await startPolyAI();
  const folder = mkdtempSync(join(tmpdir(), 'polyai-chat-closer-soak-'));
  const file = join(folder, 'connections.json');
  writeFileSync(file, JSON.stringify(configuration()));
  let stack: LocalStack | undefined;
  try {
    stack = await startLocalStack({
      configuration: file,
      polyai,
      stackName: 'closer-soak',
      onStep: print,
    });
    return await run({ stack, polyai, random, seed, closes, print });
  } finally {
    await stack?.stop();
    await polyai.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Live = {
  stack: LocalStack;
  polyai: PolyAIStandIn;
  random: Random;
  seed: number;
  closes: number;
  print: (text: string) => void;
};

async function run(live: Live) {
  const { stack, polyai, random, seed, closes, print } = live;
  const startedAt = Date.now();
  const seconds = () => ((Date.now() - startedAt) / 1000).toFixed(0);
  const windows = [{ trouble: 'outage' as const, from: startedAt, to: startedAt }];
  const ledger = createLedger(
    { windows, during: () => undefined, troubledMs: () => 0, longestCalmMs: (from, to) => to - from },
    Date.now,
  );
  const { startOutage } = playFaults(polyai, ledger, random);
  print(`Sending ${closes} closes`);
  const { deliver, forge } = createSender(live, ledger, await readSecrets(stack));
  let asked = 0;

  async function sendSome(): Promise<void> {
    while (asked < closes) {
      const count = random.chance(0.05) ? 2 + random.index(12) : 1;
      const before = asked;
      asked += count;
      const isPast = (share: number) => before < closes * share && asked >= closes * share;
      if (isPast(0.3)) startOutage();
      if (isPast(0.7)) await rotateKeys(stack, polyai, seed);
      await deliver(count);
      if (random.chance(0.05)) await forge();
    }
  }

  await Promise.all(Array.from({ length: SENDERS }, sendSome));
  print(`Sent in ${seconds()} s. Waiting until the queue is empty`);
  const left = await drained(stack);
  await readDeadLetters(stack, (body, attributes) => ledger.deadLettered(body, attributes));
  const rows: [string, string][] = [
    ['left in the queue', `${left}`],
    ['real time without the deployment', `${seconds()} s`],
  ];
  return { report: { ...ledger.report(polyai.isOpen), left }, rows };
}

/** Lets PolyAI fail at random, refuse some chats, and be out for a while. Records its calls. */
function playFaults(polyai: PolyAIStandIn, ledger: Ledger, random: Random) {
  const expected = new Map<string, (status: number) => ReturnType<typeof classify>>();
  let outageFrom = Number.POSITIVE_INFINITY;

  polyai.behave(({ conversationId = '' }) => {
    const behaviour = chooseBehaviour(conversationId);
    expected.set(conversationId, (status) => answerOf(behaviour, status, conversationId));
    return behaviour;
  });
  polyai.onCall(({ body, headers, status }) => {
    polyai.calls.length = 0;
    const { conversation_id: id } = JSON.parse(body);
    ledger.called(id, polyai.isOpen(id));
    const answer = expected.get(id)?.(status);
    expected.delete(id);
    ledger.answered(id, headers['x-polyai-correlation-id'] ?? '', answer);
  });

  function chooseBehaviour(id: string): Behaviour | undefined {
    const refusedAs = ledger.refusedAs(id);
    const passing = random.chance(0.1) ? random.pick(PASSING) : undefined;
    if (Date.now() >= outageFrom && Date.now() < outageFrom + OUTAGE_MS) {
      return { status: 503, body: { error_message: 'down' } };
    }
    if (refusedAs) {
      const kinds = REFUSALS[refusedAs] ?? [];
      return kinds[id.length % kinds.length];
    }
    return typeof passing === 'string' ? { hang: true } : passing;
  }

  return {
    startOutage: () => {
      outageFrom = Date.now();
    },
  };
}

/** The final answer that the worker hears, if any. */
function answerOf(behaviour: Behaviour | undefined, status: number, id: string) {
  const { body, truncate = false, padToBytes = 0 } = behaviour ?? {};
  if (truncate || padToBytes > 0 || status === 0) return undefined;
  const scripted = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  const text = behaviour?.status === undefined ? '{"success":true}' : scripted;
  return classify(status, status === 410 ? '' : text, id);
}

type Name = (typeof CONNECTIONS)[number];
type Secrets = Record<string, Record<string, string>>;

async function readSecrets(stack: LocalStack): Promise<Secrets> {
  const read = async (name: Name) =>
    [name, await stack.readSecret(stack.secretId('connections', name))] as const;
  return Object.fromEntries(await Promise.all(CONNECTIONS.map(read)));
}

/** The CRMs, and a stranger who forges deliveries. */
function createSender({ stack, polyai, random }: Live, ledger: Ledger, secrets: Secrets) {
  const decoys: string[] = [];

  function open(isAsked: boolean): string {
    const id = polyai.openChat();
    const refusedAs = isAsked && random.chance(0.01) ? random.pick(REFUSED) : undefined;
    ledger.opened(id, 'support', refusedAs ? { refusedAs } : {});
    return id;
  }

  async function deliver(count: number): Promise<void> {
    const chats = Array.from({ length: count }, () => open(true));
    const [id] = chats;
    const name = count === 1 ? 'zendesk' : 'batches';
    const body =
      count === 1 ? zendeskEvent({ externalId: id }) : { chats: chats.map((each) => ({ id: each })) };
    for (const each of chats) ledger.asked(each);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const answer = await post(stack, secrets, name, JSON.stringify(body));
      if (answer.status !== 200) {
        await sleep(1000);
        continue;
      }
      ledger.acknowledged(answer.requestId, chats);
      if (!random.chance(0.03)) return;
      const again = await post(stack, secrets, name, JSON.stringify(body));
      if (again.status === 200) ledger.acknowledged(again.requestId, chats);
      return;
    }
    ledger.gaveUp();
  }

  async function forge(): Promise<void> {
    if (decoys.length < 10) decoys.push(open(false));
    const body = JSON.stringify(zendeskEvent({ externalId: random.pick(decoys) }));
    const { status } = await post(stack, secrets, 'zendesk', body, (headers) => {
      const name = 'x-zendesk-webhook-signature';
      headers[name] = changeCharacter(headers[name] ?? '', 3);
    });
    ledger.forged(status === 200);
  }

  return { deliver, forge };
}

/** Signs and sends a delivery. @returns the status 0 when there was no answer */
async function post(
  stack: LocalStack,
  secrets: Secrets,
  name: Name,
  body: string,
  change: (headers: Record<string, string>) => void = () => {},
): Promise<{ status: number; requestId: string }> {
  const verify = stack.configuration.connections[name]?.verify;
  if (!verify) throw new Error(`there is no connection ${name}`);
  const { headers } = prove(verify, secrets[name] ?? {}, { body, at: Date.now() });
  change(headers);
  try {
    const response = await fetch(stack.webhookUrl(name), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    const { requestId = '' } = (await response.json()) as { requestId?: string };
    return { status: response.status, requestId };
  } catch {
    return { status: 0, requestId: '' };
  }
}

/** PolyAI accepts only the new keys from now on. The stored secret follows a little later. */
async function rotateKeys(stack: LocalStack, polyai: PolyAIStandIn, seed: number): Promise<void> {
  polyai.keys = { apiKey: `key-${seed}-new`, token: `token-${seed}-new` };
  await sleep(3 * SECOND);
  await stack.writeSecret(stack.secretId('polyai', 'support'), polyai.keys);
}

function configuration() {
  return {
    stack: { maxConcurrency: 5 },
    polyai: { support: { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' } },
    connections: {
      zendesk: { crm: 'zendesk', polyai: 'support' },
      batches: {
        crm: 'custom',
        polyai: 'support',
        verify: { scheme: 'bearer' },
        finishedWhen: 'always',
        conversationId: 'body.chats[].id',
      },
    },
  };
}

const createSqs = () => new SQSClient({ useQueueUrlAsEndpoint: false });

/** Waits until the queue is empty. @returns how many messages are left when the time is over */
async function drained({ outputs }: LocalStack): Promise<number> {
  const sqs = createSqs();
  const deadline = Date.now() + DRAINED_WITHIN_MS;
  for (;;) {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: outputs.CloseQueueUrl, AttributeNames: ['All'] }),
    );
    const left =
      Number(Attributes.ApproximateNumberOfMessages) +
      Number(Attributes.ApproximateNumberOfMessagesNotVisible);
    if (left === 0 || Date.now() > deadline) return left;
    await sleep(1000);
  }
}

async function readDeadLetters(
  { outputs }: LocalStack,
  found: (body: string, attributes: { outcome?: string; reason?: string }) => void,
): Promise<void> {
  const sqs = createSqs();
  const QueueUrl = outputs.DeadLetterQueueUrl;
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    );
    if (Messages.length === 0) return;
    for (const { Body = '', MessageAttributes: { outcome, reason } = {} } of Messages) {
      found(Body, {
        ...(outcome?.StringValue && { outcome: outcome.StringValue }),
        ...(reason?.StringValue && { reason: reason.StringValue }),
      });
    }
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}
