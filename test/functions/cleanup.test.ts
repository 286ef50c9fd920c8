import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Summary } from '../../functions/cleanup/run-line.ts';
import { type CleanupParts, createCleanup } from '../../functions/cleanup.lambda.ts';
import { type CloseRequest, parseCloseRequest } from '../../functions/close-request.ts';
import type { CleanupProject } from '../../functions/connections.ts';
import { createSecretReader } from '../../functions/secrets.ts';
import { HOUR_MS, MINUTE_MS } from '../../functions/time.ts';
import { type Behaviour, type Listed, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { inOrderOfSchema } from '../support/line-order.ts';

vi.setConfig({ testTimeout: MINUTE_MS });

const DAY = 24 * HOUR_MS;
const NOW = Date.parse('2026-08-01T12:00:00.000Z');
const OWNER = { accountId: 'acme-uk', projectId: 'PROJECT-1' };
const REQUEST_ID = 'e7a6ad1c-1e3c-4a7e-9d5b-0f1f2f3f4f5f';

let polyai: PolyAIStandIn;

beforeEach(async () => {
  polyai = await startPolyAI();
});
afterEach(() => polyai.close());

type Own = Partial<CleanupParts> & { cleanup?: Partial<CleanupProject['cleanup']>; remainingMs?: number };

/** A cleanup of one project, not dry, on a clock that only waiting moves. `own` replaces parts of it. */
function createRun({ cleanup = {}, remainingMs = 15 * MINUTE_MS, ...parts }: Own = {}) {
  const lines: LoggedLine[] = [];
  const queued: CloseRequest[] = [];
  const calls: number[] = [];
  const waits: number[] = [];
  const clock = { now: NOW };
  const vault = { text: JSON.stringify(polyai.keys), reads: 0, fails: undefined as Error | undefined };
  const project: CleanupProject = {
    ...OWNER,
    region: 'uk-1',
    baseUrl: polyai.url,
    version: 'v1',
    secretId: 'closer/polyai/support/secret',
    clientEnv: 'live',
    cleanup: {
      idleForMs: 12 * HOUR_MS,
      lookbackMs: 14 * DAY,
      channels: ['CHAT'],
      maxCloses: 200,
      dryRun: false,
      periodMs: HOUR_MS,
      ...cleanup,
    },
  };
  const run = createCleanup({
    projects: { support: project },
    secrets: createSecretReader(
      async () => {
        vault.reads += 1;
        if (vault.fails) throw vault.fails;
        return { SecretString: vault.text };
      },
      () => clock.now,
    ),
    queue: async (requests) => {
      calls.push(requests.length);
      queued.push(...requests);
    },
    fetch,
    writeLine: (line) => lines.push(line),
    now: () => clock.now,
    sleep: async (ms) => {
      waits.push(ms);
      clock.now += ms;
    },
    random: () => 0.5,
    ...parts,
  });
  const context = {
    awsRequestId: REQUEST_ID,
    getRemainingTimeInMillis: () => remainingMs - (clock.now - NOW),
  };
  return {
    run: (event: unknown = { project: 'support' }): Promise<Summary> => run(event, context),
    lines,
    queued,
    calls,
    waits,
    clock,
    vault,
    faults: () => lines.filter(({ type }) => type === 'fault'),
  };
}

function open(listed: Partial<Listed> = {}): string {
  return polyai.openChat(OWNER, { startedAt: NOW - DAY, ...listed });
}

const openMany = (count: number) =>
  Array.from({ length: count }, (_, index) => open({ startedAt: NOW - DAY - index }));
const idsOf = (requests: CloseRequest[]) => requests.map(({ conversationId }) => conversationId).sort();
const isList = (path: string) => path.startsWith('/v3/');

describe('a run', () => {
  it('queues a close for each stale chat, which expires when the next run is due', async () => {
    const [one, two] = [open(), open({ startedAt: NOW - 13 * DAY })];
    const { run, queued } = createRun();
    expect(await run()).toMatchObject({ complete: true, open: 2, stale: 2, queued: 2, skipped: {} });
    expect(idsOf(queued)).toEqual([one, two].sort());
    expect(queued[0]).toEqual({
      v: 1,
      requestId: REQUEST_ID,
      source: 'cleanup',
      project: 'support',
      conversationId: expect.any(String),
      receivedAt: '2026-08-01T12:00:00.000Z',
      expiresAt: '2026-08-01T13:00:00.000Z',
    });
    expect(queued.map((request) => parseCloseRequest(JSON.stringify(request)))).toEqual(queued);
  });

  it('writes one line with all its figures', async () => {
    open({ startedAt: NOW - 2 * DAY });
    open({ channel: 'VOICE-SIP', startedAt: NOW - 9 * DAY });
    open({ turns: [{ user_input: 'I am Jane', user_input_datetime: new Date(NOW).toISOString() }] });
    const { run, lines } = createRun();
    const summary = await run();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(JSON.stringify(lines[0]))).toEqual({
      type: 'cleanup',
      request_id: REQUEST_ID,
      project: 'support',
      dry_run: false,
      complete: true,
      open: 3,
      stale: 1,
      queued: 1,
      skipped: { voice: 1, recently_active: 1 },
      oldest_open_at: '2026-07-30T12:00:00.000Z',
      oldest_open_s: 2 * 86_400,
      pages: 14,
      took_ms: 0,
    });
    expect(Object.keys(lines[0] ?? {})).toEqual(inOrderOfSchema('cleanup', lines[0]));
    expect(JSON.stringify(lines)).not.toMatch(/Jane|\+44/);
    expect(lines[0]).toMatchObject(JSON.parse(JSON.stringify(summary)));
  });

  it('that is dry reports what it would queue, and queues nothing', async () => {
    openMany(7);
    const { run, calls, lines } = createRun({ cleanup: { dryRun: true, maxCloses: 5 } });
    expect(await run()).toMatchObject({ dry_run: true, complete: true, stale: 7, queued: 0, would_queue: 5 });
    expect(calls).toEqual([]);
    expect(lines[0]).toMatchObject({ dry_run: true, queued: 0 });
  });

  it('reports an age of 0 when no chat is open', async () => {
    const { run, lines, calls } = createRun();
    const summary = await run();
    expect(summary).toMatchObject({ complete: true, open: 0, stale: 0, queued: 0 });
    expect(summary.oldest_open_at).toBeUndefined();
    expect(lines[0]).toMatchObject({ oldest_open_s: 0 });
    expect(calls).toEqual([]);
  });

  it('reads many pages, and counts a chat that is on two of them once', async () => {
    const ids = openMany(450);
    // A chat that began where two windows meet is in both.
    const shared = open({ startedAt: NOW - 13 * DAY });
    const { run, queued } = createRun({ cleanup: { maxCloses: 1000 } });
    expect(await run()).toMatchObject({ open: 451, stale: 451, queued: 451 });
    expect(idsOf(queued)).toEqual([...ids, shared].sort());
  });

  it('queues a hundred closes at once', async () => {
    openMany(250);
    const { run, calls } = createRun({ cleanup: { maxCloses: 1000 } });
    await run();
    expect(calls).toEqual([100, 100, 50]);
  });

  it('looks no further back than lookbackMs', async () => {
    open({ startedAt: NOW - 14 * DAY - 1 });
    open({ startedAt: NOW - 12 * HOUR_MS + 1 });
    const { run } = createRun();
    expect(await run()).toMatchObject({ complete: true, open: 0 });
    const spans = polyai.calls.map(({ path }) => new URL(path, polyai.url).searchParams);
    expect(spans[0]?.get('start_time')).toBe(new Date(NOW - 14 * DAY).toISOString());
    expect(spans.at(-1)?.get('end_time')).toBe(new Date(NOW - 12 * HOUR_MS).toISOString());
  });

  it('takes a random sample when more chats are stale than it may close', async () => {
    const ids = openMany(300);
    const chosen = new Set<string | undefined>();
    for (let round = 0; round < 12; round += 1) {
      const { run, queued } = createRun({ cleanup: { maxCloses: 100 }, random: Math.random });
      expect(await run()).toMatchObject({ stale: 300, queued: 100 });
      expect(new Set(idsOf(queued)).size).toBe(100);
      for (const id of idsOf(queued)) chosen.add(id);
    }
    // The chance that a chat is in none of the twelve samples is below one in a hundred.
    expect(chosen.size).toBeGreaterThan(270);
    expect(ids).toEqual(expect.arrayContaining([...chosen] as string[]));
  });

  it('throws for a project that has no cleanup', async () => {
    const { run, lines } = createRun();
    for (const event of [{ project: 'other' }, { project: 'constructor' }, {}, null, 'support']) {
      await expect(run(event)).rejects.toThrow(/names no project/);
    }
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatchObject({ type: 'fault', request_id: REQUEST_ID, where: 'cleanup: project' });
  });
});

