import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { judge, type Outcome } from '../../functions/close/outcome.ts';
import type { Project } from '../../functions/connections.ts';
import {
  ATTEMPT_TIMEOUT_MS,
  closeChat,
  type PolyAIAnswer,
  type ProjectKeys,
  readProjectKeys,
} from '../../functions/polyai.ts';
import { SecretNotReady } from '../../functions/secrets.ts';
import { HOUR_MS, MINUTE_MS } from '../../functions/time.ts';
import { requestFaults } from '../../local/contract.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';

// The property tests make hundreds of real calls, on machines that may be busy with something else.
vi.setConfig({ testTimeout: MINUTE_MS });

let polyai: PolyAIStandIn;

beforeEach(async () => {
  polyai = await startPolyAI();
});

afterEach(async () => {
  expect(polyai.calls.flatMap(requestFaults)).toEqual([]);
  await polyai.close();
});

function project(): Project {
  return {
    region: 'uk-1',
    baseUrl: polyai.url,
    version: 'v1',
    accountId: 'acme-uk',
    projectId: 'PROJECT-191bfa2a',
    secretId: 'stack/polyai/support-uk/secret',
  };
}

type Attempt = {
  conversationId?: string;
  requestId?: string;
  keys?: ProjectKeys;
  timeoutMs?: number;
  fetch?: typeof globalThis.fetch;
  now?: () => number;
};

/** A close of an open chat with the right keys. `own` replaces parts of it. */
function close(attempt: Attempt = {}, target: Project = project()): Promise<PolyAIAnswer> {
  const {
    conversationId = polyai.openChat(),
    requestId = 'request-1',
    keys = polyai.keys,
    fetch = globalThis.fetch,
    ...rest
  } = attempt;
  return closeChat({ project: target, keys, requestId, fetch, ...rest }, conversationId);
}

/** A close that PolyAI answers with `behaviour`. */
function closeMeeting(behaviour: Behaviour, attempt: Attempt = {}): Promise<PolyAIAnswer> {
  polyai.behave(() => behaviour);
  return close(attempt);
}

const envelope = (code: string) => ({
  success: false,
  error: 'why',
  error_code: code,
  error_message: 'why',
  data: null,
});
const nested = (code: string) => ({ error: { code, id: 5001, message: 'why', correlation_id: 'nested-id' } });

type Row = [Outcome, string, Behaviour];

