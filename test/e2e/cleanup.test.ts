import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type Listed, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { SMALLEST, writeConnections } from '../support/configuration.ts';
import { readNewLines } from '../support/release-lines.ts';

// Runs the scheduled cleanup on the deployed stack, on the emulator of AWS. The function is invoked as Scheduler does,
// and one schedule fires automatically.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const [BIG, CAPPED, DRY, TIMED] = ['PROJECT-big', 'PROJECT-capped', 'PROJECT-dry', 'PROJECT-timed'] as const;
const CHANNELS = ['CHAT', 'WEBCHAT'];

const project = (projectId: string, cleanup: object) => ({
  region: 'uk-1',
  accountId: 'acme-uk',
  projectId,
  cleanup: { schedule: 'rate(1 hour)', channels: CHANNELS, ...cleanup },
});

let polyai: PolyAIStandIn;
let local: LocalStack;
let functionName: string | undefined;
const lines: LoggedLine[] = [];
const lambda = () => new LambdaClient({});

beforeAll(async () => {
  polyai = await startPolyAI({
    keys: { apiKey: 'key-that-closes', token: 'connector', conversationsApiKey: 'key-that-lists' },
  });
  local = await startLocalStack({
    configuration: writeConnections({
      polyai: {
        big: project(BIG, { dryRun: false, maxCloses: 5000 }),
        capped: project(CAPPED, { dryRun: false, maxCloses: 40 }),
        dry: project(DRY, {}),
        timed: project(TIMED, { dryRun: false, schedule: 'rate(1 minute)' }),
      },
      connections: { 'zendesk-support': { ...SMALLEST.connections['zendesk-support'], polyai: 'big' } },
    }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: 'closer-cleanup',
    onStep: () => {},
  });
  const { Functions = [] } = await lambda().send(new ListFunctionsCommand({}));
  functionName = Functions.map(({ FunctionName }) => FunctionName).find((name) =>
    /^closer-cleanup-Cleanup/.test(name ?? ''),
  );
}, 4 * MINUTE);

afterEach(() => polyai.behave(undefined));

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

type Summary = Record<string, unknown> & { skipped: Record<string, number> };

/** Runs the deployed function for a project, as its schedule does. */
async function run(name: string): Promise<Summary> {
  const Payload = JSON.stringify({ project: name });
  const answer = await lambda().send(new InvokeCommand({ FunctionName: functionName, Payload }));
  const payload = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError) throw new Error(payload);
  return JSON.parse(payload);
}

function open(projectId: string, listed: Partial<Listed>): string {
  return polyai.openChat({ accountId: 'acme-uk', projectId }, listed);
}

/** A time in the last two weeks, long enough ago to be stale. */
const stale = (index: number): Partial<Listed> => ({
  channel: CHANNELS[index % 2] as string,
  startedAt: Date.now() - 13 * HOUR - ((index * 7919) % 312) * HOUR,
  turns: [{ user_input: 'hello', user_input_datetime: new Date(Date.now() - 12.5 * HOUR).toISOString() }],
});

async function until(isSo: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it did not come about in time');
    await sleep(200);
  }
}

async function lineOf(requestId: unknown): Promise<LoggedLine | undefined> {
  const find = () => lines.find(({ type, request_id }) => type === 'cleanup' && request_id === requestId);
  await until(async () => {
    lines.push(...(await readNewLines(local)));
    return find() !== undefined;
  }, MINUTE);
  return find();
}

const closesOf = (id: string) =>
  polyai.calls.filter(({ path, body }) => path.endsWith('/chat/close') && body.includes(`"${id}"`));

describe('a real run', () => {
  it(
    'closes exactly the stale chats of thousands, and a second run finds none',
    async () => {
      const expected = Array.from({ length: 1000 }, (_, index) => open(BIG, stale(index)));
      const active = { turns: [{ agent_response_datetime: new Date().toISOString() }] };
      const others = Array.from({ length: 500 }, (_, index) => [
        open(BIG, { ...stale(index), ...active }),
        open(BIG, { ...stale(index), channel: 'VOICE-SIP' }),
        open(BIG, { ...stale(index), channel: 'SMS' }),
        open(BIG, { ...stale(index), environment: 'sandbox' }),
      ]).flat();
      const never = [
        open(BIG, { ...stale(0), conversationId: `CA${'0123456789abcdef'.repeat(2)}` }),
        open(BIG, { ...stale(1), conversationId: 'TW_SMS_1' }),
        open(BIG, { ...stale(2), conversationId: 'OUT-1' }),
        open(BIG, { ...stale(3), startedAt: Date.now() - HOUR, turns: [] }),
        open(BIG, { ...stale(4), startedAt: Date.now() - 15 * DAY }),
        open(CAPPED, { ...stale(5), environment: 'sandbox' }),
      ];
      const first = await run('big');
      expect(first).toMatchObject({
        project: 'big',
        dry_run: false,
        complete: true,
        open: 2503,
        stale: 1000,
        queued: 1000,
        skipped: { recently_active: 500, voice: 500, channel_not_listed: 500, voice_or_sms_id: 3 },
      });
      expect(first.pages).toBeGreaterThanOrEqual(25);
      await until(() => expected.every((id) => !polyai.isOpen(id)), 4 * MINUTE);
      expect([...others, ...never].filter((id) => !polyai.isOpen(id))).toEqual([]);

      const second = await run('big');
      expect(second).toMatchObject({ complete: true, open: 1503, stale: 0, queued: 0 });
      expect([...others, ...never].flatMap(closesOf)).toEqual([]);
      const { skipped: _skipped, ...counts } = second;
      expect(await lineOf(second.request_id)).toMatchObject({ type: 'cleanup', ...counts });
    },
    6 * MINUTE,
  );

  it(
    'lists with its own key, and asks for the open chats of one environment in time spans, the oldest first',
    async () => {
      await run('big');
      const asked = polyai.calls.filter(({ path }) => path.startsWith(`/v3/acme-uk/${BIG}/conversations?`));
      expect(new Set(asked.map(({ headers }) => headers['x-api-key']))).toEqual(new Set(['key-that-lists']));
      expect(asked.every(({ headers }) => headers['x-token'] === undefined)).toBe(true);
      const queries = asked.map(({ path }) => Object.fromEntries(new URL(path, polyai.url).searchParams));
      expect(queries[0]).toMatchObject({ in_progress: 'true', client_env: 'live', limit: '100' });
      const starts = queries.slice(-14).map(({ start_time }) => start_time);
      expect(starts).toEqual([...starts].sort());
    },
    2 * MINUTE,
  );
});