describe('a run that cannot read the whole list', () => {
  /** A stand-in that fails after this number of answers. */
  const endAfter = (count: number, behaviour: Behaviour) => {
    let asked = 0;
    polyai.behave(({ path }) => (isList(path) && ++asked > count ? behaviour : undefined));
  };

  it.each([
    ['a malformed page', { status: 200, body: 'x' }, 'cleanup: list'],
    ['a refusal', { status: 404, body: { error_code: 'PROJECT_NOT_FOUND' } }, 'cleanup: list'],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }, 'cleanup: list'],
    ['a refused key', { status: 403 }, 'cleanup: list'],
  ])('because of %s queues what it has found, and writes a fault line', async (_what, behaviour, where) => {
    const early = open({ startedAt: NOW - 13.5 * DAY });
    const late = open();
    endAfter(5, behaviour);
    const { run, queued, faults, lines } = createRun();
    const summary = await run();
    expect(summary).toMatchObject({ complete: false, stale: 1, queued: 1, pages: 5 });
    expect(summary.reason).toMatch(/PolyAI answered/);
    expect(idsOf(queued)).toEqual([early]);
    expect(idsOf(queued)).not.toContain(late);
    expect(faults()).toEqual([expect.objectContaining({ where, request_id: REQUEST_ID })]);
    expect(lines.at(-1)).toMatchObject({ type: 'cleanup', complete: false });
  });

  it('because of an outage writes no fault line, because the next run may be complete', async () => {
    endAfter(0, { status: 503 });
    const { run, faults, lines } = createRun();
    const summary = await run();
    expect(summary).toMatchObject({ complete: false, open: 0, reason: expect.stringContaining('503') });
    expect(faults()).toEqual([]);
    // Nothing was read, so the age of the oldest chat is unknown.
    expect(JSON.parse(JSON.stringify(lines[0]))).not.toHaveProperty('oldest_open_s');
  });

  it('stops before the function times out, with time left to queue', async () => {
    const early = open({ startedAt: NOW - 13.5 * DAY });
    const { run, queued, clock } = createRun({ remainingMs: 20_000 });
    polyai.onCall(() => {
      clock.now += 2000;
    });
    const summary = await run();
    expect(summary).toMatchObject({ complete: false, queued: 1, reason: 'the time was up' });
    expect(idsOf(queued)).toEqual([early]);
    expect(clock.now - NOW).toBeLessThan(20_000 - 7000);
  });

  it('stops when the next run is due, so that two runs never overlap', async () => {
    const { run, clock } = createRun({ cleanup: { periodMs: MINUTE_MS } });
    polyai.onCall(() => {
      clock.now += 20_000;
    });
    expect(await run()).toMatchObject({ complete: false, pages: 3, reason: 'the time was up' });
  });

  it('gives every close a full period before it expires, however late it is queued', async () => {
    open({ startedAt: NOW - 13.5 * DAY });
    const { run, queued, clock } = createRun({ cleanup: { periodMs: MINUTE_MS } });
    polyai.onCall(() => {
      clock.now += 59_800;
    });
    await run();
    expect(Date.parse(queued[0]?.expiresAt ?? '')).toBe(clock.now + MINUTE_MS);
  });

  it('completes although the list fails every second time', async () => {
    const ids = openMany(350);
    let asked = 0;
    polyai.behave(({ path }) =>
      isList(path) && ++asked % 2 ? { status: asked % 4 === 1 ? 429 : 500 } : undefined,
    );
    const { run, queued } = createRun({ cleanup: { maxCloses: 1000 } });
    expect(await run()).toMatchObject({ complete: true, stale: 350, queued: 350 });
    expect(idsOf(queued)).toEqual([...ids].sort());
  });

  it('reports how many closes SQS confirmed when SQS did not confirm all', async () => {
    openMany(250);
    let calls = 0;
    const { run, faults } = createRun({
      cleanup: { maxCloses: 1000 },
      queue: async () => {
        calls += 1;
        if (calls === 2) throw new Error('no');
      },
    });
    const summary = await run();
    expect(summary).toMatchObject({ complete: false, stale: 250, queued: 100 });
    expect(calls).toBe(2);
    expect(faults()).toEqual([expect.objectContaining({ where: 'cleanup: queue' })]);
  });

  it('reports that it had no time left to queue', async () => {
    openMany(3);
    const { run, queued, clock } = createRun({ remainingMs: 40_000 });
    polyai.onCall(() => {
      clock.now += 2500;
    });
    const slow = await run();
    expect(slow.complete).toBe(false);
    expect(queued).toEqual([]);
  });
});

