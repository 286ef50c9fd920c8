import { describe, expect, it } from 'vitest';
import { faultsOf } from '../../support/crm.ts';
import { startReceiver } from '../../support/receiver.ts';

const SECRET = 'a-secret-for-both-fields';
const DOMAIN = '48cc6703bdae1462ce06a555';
const NOW = Date.parse('2026-07-01T12:00:00Z');

type Sent = {
  method?: string;
  query?: string;
  body?: string;
  given?: string;
  settings?: Record<string, unknown>;
  secret?: string | string[];
};

async function send({ given = SECRET, settings = {}, secret = SECRET, ...request }: Sent) {
  const receiver = startReceiver('ringcx', settings, { token: secret }, NOW);
  const answer = await receiver.send({ headers: given ? { 'x-dimelo-secret': given } : {}, ...request });
  return { ...answer, queued: receiver.queued };
}

const event = (type: string, id: string, chat: unknown = `chat-${id}`) => ({
  type,
  id: `event-${id}`,
  issued_at: '2026-07-01T11:59:58.000Z',
  resource: {
    type: 'intervention',
    id: `intervention-${id}`,
    metadata: { custom_field_values: { polyai_conversation_id: chat }, thread_id: `thread-${id}` },
  },
});
const batch = (...events: unknown[]) => JSON.stringify({ id: 'batch-1', domain_id: DOMAIN, events });

