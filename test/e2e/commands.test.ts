import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DisableRuleCommand, EnableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteSecretCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import { PurgeQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { openAws } from '../../operate/aws.ts';
import { type Deployment, readDeployment } from '../../operate/deployment.ts';
import { openDoctorAws } from '../../operate/doctor/aws.ts';
import { examine } from '../../operate/doctor/doctor.ts';
import type { Checked, Finding } from '../../operate/doctor/finding.ts';
import { signZendesk, zendeskEvent } from '../../samples/delivery.ts';
import { runCommand } from '../support/command.ts';
import { writeConnections } from '../support/configuration.ts';
import { whileReleasingLines } from '../support/release-lines.ts';

// Runs the commands on the deployed stack: the doctor over planted faults, and what engineers and administrators use.

const MINUTE = 60_000;
const STACK = 'closer-commands';
/** Neither may ever be printed. */
const CANARY_SECRET = 'tHe-CaNaRy-SeCrEt-0123456789';
const SENTENCE = 'my card was charged twice';

const PROJECTS = {
  support: {
    region: 'uk-1',
    accountId: 'acme-uk',
    projectId: 'PROJECT-191bfa2a',
    cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'], idleFor: '1h', dryRun: false },
  },
};
const CONNECTIONS = {
  tickets: { crm: 'zendesk', polyai: 'support' },
  'in-house': {
    crm: 'custom',
    polyai: 'support',
    verify: { scheme: 'hmac', header: 'x-signature' },
    finishedWhen: "body.status == 'closed'",
    conversationId: 'body.chat.id',
  },
  looks: { crm: 'zendesk', polyai: 'support', lookUp: 'sharedId' },
  events: {
    crm: 'eventbridge',
    polyai: 'support',
    bus: 'desk',
    eventPattern: { source: ['acme.desk'], account: ['000000000000'] },
    conversationId: 'detail.chat',
  },
};

let polyai: PolyAIStandIn;
let local: LocalStack;
let deployment: Deployment;
const folder = mkdtempSync(join(tmpdir(), 'chat-closer-commands-'));
const printed: string[] = [];

beforeAll(async () => {
  polyai = await startPolyAI();
  local = await startLocalStack({
    configuration: writeConnections({
      stack: { alarms: { email: 'on-call@example.com' } },
      polyai: PROJECTS,
      connections: CONNECTIONS,
    }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: STACK,
    onStep: () => {},
  });
  deployment = await readDeployment(openAws(), STACK);
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
  rmSync(folder, { recursive: true });
}, MINUTE);

/** Runs a command. Lines that the emulator holds back are released meanwhile. */
async function run(words: string, input?: string) {
  const ended = await whileReleasingLines(local, () =>
    runCommand([...words.split(' '), '--stack', STACK], input === undefined ? {} : { input }),
  );
  printed.push(ended.stdout, ended.stderr);
  return ended;
}

async function runJson(words: string, input?: string) {
  const { code, stdout, stderr } = await run(`${words} --json`, input);
  expect(stdout, stderr).toMatch(/^\{/);
  return { code, json: JSON.parse(stdout) };
}

const secretName = (kind: 'polyai' | 'connections', name: string) => local.secretId(kind, name);

describe('the doctor', () => {
  async function diagnose(change: Partial<Checked> = {}): Promise<Finding[]> {
    const checked: Checked = {
      deployment,
      file: '/no/such/file.json',
      probe: false,
      aws: { ...openAws(), ...openDoctorAws() },
      now: Date.now,
      progress: () => {},
      signal: new AbortController().signal,
      sleep: (ms) => sleep(ms),
      ...change,
    };
    const { findings } = await examine(checked);
    printed.push(JSON.stringify(findings));
    return findings.filter(({ level }) => level !== 'ok');
  }

  /** What a healthy stack gets here: no file is named. */
  const USUAL = ['configuration'];
  const found = async (change: Partial<Checked> = {}) =>
    (await diagnose(change)).filter(({ check }) => !USUAL.includes(check));

  it('finds nothing wrong with a healthy stack, the worker’s own call included', async () => {
    expect(await whileReleasingLines(local, () => found({ probe: true }))).toEqual([]);
  });

  it('is healthy as a command too', async () => {
    const { code, json } = await runJson('doctor --no-probe');
    expect(json.findings.filter(({ level }: Finding) => level === 'fault')).toEqual([]);
    expect({ code, healthy: json.healthy }).toEqual({ code: 0, healthy: true });
  });

  const SECRETS = new Map<string, unknown>();
  async function withSecret(
    kind: 'polyai' | 'connections',
    name: string,
    value: unknown,
    look: () => Promise<void>,
  ) {
    const id = secretName(kind, name);
    SECRETS.set(id, await local.readSecret(id));
    await local.writeSecret(id, value);
    try {
      await look();
    } finally {
      await local.writeSecret(id, SECRETS.get(id));
    }
  }

  const behaving = async (
    behaviour: (call: { path: string }) => Behaviour | undefined,
    look: () => Promise<void>,
  ) => {
    polyai.behave(behaviour as never);
    try {
      await look();
    } finally {
      polyai.behave(() => undefined);
    }
  };

  it('finds an empty secret', () =>
    withSecret('connections', 'tickets', { signingSecret: '' }, async () => {
      expect(await found()).toMatchObject([
        {
          check: 'secrets',
          level: 'fault',
          subject: 'connection tickets',
          fix: expect.stringContaining('secret set tickets'),
        },
      ]);
    }));

  it('finds a secret of the wrong shape', () =>
    withSecret('connections', 'tickets', { token: CANARY_SECRET }, async () => {
      expect(await found()).toMatchObject([
        { check: 'secrets', level: 'fault', subject: 'connection tickets' },
      ]);
    }));

  it('finds a secret that is about to be deleted', async () => {
    const client = new SecretsManagerClient({});
    const SecretId = secretName('connections', 'in-house');
    await client.send(new DeleteSecretCommand({ SecretId }));
    try {
      expect(await found()).toMatchObject([
        { check: 'secrets', level: 'fault', subject: 'connection in-house' },
      ]);
    } finally {
      await client.send(new RestoreSecretCommand({ SecretId }));
    }
  });

  it('finds an old secret', async () => {
    const later = Date.now() + 400 * 24 * 60 * MINUTE;
    const findings = await found({ now: () => later });
    expect(findings.filter(({ check }) => check === 'secrets').map(({ level }) => level)).toEqual([
      'warning',
      'warning',
      'warning',
      'warning',
    ]);
    // The same fault shows as a clock that is wrong.
    expect(findings.filter(({ check }) => check === 'clock')).toMatchObject([{ level: 'fault' }]);
  });

  it('finds keys that PolyAI does not accept, told apart by what they are for', () =>
    withSecret('polyai', 'support', { apiKey: CANARY_SECRET, token: CANARY_SECRET }, async () => {
      expect((await found()).map(({ check, level }) => `${check}: ${level}`).sort()).toEqual([
        'close key: fault',
        'hand-off key: fault',
        'list key: fault',
      ]);
    }));

  it('finds a project that PolyAI does not know', () =>
    behaving(
      () => ({ status: 404, body: { error_code: 'PROJECT_NOT_FOUND' } }) as Behaviour,
      async () => {
        const findings = await found();
        expect(findings.filter(({ check }) => check === 'close key')).toMatchObject([
          { level: 'fault', sentence: expect.stringContaining('does not know the project') },
        ]);
      },
    ));

  it('finds a PolyAI that does not answer', () =>
    behaving(
      () => ({ status: 503 }) as Behaviour,
      async () => {
        expect((await found()).map(({ check }) => check)).toContain('close key');
      },
    ));

  it('finds an event source that is off', async () => {
    const lambda = new LambdaClient({});
    const FunctionName = deployment.functions.close;
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName }),
    );
    const UUID = EventSourceMappings[0]?.UUID;
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    try {
      expect(await found()).toMatchObject([{ check: 'event source', level: 'fault', subject: 'close' }]);
    } finally {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    }
  });

  it('finds a rule that is off', async () => {
    const rule = deployment.resources.find(({ type }) => type === 'AWS::Events::Rule')?.name ?? '';
    const [bus = '', name] = rule.split('|');
    const target = { Name: (name ?? bus).replace(/^.*\//, ''), EventBusName: 'desk' };
    const client = new EventBridgeClient({});
    await client.send(new DisableRuleCommand(target));
    try {
      expect(await found()).toMatchObject([{ check: 'event rule', level: 'fault' }]);
    } finally {
      await client.send(new EnableRuleCommand(target));
    }
  });

  it('finds dead letters, and says when they are near their end', async () => {
    const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
    const QueueUrl = deployment.outputs.DeadLetterQueueUrl;
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'anything' }));
    try {
      expect(await found()).toMatchObject([{ check: 'dead letters', level: 'warning' }]);
      const old = (await found({ now: () => Date.now() + 11 * 24 * 60 * MINUTE })).filter(
        ({ check }) => check === 'dead letters',
      );
      expect(old).toMatchObject([{ level: 'fault' }]);
    } finally {
      await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    }
  });

  it('finds a configuration that differs from the file, and one with faults', async () => {
    const file = join(folder, 'other.json');
    writeFileSync(file, JSON.stringify({ polyai: PROJECTS, connections: { tickets: CONNECTIONS.tickets } }));
    expect(await diagnose({ file })).toContainEqual(
      expect.objectContaining({ check: 'configuration', level: 'warning' }),
    );
    writeFileSync(file, '{');
    expect(await diagnose({ file })).toContainEqual(
      expect.objectContaining({ check: 'configuration', level: 'fault' }),
    );
  });

  it('finds another version, and a deployment that has failed', async () => {
    const other = { ...deployment, version: '0.0.1', status: 'UPDATE_ROLLBACK_COMPLETE' };
    expect(await found({ deployment: other })).toMatchObject([
      { check: 'stack', level: 'fault' },
      { check: 'version', level: 'warning' },
    ]);
  });

  it('finds alarms that tell nobody', async () => {
    const silent = { ...deployment, resources: [] };
    const findings = await found({ deployment: silent });
    expect(findings).toMatchObject([{ check: 'alarms', level: 'warning' }]);
  });

  it('finds a subscriber who has not confirmed, and a topic that nobody has subscribed to', async () => {
    const real = openDoctorAws();
    const answering = (Subscriptions: object[]) => ({
      send: async (command: object) =>
        command instanceof ListSubscriptionsByTopicCommand
          ? { Subscriptions }
          : real.sns.send(command as never),
    });
    const withSns = (Subscriptions: object[]) =>
      found({ aws: { ...openAws(), ...real, sns: answering(Subscriptions) as never } });
    expect(
      await withSns([{ SubscriptionArn: 'PendingConfirmation', Endpoint: 'on-call@example.com' }]),
    ).toMatchObject([
      { check: 'subscribers', level: 'fault', sentence: expect.stringContaining('on-call@example.com') },
    ]);
    expect(await withSns([])).toMatchObject([{ check: 'subscribers', level: 'fault' }]);
  });

  it('rings an alarm, after a question', async () => {
    expect((await run('doctor --ring')).code).toBe(2);
    expect(await runJson('doctor --ring --yes')).toMatchObject({ code: 0, json: { rang: true } });
  });
});