describe('the key', () => {
  it('is read again within the run when it has changed', async () => {
    const id = open();
    const old = JSON.stringify(polyai.keys);
    polyai.keys = { ...polyai.keys, apiKey: 'new' };
    let reads = 0;
    const rotating = createRun({
      secrets: createSecretReader(
        async () => {
          reads += 1;
          return { SecretString: reads === 1 ? old : JSON.stringify(polyai.keys) };
        },
        () => NOW,
      ),
    });
    expect(await rotating.run()).toMatchObject({ complete: true, queued: 1 });
    expect(reads).toBe(2);
    expect(idsOf(rotating.queued)).toEqual([id]);
  });

  it('stops the run when it is missing, and the reason says what to do', async () => {
    const { run, vault, faults } = createRun();
    vault.text = '{"apiKey":"","token":""}';
    const summary = await run();
    expect(summary).toMatchObject({ complete: false, pages: 0 });
    expect(summary.reason).toMatch(/secret closer\/polyai\/support\/secret is not ready: "apiKey" is empty/);
    expect(faults()).toEqual([expect.objectContaining({ where: 'cleanup: secret' })]);
    expect(polyai.calls).toEqual([]);
  });

  it('stops the run when it cannot be read', async () => {
    const { run, vault, faults } = createRun();
    vault.fails = Object.assign(new Error('x'), {
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(await run()).toMatchObject({
      complete: false,
      reason: expect.stringContaining('AccessDeniedException'),
    });
    expect(faults()).toEqual([expect.objectContaining({ where: 'cleanup: secret' })]);
  });
});

describe('whatever PolyAI lists', () => {
  it('a run ends, its counts add up, and it closes only stale chats', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('CHAT', 'live', true, '2026-07-30T00:00:00Z'));
    const id = fc.oneof(fc.constantFrom('a', 'b', 'CA1', 'OUT-2', 'TW_SMS_3'), value);
    const chat = fc.record(
      {
        id,
        in_progress: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, value),
        channel: fc.oneof({ weight: 3, arbitrary: fc.constant('CHAT') }, fc.constant('VOICE-SIP'), value),
        environment: fc.oneof({ weight: 3, arbitrary: fc.constant('live') }, value),
        started_at: fc.oneof({ weight: 3, arbitrary: fc.constant('2026-07-30T00:00:00Z') }, value),
        turns: value,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(chat, value), { maxLength: 12 }),
        value,
        async (conversations, cursor) => {
          polyai.behave(() => ({ status: 200, body: JSON.stringify({ conversations, cursor }) }));
          const { run, queued } = createRun();
          const summary = await run();
          expect(summary.stale).toBe(queued.length);
          expect(new Set(idsOf(queued)).size).toBe(queued.length);
          for (const { conversationId = '' } of queued)
            expect(conversationId).not.toMatch(/^(CA|OUT-|TW_SMS_)/);
          expect(queued.map((request) => parseCloseRequest(JSON.stringify(request)))).toEqual(queued);
        },
      ),
      { numRuns: 60 },
    );
  });
});