const TABLE: Row[] = [
  ['closed', '200 and success', { status: 200, body: { success: true } }],
  ['closed', '200 and success, with more beside it', { status: 200, body: { success: true, data: null } }],
  ['already_ended', '410 and its code', { status: 410, body: envelope('CHAT_CONVERSATION_ENDED') }],
  ['already_ended', '410 and no body', { status: 410 }],
  ['already_ended', '404 for the conversation', { status: 404, body: envelope('CONVERSATIONS_NOT_FOUND') }],
  [
    'already_ended',
    '404 for the conversation, nested',
    { status: 404, body: nested('CONVERSATIONS_NOT_FOUND') },
  ],
  ['already_ended', '400 for the time it took', { status: 400, body: envelope('CHAT_TIMEOUT') }],
  ['already_ended', '400 for an ended chat', { status: 400, body: envelope('CHAT_CONVERSATION_ENDED') }],
  ['already_ended', '400 for any ended conversation', { status: 400, body: nested('CONVERSATION_ENDED') }],
  ['not_found', '404 with another code', { status: 404, body: envelope('VARIANT_NOT_FOUND') }],
  ['not_found', '404 with a message alone', { status: 404, body: { error_message: 'not found' } }],
  ['not_found', '404 of a gateway', { status: 404, body: '<html></html>' }],
  ['misdirected', '404 for the project', { status: 404, body: envelope('PROJECT_NOT_FOUND') }],
  ['misdirected', '404 for the project, nested', { status: 404, body: nested('PROJECT_NOT_FOUND') }],
  ['misdirected', '404 for the account', { status: 404, body: envelope('ACCOUNT_NOT_FOUND') }],
  ['unconfirmed', '200 without success', { status: 200, body: {} }],
  ['unconfirmed', '200 and no success', { status: 200, body: { success: false } }],
  ['unconfirmed', '200 and success in words', { status: 200, body: { success: 'true' } }],
  ['unconfirmed', '200 and success as a number', { status: 200, body: { success: 1 } }],
  ['unconfirmed', '200 and success further down', { status: 200, body: { data: { success: true } } }],
  ['unconfirmed', '200 and a list', { status: 200, body: [{ success: true }] }],
  ['unconfirmed', '200 and null', { status: 200, body: 'null' }],
  ['unconfirmed', '200 and half of the JSON', { status: 200, body: '{"success":tr' }],
  ['unconfirmed', '200 and a page', { status: 200, body: '<html>success: true</html>' }],
  ['unconfirmed', '200 and nothing', { status: 200 }],
  ['unconfirmed', '201 and success', { status: 201, body: { success: true } }],
  ['unconfirmed', '202 and success', { status: 202, body: { success: true } }],
  ['unconfirmed', '204', { status: 204 }],
  ['rejected', '400', { status: 400, body: envelope('CONVERSATIONS_VALIDATION_FAILED') }],
  ['rejected', '400 with a message alone', { status: 400, body: { error_message: 'CHAT_TIMEOUT' } }],
  ['rejected', '409 for an ended chat', { status: 409, body: envelope('CHAT_CONVERSATION_ENDED') }],
  ...[402, 405, 406, 409, 411, 412, 413, 415, 418, 422, 431, 451, 499].map(
    (status): Row => ['rejected', `${status}`, { status, body: envelope('ANY') }],
  ),
  ['rejected', '501', { status: 501, body: envelope('NOT_IMPLEMENTED') }],
  ['unauthorized', '401', { status: 401, body: envelope('AUTH_USER_INVALID_TOKEN') }],
  ['unauthorized', '403 of a gateway', { status: 403, body: { message: 'Forbidden' } }],
  ['throttled', '429', { status: 429, body: { message: 'Too Many Requests' } }],
  ...[408, 500, 502, 503, 504, 505, 520, 599].map(
    (status): Row => ['unavailable', `${status}`, { status, body: envelope('CHAT_DRAFT_DEPLOYMENT_FAILED') }],
  ),
  ['unavailable', '407, which fetch takes for its own proxy and never shows', { status: 407 }],
  ['unavailable', 'a connection reset at once', { reset: 'before' }],
  ['unavailable', 'a connection reset after the close', { reset: 'after' }],
  ['unavailable', 'a body that breaks off', { truncate: true }],
  ['unconfirmed', 'a body too large to be an answer', { padToBytes: 1024 * 1024 }],
  ['unconfirmed', 'a small body that unpacks to a large one', { padToBytes: 4 * 1024 * 1024, gzip: true }],
  ['closed', 'a packed body', { gzip: true }],
  ['closed', 'headers and body that take their time', { delayMs: 20, bodyDelayMs: 20 }],
];