describe('a dry run', () => {
  it(
    'logs what it would close, and closes nothing',
    async () => {
      const ids = Array.from({ length: 250 }, (_, index) => open(DRY, stale(index)));
      const summary = await run('dry');
      expect(summary).toMatchObject({ dry_run: true, complete: true, open: 250, stale: 250, queued: 0 });
      expect(summary.would_queue).toBe(200);
      await sleep(2000);
      expect(ids.every((id) => polyai.isOpen(id))).toBe(true);
      expect(ids.flatMap(closesOf)).toEqual([]);
    },
    2 * MINUTE,
  );
});

describe('a run with a cap', () => {
  it(
    'closes no more than its cap even if half of the list calls fail, and later runs close the rest',
    async () => {
      const ids = Array.from({ length: 100 }, (_, index) => open(CAPPED, stale(index)));
      let asked = 0;
      polyai.behave(({ path }) => {
        if (!path.startsWith('/v3/')) return undefined;
        asked += 1;
        return [{ status: 503 }, undefined, { status: 429, headers: { 'retry-after': '0' } }, undefined][
          asked % 4
        ];
      });
      const openOnes = () => ids.filter((id) => polyai.isOpen(id)).length;
      for (const [staleNow, left] of [
        [100, 60],
        [60, 20],
        [20, 0],
      ] as const) {
        const summary = await run('capped');
        expect(summary).toMatchObject({ complete: true, stale: staleNow, queued: staleNow - left });
        await until(() => openOnes() === left, MINUTE);
      }
      expect(polyai.calls.filter(({ status }) => status === 503 || status === 429).length).toBeGreaterThan(
        40,
      );
    },
    4 * MINUTE,
  );

  it(
    'queues the stale chats that it knows when the list fails, and logs that it is not complete',
    async () => {
      const [early, late] = [13 * DAY, DAY].map((age) => open(CAPPED, { startedAt: Date.now() - age })) as [
        string,
        string,
      ];
      let asked = 0;
      polyai.behave(({ path }) => {
        asked += Number(path.startsWith('/v3/'));
        return asked > 3 && path.startsWith('/v3/') ? { status: 200, body: '<html>' } : undefined;
      });
      const summary = await run('capped');
      expect(summary).toMatchObject({ complete: false, stale: 1, queued: 1 });
      await until(() => !polyai.isOpen(early), MINUTE);
      expect(polyai.isOpen(late)).toBe(true);
      await lineOf(summary.request_id);
      const fault = lines.find(
        ({ type, request_id }) => type === 'fault' && request_id === summary.request_id,
      );
      expect(fault).toMatchObject({ where: 'cleanup: list', error: { name: 'WalkStopped' } });
    },
    2 * MINUTE,
  );
});

describe('a schedule', () => {
  it(
    'runs the cleanup of its project automatically',
    async () => {
      const id = open(TIMED, stale(0));
      await until(() => !polyai.isOpen(id), 3 * MINUTE);
      await until(async () => {
        lines.push(...(await readNewLines(local)));
        return lines.some(({ type, conversation_id }) => type === 'close' && conversation_id === id);
      }, MINUTE);
      const closed = lines.find(({ type, conversation_id }) => type === 'close' && conversation_id === id);
      expect(closed).toMatchObject({ outcome: 'closed', final: true, source: 'cleanup', project: 'timed' });
      expect(await lineOf(closed?.request_id)).toMatchObject({ project: 'timed', stale: 1, queued: 1 });
    },
    5 * MINUTE,
  );
});

describe('what is logged', () => {
  it('contains no customer text and no key', async () => {
    const everything = (await local.log.readAll()).join('\n');
    expect(everything).toContain('"type":"cleanup"');
    for (const secret of ['hello', '+441632960000', 'key-that-lists', 'key-that-closes']) {
      expect(everything).not.toContain(secret);
    }
  });
});