describe('the check of the address', () => {
  const query = (more: Record<string, string> = {}) =>
    new URLSearchParams({
      'hub.mode': 'subscribe',
      'hub.challenge': '1158201444',
      'hub.verify_token': SECRET,
      ...more,
    }).toString();

  it('is answered with the challenge as the whole body, if both values are the secret', async () => {
    const answer = await send({ method: 'GET', query: query() });
    expect(answer).toMatchObject({ status: 200, body: '1158201444', queued: [] });
    expect(answer.headers).toEqual({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.line).toMatchObject({ answer: 200 });
  });

  it('is answered with the old value and the new one during a rotation, but not with one of each', async () => {
    const secret = ['the-new-one', SECRET];
    for (const value of secret) {
      const token = { 'hub.verify_token': value };
      const { status } = await send({ method: 'GET', query: query(token), given: value, secret });
      expect(status).toBe(200);
    }
    const mixed = await send({ method: 'GET', query: query(), given: 'the-new-one', secret });
    expect(mixed.code).toBe('credential_mismatch');
  });

  it.each<[string, Sent, string]>([
    ['no secret in the header', { given: '', query: query() }, 'credential_missing'],
    ['another secret in the header', { given: 'another', query: query() }, 'credential_mismatch'],
    ['another token', { query: query({ 'hub.verify_token': 'another' }) }, 'credential_mismatch'],
    ['no token', { query: query({ 'hub.verify_token': '' }) }, 'credential_mismatch'],
    ['another mode', { query: query({ 'hub.mode': 'unsubscribe' }) }, 'credential_mismatch'],
    ['no query', {}, 'credential_mismatch'],
    ['a challenge that is a script', { query: query({ 'hub.challenge': '<script>' }) }, 'body_unreadable'],
    ['no challenge', { query: query({ 'hub.challenge': '' }) }, 'body_unreadable'],
    ['a query that is too large', { query: `${query()}${'&a'.repeat(1000)}` }, 'credential_mismatch'],
  ])('is refused with %s', async (_what, sent, code) => {
    const answer = await send({ method: 'GET', ...sent });
    expect(answer.code).toBe(code);
    expect(answer.body).not.toContain('1158201444');
  });

  it.each(['HEAD', 'PUT', 'DELETE', 'OPTIONS'])('is not answered to the method %s', async (method) => {
    expect((await send({ method, query: query() })).code).toBe('method_not_allowed');
  });

  it('does not let a delivery through by GET, nor a challenge by POST', async () => {
    const body = batch(event('intervention.closed', '1'));
    const byGet = await send({ method: 'GET', body });
    expect([byGet.code, byGet.queued]).toEqual(['credential_mismatch', []]);
    const byPost = await send({ query: query(), body });
    expect(byPost.queued).toHaveLength(1);
    expect(byPost.body).not.toContain('1158201444');
  });

  it('is refused from an address that is not allowed', async () => {
    const settings = { allowedSources: ['192.0.2.0/24'] };
    expect((await send({ method: 'GET', query: query(), settings })).code).toBe('source_not_allowed');
  });
});

describe('a delivery', () => {
  it('closes every closed intervention of its batch, and is answered exactly 200', async () => {
    const body = batch(
      event('intervention.assigned', '1'),
      event('intervention.closed', '2'),
      event('intervention.closed', '3'),
      event('intervention.closed', '4', null),
    );
    const { status, queued, body: answer } = await send({ body });
    expect(status).toBe(200);
    expect(queued).toMatchObject([
      { conversationId: 'chat-2', crmRef: 'intervention-2', deliveryId: 'event-2' },
      { conversationId: 'chat-3', crmRef: 'intervention-3', deliveryId: 'event-3' },
    ]);
    expect(JSON.parse(answer)).toMatchObject({
      accepted: 2,
      ignored: [{ reason: 'not_finished' }, { reason: 'no_conversation_id' }],
    });
  });

  it.each<[string, Sent, string]>([
    ['no secret', { given: '' }, 'credential_missing'],
    ['another secret', { given: `${SECRET}x` }, 'credential_mismatch'],
    ['another domain', { settings: { sender: '48cc6703bdae1462ce06a556' } }, 'sender_mismatch'],
    ['1,001 events', { body: batch(...Array(1001).fill({})) }, 'body_unreadable'],
  ])('is refused with %s', async (_what, sent, code) => {
    const answer = await send({ body: batch(event('intervention.closed', '1')), ...sent });
    expect([answer.code, answer.queued]).toEqual([code, []]);
  });

  it.each(['{}', '[]', 'null', '{"events":{}}', '{"events":[null,7,"x",[]]}'])(
    'without events is answered 200 and closes nothing: %s',
    async (body) => {
      expect(await send({ body })).toMatchObject({ status: 200, queued: [] });
    },
  );

  it.each([
    'intervention.opened',
    'intervention.reopened',
    'intervention.canceled',
    'intervention.deferred',
    'task.completed',
    'content.imported',
  ])('about %s closes nothing', async (type) => {
    expect(await send({ body: batch(event(type, '1')) })).toMatchObject({ status: 200, queued: [] });
  });

  it('is looked up only where the intervention was closed, at the time of the event', async () => {
    const settings = { lookUp: 'sharedId', finishedValues: ['intervention.closed', 'intervention.canceled'] };
    const body = batch(event('intervention.canceled', '1'), event('intervention.closed', '2'));
    const { queued } = await send({ body, settings });
    expect(queued).toMatchObject([{ sharedId: 'intervention-2', receivedAt: '2026-07-01T11:59:58.000Z' }]);
  });
});

describe('the configuration', () => {
  it.each([
    ['no setting', {}],
    ['the domain', { sender: DOMAIN }],
    ['the look-up by the thread', { lookUp: 'sharedId', sharedId: 'body.resource.metadata.thread_id' }],
  ])('accepts %s', (_what, settings) => {
    expect(faultsOf('ringcx', settings)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a name as the sender', { sender: 'acme' }, 'connections.c.sender is "acme"'],
    [
      'the batch in a selector',
      { conversationId: 'body[0].id' },
      'connections.c.conversationId uses the body as a list',
    ],
    [
      'a look-up of deferred interventions',
      { lookUp: 'sharedId', finishedValues: ['intervention.deferred'] },
      'connections.c.lookUp is not safe',
    ],
  ])('is a fault with %s', (_what, settings, fault) => {
    const faults = faultsOf('ringcx', settings).map(({ path, problem }) => `${path} ${problem}`);
    expect(faults).toEqual([expect.stringContaining(fault)]);
  });
});