describe('the outcome of a close', () => {
  it.each(TABLE)('is %s after %s', async (outcome, _, behaviour) => {
    expect(judge(await closeMeeting(behaviour)).outcome).toBe(outcome);
    expect(polyai.calls).toHaveLength(1);
  });

  it('is closed, then already ended, for an open chat', async () => {
    const conversationId = polyai.openChat();
    expect(judge(await close({ conversationId }))).toEqual({ outcome: 'closed' });
    expect(polyai.isOpen(conversationId)).toBe(false);
    expect(judge(await close({ conversationId })).outcome).toBe('already_ended');
  });

  it('is already ended when the answer to the first attempt was lost', async () => {
    const conversationId = polyai.openChat();
    await closeMeeting({ reset: 'after' }, { conversationId });
    polyai.behave(undefined);
    expect(judge(await close({ conversationId })).outcome).toBe('already_ended');
  });

  it.each(['apiKey', 'token'] as const)('is unauthorized with a wrong %s', async (key) => {
    const answer = await close({ keys: { ...polyai.keys, [key]: 'wrong' } });
    expect(judge(answer)).toEqual({
      outcome: 'unauthorized',
      reason: 'PolyAI answered 401 AUTH_USER_INVALID_TOKEN',
    });
  });

  it('is unavailable when nothing listens', async () => {
    const target = project();
    await polyai.close();
    const answer = await close({}, target);
    expect(answer).toMatchObject({ neverSent: true });
    expect(judge(answer)).toEqual({
      outcome: 'unavailable',
      reason: 'the connection to PolyAI failed: ECONNREFUSED',
    });
  });

  it.each(['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])(
    'has neverSent after %s',
    async (code) => {
      const cause = Object.assign(new Error(code), { code });
      const answer = await close({ fetch: () => Promise.reject(new TypeError('fetch failed', { cause })) });
      expect(answer).toEqual({ failure: `the connection to PolyAI failed: ${code}`, neverSent: true });
    },
  );

  it.each<[string, Behaviour]>([
    ['a reset before the chat is closed', { reset: 'before' }],
    ['a reset after it', { reset: 'after' }],
    ['half a body', { bodyDelayMs: HOUR_MS }],
  ])('has no neverSent after %s', async (_, behaviour) => {
    const answer = await closeMeeting(behaviour, { timeoutMs: 200 });
    expect(answer).toEqual({ failure: expect.any(String) });
  });

  it.each([
    ['headers', { hang: true }],
    ['body', { bodyDelayMs: HOUR_MS }],
  ])('is unavailable after a time-out while waiting for the %s', async (_, behaviour) => {
    const answer = await closeMeeting(behaviour, { timeoutMs: 100 });
    expect(answer).toEqual({ failure: 'no answer from PolyAI within 0.1 s' });
    expect(judge(answer)).toMatchObject({ outcome: 'unavailable' });
  });

  it.each([300, 301, 302, 303, 304, 307, 308])(
    'is misdirected after a %i, which is not followed',
    async (status) => {
      const elsewhere = await startPolyAI({ keys: polyai.keys });
      const location = `${elsewhere.url}/v1/acme-uk/PROJECT-191bfa2a/chat/close`;
      const answer = await closeMeeting({ status, headers: { location } });
      expect(judge(answer).outcome).toBe('misdirected');
      expect(elsewhere.calls).toEqual([]);
      expect(polyai.calls).toHaveLength(1);
      await elsewhere.close();
    },
  );

  // fetch itself repeats a 421 once, to the same host, and shows no 407.
  // https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
  it('takes one call, whatever the status', async () => {
    for (let status = 200; status < 600; status += 1) {
      if (status === 407) continue;
      expect(await closeMeeting({ status })).toMatchObject({ status, success: false });
      expect(polyai.calls.splice(0)).toHaveLength(status === 421 ? 2 : 1);
    }
  });

  it('is decided after ten seconds by default', () => {
    expect(ATTEMPT_TIMEOUT_MS).toBe(10_000);
  });
});

describe('the call', () => {
  it("is a PUT to the project's close endpoint with both keys and our correlation id", async () => {
    await close({ conversationId: 'CONV-1234567890', requestId: 'request-1' });
    expect(polyai.calls).toEqual([
      expect.objectContaining({
        method: 'PUT',
        path: '/v1/acme-uk/PROJECT-191bfa2a/chat/close',
        body: '{"conversation_id":"CONV-1234567890"}',
        headers: expect.objectContaining({
          'content-type': 'application/json',
          accept: 'application/json',
          'x-api-key': polyai.keys.apiKey,
          'x-token': polyai.keys.token,
          'x-polyai-correlation-id': 'request-1',
        }),
      }),
    ]);
  });

  it('goes to the version of the project, below the path of its base URL', async () => {
    const target = { ...project(), baseUrl: `${polyai.url}/gateway`, version: 'v2' };
    await closeChat({ project: target, keys: polyai.keys, requestId: 'request-1', fetch }, 'CONV-1');
    expect(polyai.calls.splice(0)).toMatchObject([
      { path: '/gateway/v2/acme-uk/PROJECT-191bfa2a/chat/close' },
    ]);
  });

  it('carries any conversation id unchanged', async () => {
    const ids = fc.string({ unit: 'binary', minLength: 1, maxLength: 256 });
    await fc.assert(
      fc.asyncProperty(ids, async (conversationId) => {
        await close({ conversationId });
        expect(JSON.parse(polyai.calls.at(-1)?.body ?? '')).toEqual({ conversation_id: conversationId });
      }),
    );
  });

  it('is made whatever characters the request id has', async () => {
    const ids = fc.string({ unit: 'binary', minLength: 1, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(ids, async (requestId) => {
        expect(judge(await close({ requestId })).outcome).toBe('closed');
      }),
    );
  });
});

describe('the answer', () => {
  it.each([
    ['the envelope', envelope('CODE_1'), 'CODE_1'],
    ['a nested error', nested('CODE_2'), 'CODE_2'],
    ['a message alone', { error_message: 'CODE_3' }, undefined],
    ['a detail alone', { detail: 'CODE_4' }, undefined],
    ['a code with a null beside it', { error: null, error_code: 'CODE_5' }, 'CODE_5'],
    ['a code that is an object', { error_code: { code: 'CODE_6' } }, undefined],
    ['a code that would break a line', { error_code: 'CODE\n7' }, undefined],
    ['a code longer than any', { error_code: 'C'.repeat(65) }, undefined],
  ])('keeps the error code of %s', async (_, body, errorCode) => {
    const answer = await closeMeeting({ status: 500, body });
    expect('errorCode' in answer ? answer.errorCode : undefined).toBe(errorCode);
  });

  it.each([
    [
      'header',
      { success: true, error_id: 'of-the-body' },
      { 'x-polyai-correlation-id': 'of-the-header' },
      'of-the-header',
    ],
    ['envelope', { error_id: 'of-the-body' }, { 'x-polyai-correlation-id': '' }, 'of-the-body'],
    ['nested error', nested('CODE'), { 'x-polyai-correlation-id': '' }, 'nested-id'],
  ])('keeps the correlation id of the %s', async (_, body, headers, correlationId) => {
    expect(await closeMeeting({ status: 200, body, headers })).toMatchObject({ correlationId });
  });

  it('keeps only the documented fields of a body', async () => {
    const body = {
      ...envelope('CODE'),
      error_message: 'personal',
      transcript: ['personal'],
      detail: 'personal',
    };
    const answer = await closeMeeting({ status: 400, body });
    expect(JSON.stringify({ answer, judgement: judge(answer) })).not.toContain('personal');
  });

  it.each([
    ['seconds', '7', 7_000],
    ['no seconds', '0', 0],
    ['a date long past', 'Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['words', 'soon', undefined],
    ['nothing', '', undefined],
    ['more seconds than a number holds', '9'.repeat(400), undefined],
  ])('reads a Retry-After of %s', async (_, retryAfter, expected) => {
    const answer = await closeMeeting({ status: 429, headers: { 'retry-after': retryAfter } });
    expect('retryAfterMs' in answer ? answer.retryAfterMs : undefined).toBe(expected);
  });

  it('reads a Retry-After that is a date in the future', async () => {
    const inAnHour = new Date(Date.now() + HOUR_MS).toUTCString();
    const answer = await closeMeeting({ status: 503, headers: { 'retry-after': inAnHour } });
    const { retryAfterMs = 0 } = answer as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThan(3_000_000);
    expect(retryAfterMs).toBeLessThanOrEqual(HOUR_MS);
  });

  it('measures a Retry-After that is a date by the given clock', async () => {
    const now = () => Date.parse('2026-08-01T12:00:00Z');
    const headers = { 'retry-after': 'Sat, 01 Aug 2026 12:01:30 GMT' };
    expect(await closeMeeting({ status: 503, headers }, { now })).toMatchObject({ retryAfterMs: 90_000 });
  });

  it('is read without an error, whatever the body is', async () => {
    const bodies = fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 500 }));
    const statuses = fc.constantFrom(200, 201, 302, 400, 401, 404, 410, 429, 500, 503);
    await fc.assert(
      fc.asyncProperty(statuses, bodies, async (status, body) => {
        const answer = await closeMeeting({ status, body });
        expect(answer).toMatchObject({ status, success: false });
        expect(judge(answer).outcome).not.toBe('closed');
      }),
    );
  });
});

