import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planOutage } from '../../local/console/outage.ts';
import { createRecord, viewOf } from '../../local/console/record.ts';
import { type Console, startConsole } from '../../local/console/server.ts';
import type { Aws } from '../../operate/aws.ts';
import { deploymentOf } from '../support/operated.ts';

const local = { signedUrl: () => '', webhookUrl: () => 'http://127.0.0.1/hook', flush: async () => {} };
const accepted = JSON.stringify({ accepted: 1, ignored: [], requestId: 'r1' });

describe('the record of deliveries', () => {
  it('puts a line that came before the answer to its delivery', () => {
    const record = createRecord(() => {});
    const entry = record.add({ connection: 'zendesk-support', kind: 'genuine' });
    record.onLine({
      type: 'delivery',
      request_id: 'r1',
      connection: 'zendesk-support',
      accepted: 1,
      answer: 200,
    });
    record.answered(entry, { status: 200, body: accepted });
    expect(record.all()).toHaveLength(1);
    expect(viewOf(entry)).toMatchObject({ kind: 'genuine', place: 'queue', status: 200 });
  });

  it('shows that a line has come, also if the answer had already said everything', () => {
    const record = createRecord(() => {});
    const entry = record.add({ connection: 'in-house', kind: 'forged' });
    const refusal = { code: 'signature_mismatch', requestId: 'r1' };
    record.answered(entry, { status: 401, body: JSON.stringify(refusal) });
    const before = viewOf(entry);
    const line = { request_id: 'r1', connection: 'in-house', refused: refusal.code, answer: 401 };
    record.onLine({ type: 'delivery', ...line });
    // The page reads the story again only when the view has changed.
    expect(viewOf(entry)).toEqual({ ...before, lines: 1 });
  });

  it('shows when a close that failed is tried next', () => {
    const record = createRecord(
      () => {},
      () => 1000,
    );
    const entry = record.add({ connection: 'zendesk-support', kind: 'genuine' });
    record.answered(entry, { status: 200, body: accepted });
    const close = { type: 'close', request_id: 'r1', outcome: 'unavailable', final: false };
    record.onLine({ ...close, next_try_in_s: 10 });
    expect(viewOf(entry)).toMatchObject({ place: 'waiting', result: 'unavailable', nextTryAt: 11_000 });
    record.onLine({ ...close, outcome: 'closed', final: true });
    expect(viewOf(entry)).toMatchObject({ place: 'done', result: 'closed', attempts: 2 });
  });

  it('shows a delivery that the page did not send, and not the canary’s', () => {
    const record = createRecord(() => {});
    record.onLine({
      type: 'delivery',
      request_id: 'r2',
      connection: 'in-house',
      refused: 'signature_mismatch',
      answer: 401,
    });
    record.onLine({ type: 'delivery', request_id: 'r3', connection: 'in-house', canary: true });
    expect(record.all().map(viewOf)).toMatchObject([
      { kind: 'outside', place: 'receiver', result: 'signature_mismatch' },
    ]);
  });
});

describe('the plan of an outage', () => {
  it('has the worker’s own waits, and ends with the first attempt after the outage', () => {
    const plan = planOutage(24);
    expect(plan.slice(0, 5).map(({ wait }) => wait)).toEqual([10, 10, 20, 40, 80]);
    expect(plan.at(-1)?.at).toBeGreaterThanOrEqual(24 * 3600);
    expect(plan.at(-1)?.at).toBeLessThanOrEqual(25 * 3600);
  });
});

describe('the console', () => {
  let page: Console;
  let port: number;

  beforeAll(async () => {
    const aws = { secretsManager: { send: async () => ({}) } } as unknown as Aws;
    const parts = { local, deployment: deploymentOf(), aws, standIn: undefined };
    page = await startConsole({ ...parts, signal: new AbortController().signal });
    port = Number(new URL(page.url).port);
  });
  afterAll(() => page.close());

  /** Node's fetch does not let a caller set the host. */
  function ask(method: string, path: string, headers: Record<string, string>, body = ''): Promise<number> {
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  const own = () => ({ host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` });
  const json = { 'content-type': 'application/json' };

  it('serves its page to a request for its own host', async () => {
    expect(await ask('GET', '/', { host: `localhost:${port}` })).toBe(200);
  });

  it.each([
    ['a name that leads to this machine', 'GET', () => ({ host: 'evil.example' })],
    ['another origin', 'GET', () => ({ ...own(), origin: 'https://evil.example' })],
    ['another port of this machine', 'POST', () => ({ ...own(), ...json, origin: 'http://127.0.0.1:1' })],
    ['no origin', 'POST', () => ({ host: own().host, ...json })],
    ['the type of a form', 'POST', () => ({ ...own(), 'content-type': 'text/plain' })],
    ['another method', 'PUT', () => ({ ...own(), ...json })],
  ])('refuses a request with %s', async (_, method, headers) => {
    expect(await ask(method, method === 'GET' ? '/' : '/api/weather', headers(), '')).toBe(403);
  });

  it('refuses a change that it does not know, and says why', async () => {
    expect(await ask('POST', '/api/weather', { ...own(), ...json }, '{"polyai":"sunny"}')).toBe(400);
    expect(await ask('POST', '/api/weather', { ...own(), ...json }, '{')).toBe(400);
    expect(
      await ask('POST', '/api/send', { ...own(), ...json }, '{"connection":"none","kind":"forged"}'),
    ).toBe(400);
  });

  it('keeps running without a stand-in', async () => {
    expect(await ask('POST', '/api/weather', { ...own(), ...json }, '{"polyai":"error"}')).toBe(200);
  });

  it('allows the page nothing from another host', async () => {
    const policy = (await fetch(page.url)).headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none'/);
    expect(policy).not.toMatch(/https?:|unsafe/);
  });
});