describe('for the engineer', () => {
  it('secret list says which secrets can be used', async () => {
    const { code, json } = await runJson('secret list');
    expect(code).toBe(0);
    expect(
      json.secrets.map(({ usedBy, filled, shape }: Record<string, unknown>) => [usedBy, filled, shape]),
    ).toEqual([
      ['project support', true, 'ok'],
      ['connection tickets', true, 'ok'],
      ['connection in-house', true, 'ok'],
      ['connection looks', true, 'ok'],
    ]);
  });

  it('secret set stores what was piped in, which the next delivery uses, and rotate accepts both', async () => {
    expect((await run('secret set tickets', `${CANARY_SECRET}\n`)).code).toBe(0);
    expect(await local.readSecret(secretName('connections', 'tickets'))).toEqual({
      signingSecret: CANARY_SECRET,
    });
    expect((await run('secret rotate tickets --generate')).code).toBe(0);
    const { signingSecret } = (await local.readSecret(secretName('connections', 'tickets'))) as never as {
      signingSecret: string[];
    };
    expect(signingSecret).toEqual([expect.stringMatching(/^\w{48}$/), CANARY_SECRET]);
    const body = JSON.stringify(zendeskEvent({ current: 'OPEN', externalId: 'CONV-none' }));
    const post = async (secret: string) => {
      const headers = {
        'content-type': 'application/json',
        ...signZendesk({ secret, body, at: Date.now() }),
      };
      return (await fetch(local.webhookUrl('tickets'), { method: 'POST', body, headers })).status;
    };
    expect(await Promise.all(signingSecret.map(post))).toEqual([200, 200]);
    expect((await run('secret rotate tickets --finish')).code).toBe(0);
    // The receiver may use what it has read for five minutes, so only the store is checked.
    expect(await local.readSecret(secretName('connections', 'tickets'))).toEqual({
      signingSecret: signingSecret[0],
    });
    expect((await run('secret rotate support')).code).toBe(2);
  });

  it('secret show asks on a terminal, and then shows a generated secret; secret set does not echo', async () => {
    const { signingSecret = '' } = await local.readSecret(secretName('connections', 'in-house'));
    const no = await onTerminal('secret show in-house', [['Show the secret', 'n']]);
    expect(no).not.toContain(signingSecret.slice(0, 12));
    const yes = await onTerminal('secret show in-house', [['Show the secret', 'y']]);
    expect(yes).toContain(JSON.stringify(signingSecret).slice(1, 12));
    expect(await onTerminal('secret show tickets', [])).toContain('issued by the CRM');
    const typed = 'typed-0123456789-on-a-terminal';
    const set = await onTerminal('secret set tickets', [['signingSecret of tickets', typed]]);
    expect(set).toContain('Stored in');
    expect(set).not.toContain(typed);
    expect(await local.readSecret(secretName('connections', 'tickets'))).toEqual({ signingSecret: typed });
  });

  it('secret set refuses what the function could not use, and keeps the old value', async () => {
    const before = await local.readSecret(secretName('polyai', 'support'));
    const { code, stderr } = await run(
      'secret set support',
      JSON.stringify({ apiKey: `${CANARY_SECRET} x`, token: 'b' }),
    );
    expect(code).toBe(2);
    expect(stderr).toContain('"apiKey"');
    expect(await local.readSecret(secretName('polyai', 'support'))).toEqual(before);
  });

  it('diff names what would change for traffic', async () => {
    const file = join(folder, 'next.json');
    const { tickets, 'in-house': inHouse } = CONNECTIONS;
    const project = { ...PROJECTS.support, baseUrl: polyai.url };
    const next = {
      stack: { alarms: { email: 'on-call@example.com' } },
      polyai: { support: project },
      connections: { tickets: { ...tickets, rehearse: true }, 'in-house': inHouse },
    };
    writeFileSync(file, JSON.stringify(next));
    const { code, json } = await runJson(`diff --config ${file}`);
    expect(code).toBe(0);
    const kinds = json.changes.map(({ kind, subject }: Record<string, unknown>) => `${subject}: ${kind}`);
    expect(kinds).toEqual([
      'connection events: address',
      'connection looks: address',
      'connection looks: secret',
      'connection tickets: rehearsal',
    ]);
  });

  it('init, connection and explain agree on the connection', async () => {
    const { json } = await runJson('connection in-house');
    expect(json).toMatchObject({
      name: 'in-house',
      idField: 'body.chat.id',
      headers: ['x-signature'],
      state: { secret: { filled: true } },
    });
    const { stdout } = await run('connection in-house --html');
    expect(stdout).toMatch(/^<!doctype html>/);
    expect(stdout).toContain('/webhooks/in-house');
  });
});