describe('the keys', () => {
  const keys = { apiKey: 'pk_live-1~', token: 'tok/en+2=' };

  it('are read from the secret unchanged', () => {
    const others = { conversationsApiKey: 'another', handoffApiKey: '' };
    expect(readProjectKeys(JSON.stringify({ ...keys, ...others }))).toEqual(keys);
  });

  it.each([
    ['is empty', ''],
    ['is missing', undefined],
    ['is null', null],
    ['is a number', 1234],
    ['is a list', ['canary-key']],
    ['ends in a line break', 'canary-key\n'],
    ['begins with a space', ' canary-key'],
    ['has a space in it', 'canary key'],
    ['would start another header', 'canary-key\r\nx-other: 1'],
    ['has letters that no header carries', 'canary-kéy'],
  ])('are refused when one %s, with its name and never its value', (_, value) => {
    for (const field of ['apiKey', 'token']) {
      const refusal = refusalOf(JSON.stringify({ ...keys, [field]: value }));
      expect(refusal).toBeInstanceOf(SecretNotReady);
      expect(refusal.message).toContain(`"${field}"`);
      expect(refusal.message).not.toMatch(/canary|1234/);
    }
  });

  it.each(['', 'canary', '"canary"', '["canary"]', 'null', '{"apiKey":"canary"'])(
    'are refused when the secret is %j',
    (text) => {
      const refusal = refusalOf(text);
      expect(refusal).toBeInstanceOf(SecretNotReady);
      expect(refusal.message).not.toContain('canary');
    },
  );

  it('that are accepted can always be sent in a header', async () => {
    const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(value, value, async (apiKey, token) => {
        const text = JSON.stringify({ apiKey, token });
        if (refusalOf(text)) return;
        polyai.keys = readProjectKeys(text);
        expect(judge(await close()).outcome).toBe('closed');
      }),
    );
  });

  function refusalOf(text: string): Error {
    try {
      readProjectKeys(text);
    } catch (error) {
      return error as Error;
    }
    return undefined as never;
  }
});
