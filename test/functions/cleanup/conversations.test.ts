import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listConversations, type PageQuery, readListKey } from '../../../functions/cleanup/conversations.ts';
import type { CleanupProject } from '../../../functions/connections.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../../local/polyai-stand-in.ts';

vi.setConfig({ testTimeout: 60_000 });

const OWNER = { accountId: 'acme uk', projectId: 'PROJECT-1' };
let polyai: PolyAIStandIn;

beforeEach(async () => {
  polyai = await startPolyAI();
});
afterEach(() => polyai.close());

/** Requests a page with the right key. `own` replaces parts of the call. */
function list(
  query: Partial<PageQuery> = {},
  own: { apiKey?: string; baseUrl?: string; timeoutMs?: number } = {},
) {
  const { apiKey = polyai.keys.apiKey, baseUrl = polyai.url, timeoutMs = 10_000 } = own;
  const project = { ...OWNER, baseUrl, clientEnv: 'pre-release' } as CleanupProject;
  return listConversations(
    { project, apiKey, requestId: 'run-1é', fetch, timeoutMs },
    { from: 0, to: Date.now(), ...query },
  );
}

async function listAs(behaviour: Behaviour, own?: Parameters<typeof list>[1]) {
  polyai.behave(() => behaviour);
  return list({}, own);
}