describe('for whoever is on call', () => {
  it('open lists the chats, the oldest first, and close closes one', async () => {
    const [first, second] = [polyai.openChat(PROJECTS.support), polyai.openChat(PROJECTS.support)];
    const { json } = await runJson('open support');
    const ids = json.chats.map(({ conversationId }: { conversationId: string }) => conversationId);
    expect(ids).toEqual(expect.arrayContaining([first, second]));
    expect(json.chats[0].cleanup).toBe('recently_active');
    expect((await run(`close support ${first}`)).code).toBe(2);
    expect(polyai.isOpen(first)).toBe(true);
    expect(await runJson(`close support ${first} --yes`)).toMatchObject({
      code: 0,
      json: { outcome: 'closed', final: true },
    });
    expect(polyai.isOpen(first)).toBe(false);
    expect((await run('close suport CONV-1 --yes')).stderr).toContain('Did you mean "support"?');
  });

  it('cleanup says what it would close, and runs', async () => {
    expect(await runJson('cleanup support --dry-run')).toMatchObject({
      code: 0,
      json: { dry_run: true, complete: true, queued: 0 },
    });
    expect(await runJson('cleanup support')).toMatchObject({
      code: 0,
      json: { dry_run: false, complete: true },
    });
  });

  it('redrive plans, moves exactly the planned closes, and says what came of them', async () => {
    const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
    const chats = [polyai.openChat(PROJECTS.support), polyai.openChat(PROJECTS.support)];
    for (const [index, conversationId] of chats.entries()) {
      const text = (StringValue: string) => ({ DataType: 'String', StringValue });
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: deployment.outputs.DeadLetterQueueUrl,
          MessageBody: JSON.stringify({
            v: 1,
            requestId: `planted-${index}`,
            source: 'webhook',
            project: 'support',
            connection: 'tickets',
            crm: 'zendesk',
            conversationId,
            receivedAt: new Date().toISOString(),
          }),
          MessageAttributes: { outcome: text('unavailable'), reason: text('PolyAI answered 503') },
        }),
      );
    }
    expect((await runJson('status')).json.troubles).toContainEqual(
      expect.objectContaining({ cause: 'dead_letters', chats: 2 }),
    );
    const listed = await runJson('redrive --list');
    expect(listed.json.selected.map((each: Record<string, unknown>) => each.conversation).sort()).toEqual(
      [...chats].sort(),
    );
    const { code, json } = await runJson(`redrive --plan --yes --conversation ${chats[0]}`);
    expect(code).toBe(0);
    expect(json).toMatchObject({
      moved: 1,
      plan: [{ conversation: chats[0], predicted: { outcome: 'closed' } }],
      outcomes: { closed: 1 },
    });
    expect(polyai.isOpen(chats[0] ?? '')).toBe(false);
    expect(polyai.isOpen(chats[1] ?? '')).toBe(true);
    expect((await run('redrive --yes')).code).toBe(0);
    expect((await runJson('replay --outcome not_found --since 1h --plan --yes')).code).toBe(0);
  });

  it('listen says which step a delivery has reached, and what is missing', async () => {
    const listening = run('listen in-house --for 1m --once --json');
    // A busy machine takes seconds to start it, and what arrives before is not heard.
    await sleep(6000);
    const { signingSecret = '' } = await local.readSecret(secretName('connections', 'in-house'));
    const post = (body: object) => sendSigned(signingSecret, JSON.stringify(body));
    await fetch(local.webhookUrl('in-house'), { method: 'POST', body: '{}' });
    await post({ status: 'closed', comment: SENTENCE });
    await post({ status: 'closed', chat: { id: polyai.openChat(PROJECTS.support) }, comment: SENTENCE });
    const { code, stdout } = await listening;
    const heard = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    // The worker's line may be there before the receiver's, and then the close is not announced as queued.
    const told = heard.filter(({ step }) => step !== 'queued');
    expect(told.map(({ step }) => step)).toEqual(['arrived', 'finished', 'closed']);
    expect(told.map(({ missing }) => missing !== undefined)).toEqual([true, true, false]);
    expect(heard.filter(({ step }) => step === 'queued').every(({ missing }) => missing === undefined)).toBe(
      true,
    );
    expect(code).toBe(0);
  });

  it('mcp answers its own protocol’s client, and reads only', async () => {
    const client = new Client({ name: 'test', version: '0' });
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([, value]) => value !== undefined),
    ) as Record<string, string>;
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: ['commands/chat-closer.ts', 'mcp', '--stack', STACK],
        cwd: ROOT,
        env,
      }),
    );
    try {
      const { structuredContent } = await client.callTool({
        name: 'open',
        arguments: { project: 'support' },
      });
      expect(structuredContent).toMatchObject({ project: 'support' });
      const wrong = await client.callTool({ name: 'open', arguments: { project: 'suport' } });
      expect(wrong).toMatchObject({ isError: true });
      printed.push(JSON.stringify(await client.callTool({ name: 'why', arguments: { id: 'CONV-none' } })));
    } finally {
      await client.close();
    }
  });

  it('nothing that was printed has a secret or a customer’s sentence', () => {
    const all = printed.join('\n');
    expect(all.length).toBeGreaterThan(5000);
    for (const secret of [CANARY_SECRET, SENTENCE, ...Object.values(polyai.keys)])
      expect(all).not.toContain(secret);
  });
});

/** Starts a program on a pseudo-terminal and copies between it and this process. */
const TERMINAL = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)';

/**
 * Runs a command on a terminal.
 *
 * @param answers what to type after each text has appeared
 * @returns everything that the terminal showed
 */
async function onTerminal(words: string, answers: [after: string, typed: string][]): Promise<string> {
  const args = [
    '-c',
    TERMINAL,
    process.execPath,
    'commands/chat-closer.ts',
    ...words.split(' '),
    '--stack',
    STACK,
  ];
  const child = spawn('python3', args, { cwd: ROOT, env: { ...process.env, TERM: 'xterm' } });
  let shown = '';
  const waiting = [...answers];
  child.stdout.on('data', (chunk) => {
    shown += chunk;
    const [next] = waiting;
    if (!next || !shown.includes(next[0])) return;
    waiting.shift();
    setTimeout(() => child.stdin.write(`${next[1]}\r`), 300);
  });
  await once(child, 'close');
  return shown;
}

async function sendSigned(secret: string, body: string): Promise<void> {
  const { createHmac } = await import('node:crypto');
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-signature': signature };
  const { status } = await fetch(local.webhookUrl('in-house'), { method: 'POST', headers, body });
  expect(status).toBe(200);
}
