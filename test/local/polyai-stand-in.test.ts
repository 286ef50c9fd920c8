import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerFaults, requestFaults } from '../../local/contract.ts';
import { type Call, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';

let polyai: PolyAIStandIn;

beforeEach(async () => {
  polyai = await startPolyAI();
});
afterEach(() => polyai.close());

type Request = { method?: string; path?: string; headers?: Record<string, string>; body?: string };

/** A good close of `conversationId`; whatever is given replaces its part. */
async function ask(conversationId: string, request: Request = {}) {
  const { method = 'PUT', path = '/v1/acme-uk/PROJECT-1/chat/close' } = request;
  const headers = {
    'content-type': 'application/json',
    'x-api-key': polyai.keys.apiKey,
    'x-token': polyai.keys.token,
    'x-polyai-correlation-id': 'our-own-id',
    ...request.headers,
  };
  const body = request.body ?? JSON.stringify({ conversation_id: conversationId });
  const response = await fetch(polyai.url + path, { method, headers, body });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

async function talk(operation: 'create' | 'respond', message: object) {
  const path = `/v1/acme-uk/PROJECT-1/chat/${operation}`;
  const { status, body } = await ask('', { method: 'POST', path, body: JSON.stringify(message) });
  return { status, ...JSON.parse(body) };
}

describe('the PolyAI stand-in', () => {
  it('closes an open chat once, and then answers that it is over', async () => {
    const id = polyai.openChat();
    expect(polyai.isOpen(id)).toBe(true);
    expect(await ask(id)).toMatchObject({ status: 200, body: '{"success":true}' });
    expect(polyai.isOpen(id)).toBe(false);
    const again = await ask(id);
    expect(again.status).toBe(410);
    expect(JSON.parse(again.body)).toMatchObject({ success: false, error_code: 'CHAT_CONVERSATION_ENDED' });
  });

  it('answers a created chat until that is closed', async () => {
    const { conversation_id, response } = await talk('create', {});
    expect(response).toEqual(expect.any(String));
    const message = { conversation_id, message: 'Where is my order?' };
    expect(await talk('respond', message)).toMatchObject({
      status: 200,
      conversation_id,
      end_conversation: false,
    });
    await ask(conversation_id);
    expect(await talk('respond', message)).toMatchObject({
      status: 410,
      error_code: 'CHAT_CONVERSATION_ENDED',
    });
  });

  it('hides a chat that was opened for one project from the others', async () => {
    const own = polyai.openChat({ accountId: 'acme-uk', projectId: 'PROJECT-1' });
    const foreign = polyai.openChat({ accountId: 'acme-uk', projectId: 'PROJECT-2' });
    expect((await ask(foreign)).status).toBe(404);
    expect((await ask(own)).status).toBe(200);
  });

  it('makes ids of several forms, and none twice', () => {
    const ids = Array.from({ length: 40 }, () => polyai.openChat());
    expect(new Set(ids).size).toBe(40);
    expect(new Set(ids.map((id) => id.slice(0, id.search(/[-_]/)))).size).toBeGreaterThan(3);
  });

  it('returns the correlation id, in the header and in an error', async () => {
    const { headers, body } = await ask('unknown');
    expect(headers['x-polyai-correlation-id']).toBe('our-own-id');
    expect(JSON.parse(body).error_id).toBe('our-own-id');
  });

  it('accepts other keys as soon as they are replaced', async () => {
    const id = polyai.openChat();
    const before = { ...polyai.keys };
    polyai.keys = { apiKey: 'new-key', token: 'new-token' };
    expect((await ask(id, { headers: { 'x-api-key': before.apiKey, 'x-token': before.token } })).status).toBe(
      401,
    );
    expect((await ask(id)).status).toBe(200);
  });

  it('records every call, answered or not, and calls the listeners', async () => {
    const seen: Call[] = [];
    polyai.onCall((call) => seen.push(call));
    await ask('unknown');
    polyai.behave(() => ({ reset: 'before' }));
    await expect(ask('unknown')).rejects.toThrow();
    expect(polyai.calls.map(({ status }) => status)).toEqual([404, 0]);
    expect(seen).toEqual(polyai.calls);
    expect(polyai.calls[0]).toMatchObject({ method: 'PUT', path: '/v1/acme-uk/PROJECT-1/chat/close' });
  });

  it('applies a behaviour to the selected calls, and answers the others normally', async () => {
    const [first, second] = [polyai.openChat(), polyai.openChat()];
    polyai.behave(({ conversationId }) =>
      conversationId === first ? { status: 503, body: 'down', headers: { 'retry-after': '3' } } : undefined,
    );
    expect(await ask(first)).toMatchObject({ status: 503, body: 'down', headers: { 'retry-after': '3' } });
    expect(polyai.isOpen(first)).toBe(true);
    expect((await ask(second)).status).toBe(200);
    polyai.behave(undefined);
    expect((await ask(first)).status).toBe(200);
  });

  it('closes the chat even if its normal answer is damaged on the way', async () => {
    for (const behaviour of [{ reset: 'after' as const }, { truncate: true }]) {
      const id = polyai.openChat();
      polyai.behave(() => behaviour);
      await expect(ask(id)).rejects.toThrow();
      expect(polyai.isOpen(id)).toBe(false);
    }
  });

  it('stops while calls hang', async () => {
    polyai.behave(() => ({ hang: true }));
    const hanging = expect(ask('any')).rejects.toThrow();
    while (polyai.calls.length === 0) await new Promise(setImmediate);
    await polyai.close();
    await hanging;
  });
});

describe('the contract', () => {
  it('describes every normal answer of the stand-in', async () => {
    const id = polyai.openChat();
    const answers = [
      await ask(id),
      await ask(id),
      await ask('unknown'),
      await ask(id, { headers: { 'x-api-key': 'wrong' } }),
      await ask(id, { headers: { 'x-token': '' } }),
      await ask(id, { body: '{}' }),
      await ask(id, { body: '[' }),
      await ask(id, { headers: { 'content-type': 'text/plain' } }),
      await ask(id, { method: 'POST' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 410, 404, 401, 401, 400, 400, 415, 405]);
    expect(answers.flatMap(answerFaults)).toEqual([]);
  });

  it.each([
    [
      'the envelope',
      { success: false, error: 'e', error_id: 'i', error_code: 'CODE', error_message: 'm', data: null },
    ],
    ['a nested error', { error: { code: 'CODE', id: 4001, message: 'm', correlation_id: 'i' } }],
    ['a message alone', { error_message: 'm' }],
  ])('knows errors as %s', (_, body) => {
    expect(answerFaults(answer(404, body))).toEqual([]);
  });

  it.each([
    ['no success in a 200', answer(200, {})],
    ['success in words', answer(200, { success: 'true' })],
    ['an error without an error', answer(404, {})],
    ['an error code that is a number', answer(404, { success: false, error_code: 5001, error_message: 'm' })],
    ['a body that is not JSON', { ...answer(200, {}), body: '<html>' }],
    ['another content type', { ...answer(200, { success: true }), headers: { 'content-type': 'text/html' } }],
  ])('refuses an answer with %s', (_, wrong) => {
    expect(answerFaults(wrong)).toHaveLength(1);
  });

  it('accepts the request that it describes', () => {
    expect(requestFaults(request())).toEqual([]);
  });

  it.each([
    ['another method', { method: 'POST' }, /no such operation/],
    ['another path', { path: '/v1/acme-uk/PROJECT-1/chat/end' }, /no such operation/],
    ['an empty account', { path: '/v1//PROJECT-1/chat/close' }, /account_id/],
    ['an account that is two segments', { path: '/v1/a%2Fb/PROJECT-1/chat/close' }, /account_id/],
    ['no API key', { headers: without('x-api-key') }, /X-API-KEY: missing/],
    ['no token', { headers: without('x-token') }, /X-TOKEN: missing/],
    ['an empty token', { headers: { ...request().headers, 'x-token': '' } }, /X-TOKEN/],
    ['no content type', { headers: without('content-type') }, /content type/],
    ['no conversation', { body: '{}' }, /conversation_id/],
    ['an empty conversation', { body: '{"conversation_id":""}' }, /conversation_id/],
    ['a number for a conversation', { body: '{"conversation_id":1}' }, /conversation_id/],
    [
      'a reason, which PolyAI has no field for',
      { body: '{"conversation_id":"a","reason":"solved"}' },
      /reason/,
    ],
    ['a body that is not JSON', { body: 'conversation_id=a' }, /not JSON/],
  ])('refuses a request with %s', (_, change, fault) => {
    const faults = requestFaults({ ...request(), ...change });
    expect(faults).toEqual([expect.stringMatching(fault)]);
  });
});

function answer(status: number, body: unknown) {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function request() {
  return {
    method: 'PUT',
    path: '/v1/acme-uk/PROJECT-1/chat/close',
    headers: {
      'content-type': 'application/json',
      'x-api-key': 'key',
      'x-token': 'token',
      'x-polyai-correlation-id': 'id',
    } as Record<string, string>,
    body: '{"conversation_id":"CONV-1234567890"}',
  };
}

function without(header: string): Record<string, string> {
  const { [header]: _, ...others } = request().headers;
  return others;
}

describe('the stand-in’s list of conversations', () => {
  const owner = { accountId: 'acme-uk', projectId: 'PROJECT-1' };
  const list = async (query: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${polyai.url}/v3/acme-uk/PROJECT-1/conversations?${query}`, {
      headers: { 'x-api-key': polyai.keys.apiKey, ...headers },
    });
    const { conversations = [], ...rest } = JSON.parse(await response.text());
    return { status: response.status, conversations: conversations as { id: string }[], ...rest };
  };
  const idsOf = ({ conversations }: { conversations: { id: string }[] }) => conversations.map(({ id }) => id);

  it('shows a chat as it was opened, and not in progress after it was closed', async () => {
    const id = polyai.openChat(owner, { channel: 'WEBCHAT', startedAt: 1000, turns: [{ user_input: 'hi' }] });
    expect((await list('in_progress=true')).conversations).toEqual([
      expect.objectContaining({
        id,
        channel: 'WEBCHAT',
        environment: 'live',
        started_at: '1970-01-01T00:00:01.000Z',
        in_progress: true,
        turns: [{ user_input: 'hi' }],
      }),
    ]);
    await ask(id);
    expect(await list('in_progress=true')).toMatchObject({ conversations: [], cursor: null });
    expect(idsOf(await list('in_progress=false'))).toEqual([id]);
  });

  it('filters by project, environment and time span, both ends included', async () => {
    const [one, two, three] = [1000, 2000, 3000].map((startedAt) => polyai.openChat(owner, { startedAt }));
    polyai.openChat({ ...owner, projectId: 'PROJECT-2' }, { startedAt: 1000 });
    const sandbox = polyai.openChat(owner, { startedAt: 1000, environment: 'sandbox' });
    const [from, to] = [1000, 2000].map((ms) => new Date(ms).toISOString());
    expect(idsOf(await list(`start_time=${from}&end_time=${to}`)).sort()).toEqual([one, two].sort());
    expect(idsOf(await list('client_env=sandbox'))).toEqual([sandbox]);
    expect(idsOf(await list(''))).toContain(three);
  });

  it('has pages that neither lose nor repeat a chat, even when chats end between pages', async () => {
    const ids = Array.from({ length: 25 }, () => polyai.openChat(owner, { startedAt: 1000 }));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await list(`in_progress=true&limit=10${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...idsOf(page));
      await ask(seen[0] ?? '');
      cursor = page.cursor;
    } while (cursor);
    expect(seen.sort()).toEqual(ids.sort());
  });

  it.each(['limit=0', 'limit=1001', 'cursor=x', 'start_time=soon'])('refuses %s', async (query) => {
    expect(await list(query)).toMatchObject({ status: 400, error_code: 'CONVERSATIONS_VALIDATION_FAILED' });
  });

  it('needs its own key if there is one', async () => {
    expect((await list('', { 'x-api-key': 'wrong' })).status).toBe(401);
    polyai.keys = { ...polyai.keys, conversationsApiKey: 'lists' };
    expect((await list('')).status).toBe(401);
    expect((await list('', { 'x-api-key': 'lists' })).status).toBe(200);
  });
});