describe('a page of the list', () => {
  it('is requested with every filter, one key and our correlation id', async () => {
    const id = polyai.openChat(OWNER, { environment: 'pre-release', startedAt: 5000 });
    polyai.openChat(OWNER, { environment: 'live', startedAt: 5000 });
    const answer = await list({ from: 1000, to: 9000 });
    expect(answer).toEqual({ conversations: [expect.objectContaining({ id, in_progress: true })] });
    const [call] = polyai.calls;
    expect(call?.method).toBe('GET');
    expect(call?.path).toMatch(/^\/v3\/acme%20uk\/PROJECT-1\/conversations\?/);
    expect(Object.fromEntries(new URL(call?.path ?? '', polyai.url).searchParams)).toEqual({
      in_progress: 'true',
      client_env: 'pre-release',
      start_time: '1970-01-01T00:00:01.000Z',
      end_time: '1970-01-01T00:00:09.000Z',
      limit: '100',
    });
    expect(call?.headers).toMatchObject({
      'x-api-key': polyai.keys.apiKey,
      'x-polyai-correlation-id': 'run-1?',
    });
    expect(call?.headers).not.toHaveProperty('x-token');
  });

  it('leads to the next page by its cursor', async () => {
    for (let index = 0; index < 150; index += 1)
      polyai.openChat(OWNER, { environment: 'pre-release', startedAt: index });
    const first = await list();
    if (!('conversations' in first) || !first.cursor) throw new Error('there is no second page');
    const second = await list({ cursor: first.cursor });
    expect(first.conversations).toHaveLength(100);
    expect(second).toMatchObject({ conversations: { length: 50 } });
    expect(second).not.toHaveProperty('cursor');
  });

  it.each([
    [{ conversations: [], cursor: null }, { conversations: [] }],
    [{ conversations: [] }, { conversations: [] }],
    [{ conversations: [1], cursor: '' }, { conversations: [1] }],
    [[1, 2], { conversations: [1, 2] }],
    [
      { conversations: [1], cursor: 'a', next_offset: 100 },
      { conversations: [1], cursor: 'a' },
    ],
  ])('can have the body %j', async (body, page) => {
    expect(await listAs({ status: 200, body })).toEqual(page);
  });

  it('can be large, because it carries transcripts', async () => {
    const body = { conversations: [{ id: 'a', turns: [{ user_input: 'x'.repeat(5 << 20) }] }], cursor: null };
    expect(await listAs({ status: 200, body })).toMatchObject({ conversations: [{ id: 'a' }] });
  });

  it.each([
    ['no JSON', { body: '<html>' }],
    ['nothing', { body: '' }],
    ['no list', { body: { conversations: {} } }],
    ['null', { body: 'null' }],
    ['a cursor that is a number', { body: { conversations: [], cursor: 7 } }],
    ['a cursor without an end', { body: { conversations: [], cursor: 'x'.repeat(5000) } }],
    ['more than 20 MB', { body: { conversations: [] }, padToBytes: (20 << 20) + 1 }],
    [
      'more than 20 MB when unpacked',
      { body: { conversations: [] }, padToBytes: (20 << 20) + 1, gzip: true },
    ],
  ])('that is malformed is a lasting failure: %s', async (_what, behaviour) => {
    const answer = await listAs({ status: 200, ...behaviour });
    expect(answer).toMatchObject({
      kind: 'lasting',
      failure: expect.stringMatching(/^PolyAI answered 200 with/),
    });
  });

  it.each([
    [408, 'passing'],
    [429, 'passing'],
    [500, 'passing'],
    [502, 'passing'],
    [503, 'passing'],
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [204, 'lasting'],
    [302, 'lasting'],
    [400, 'lasting'],
    [404, 'lasting'],
    [410, 'lasting'],
    [501, 'lasting'],
  ])('answered with %i is a %s failure', async (status, kind) => {
    const answer = await listAs({
      status,
      body: status === 204 ? '' : { error_code: 'SOME_CODE', customer: 'Jane' },
    });
    expect(answer).toMatchObject({ kind, failure: expect.stringContaining(`PolyAI answered ${status}`) });
    expect(JSON.stringify(answer)).not.toContain('Jane');
  });

  it('keeps the wait that PolyAI asks for', async () => {
    expect(await listAs({ status: 429, headers: { 'retry-after': '7' } })).toMatchObject({
      retryAfterMs: 7000,
    });
  });

  it.each([
    ['reset', { reset: 'before' as const }],
    ['cut off', { truncate: true }],
    ['never sent', { hang: true }],
    ['slow in the middle', { bodyDelayMs: 5000 }],
  ])('that is %s is a passing failure', async (_what, behaviour) => {
    polyai.openChat(OWNER, { environment: 'pre-release' });
    expect(await listAs(behaviour, { timeoutMs: 500 })).toMatchObject({ kind: 'passing' });
  });

  it('is not fetched from the target of a redirect, because the key must not go to another host', async () => {
    let asked = 0;
    const other = createServer((_request, response) => {
      asked += 1;
      response.end('{"conversations":[]}');
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    expect(await listAs({ status: 307, headers: { location } })).toMatchObject({ kind: 'lasting' });
    expect(asked).toBe(0);
    await new Promise((resolve) => other.close(resolve));
  });

  it('is read without an exception, whatever it holds', async () => {
    const page = fc.oneof(
      fc.jsonValue(),
      fc.record({ conversations: fc.jsonValue(), cursor: fc.jsonValue() }, { requiredKeys: [] }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 200, max: 599 }), page, async (status, body) => {
        const answer = await listAs({
          status,
          body: status === 204 || status === 304 ? '' : JSON.stringify(body),
        });
        if ('conversations' in answer) {
          expect(status).toBe(200);
          expect(Array.isArray(answer.conversations)).toBe(true);
        } else expect(answer.failure).toMatch(/PolyAI/);
      }),
      { numRuns: 100 },
    );
  });
});

describe('readListKey', () => {
  it('returns conversationsApiKey, or else apiKey', () => {
    const keys = { apiKey: 'closes', token: '' };
    expect(readListKey(JSON.stringify(keys))).toBe('closes');
    expect(readListKey(JSON.stringify({ ...keys, conversationsApiKey: '' }))).toBe('closes');
    expect(readListKey(JSON.stringify({ ...keys, conversationsApiKey: 'lists' }))).toBe('lists');
  });

  it.each(['{}', 'null', 'x', '{"apiKey":""}', '{"conversationsApiKey":7,"apiKey":"a"}', '{"apiKey":"a b"}'])(
    'throws for %s',
    (text) => {
      expect(() => readListKey(text)).toThrow(/fill it in|store it/);
    },
  );
});
