import { describe, expect, it } from 'vitest';
import { CAUSES } from '../../../operate/why/causes.ts';
import { why } from '../../../operate/why/why.ts';
import { ago, deploymentOf, logsWith, NOW, type Put, surroundingsOf } from '../../support/operated.ts';

const SPAN = { from: NOW - 7 * 24 * 3_600_000, to: NOW + 1 };
const ID = 'CONV-1';
const TICKET = '35436';

const CONTENT = {
  polyai: { support: { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' } },
  connections: {
    'zendesk-support': { crm: 'zendesk', polyai: 'support' },
    'in-house': {
      crm: 'custom',
      polyai: 'support',
      verify: { scheme: 'bearer' },
      finishedWhen: 'always',
      conversationId: 'body.id',
    },
  },
};

const delivery = (line: Partial<Put> = {}): Put => ({
  at: ago(30),
  type: 'delivery',
  request_id: 'request-1',
  connection: 'zendesk-support',
  crm: 'zendesk',
  delivery_id: 'delivery-1',
  result: 'accepted',
  answer: 200,
  accepted: 1,
  ignored: [],
  conversation_ids: [ID],
  crm_ref: TICKET,
  ...line,
});

const close = (line: Partial<Put> = {}): Put => ({
  at: ago(29),
  type: 'close',
  request_id: 'request-1',
  outcome: 'closed',
  result: 'closed',
  final: true,
  connection: 'zendesk-support',
  project: 'support',
  conversation_id: ID,
  crm_ref: TICKET,
  delivery_id: 'delivery-1',
  source: 'webhook',
  polyai_correlation_id: 'correlation-1',
  ...line,
});

const refusal = (line: Partial<Put> = {}): Put => ({
  at: ago(20),
  type: 'delivery',
  request_id: 'request-9',
  connection: 'zendesk-support',
  result: 'refused',
  answer: 401,
  refused: 'signature_mismatch',
  ...line,
});

const ignored = (reason: string, part: object = { conversation_id: ID, crm_ref: TICKET }) =>
  delivery({ result: 'ignored', accepted: 0, conversation_ids: [], ignored: [{ reason, ...part }] });

const secretsManager = (changedAt?: string) =>
  ({ send: async () => ({ LastChangedDate: changedAt && new Date(changedAt) }) }) as never;

function ask(id: string, lines: readonly Put[], changedAt?: string) {
  const parts = { ...surroundingsOf(), logs: logsWith(lines), secretsManager: secretsManager(changedAt) };
  return why(id, deploymentOf(CONTENT), SPAN, parts);
}

const causesOf = async (id: string, lines: readonly Put[]) =>
  (await ask(id, lines)).chats.map(({ verdict }) => verdict.cause);

const STORIES: Record<(typeof CAUSES)[number], readonly Put[]> = {
  not_arrived: [],
  refused: [delivery({ result: 'refused', answer: 503, accepted: undefined, refused: 'queue_unavailable' })],
  not_finished: [ignored('not_finished')],
  no_conversation_id: [ignored('no_conversation_id')],
  unusable_conversation_id: [ignored('unusable_conversation_id')],
  rehearsed: [delivery({ accepted: 0, would_close: 1 })],
  waiting: [
    delivery(),
    close({ outcome: 'unavailable', final: false, result: 'waiting', next_try_in_s: 3600 }),
  ],
  dead_lettered: [
    delivery(),
    close({ outcome: 'unauthorized', result: 'given_up', reason: 'PolyAI answered 401' }),
  ],
  closed: [delivery(), close()],
  closed_by_cleanup: [close({ source: 'cleanup', connection: undefined, crm_ref: undefined })],
  already_ended: [delivery(), close({ outcome: 'already_ended', result: 'over' })],
  not_found: [delivery(), close({ outcome: 'not_found', result: 'over' })],
  no_conversation: [delivery(), close({ outcome: 'no_conversation', result: 'over' })],
  look_up_expired: [delivery(), close({ outcome: 'look_up_expired', result: 'given_up' })],
  cleanup_gave_up: [close({ source: 'cleanup', outcome: 'unavailable', result: 'given_up' })],
};

describe('a verdict', () => {
  it.each(CAUSES)('is %s, with a next step where somebody can act', async (cause) => {
    const { chats } = await ask(ID, STORIES[cause]);
    expect(chats.map(({ verdict }) => verdict.cause)).toEqual([cause]);
    const isOver = ['closed', 'already_ended'].includes(cause);
    const healsAlone = cause === 'waiting';
    expect(Boolean(chats[0]?.verdict.next)).toBe(!isOver && !healsAlone);
    expect(chats[0]?.verdict.sentence).not.toMatch(/undefined|NaN|null/);
  });

  it.each(['finished_not_boolean', 'test_event'])(
    'of a part ignored as %s is not_finished',
    async (reason) => {
      expect(await causesOf(ID, [ignored(reason)])).toEqual(['not_finished']);
    },
  );

  it('of a trimmed message is no_conversation_id', async () => {
    expect(await causesOf(TICKET, [ignored('message_trimmed', { crm_ref: TICKET })])).toEqual([
      'no_conversation_id',
    ]);
  });

  it('stays closed whatever came later', async () => {
    const later = [
      close({ at: ago(9), outcome: 'unauthorized', result: 'given_up' }),
      close({ at: ago(8), outcome: 'already_ended', result: 'over' }),
      ignored('not_finished'),
      delivery({ at: ago(1) }),
    ];
    expect(await causesOf(ID, [...STORIES.closed, ...later])).toEqual(['closed']);
  });

  it('is waiting when the chat was queued again after it was given up', async () => {
    expect(
      await causesOf(ID, [...STORIES.dead_lettered, delivery({ at: ago(1), request_id: 'request-2' })]),
    ).toEqual(['waiting']);
  });

  it('is not waiting when the worker was faster than the line of the delivery', async () => {
    const late = delivery({ at: ago(1) });
    expect(await causesOf(ID, [close({ outcome: 'not_found', result: 'over' }), late])).toEqual([
      'not_found',
    ]);
  });

  it('of a redrive that failed again is dead_lettered with the newest reason', async () => {
    const again = close({
      at: ago(1),
      outcome: 'rejected',
      result: 'given_up',
      reason: 'PolyAI answered 400',
    });
    const { chats } = await ask(ID, [...STORIES.dead_lettered, again]);
    expect(chats[0]?.verdict).toMatchObject({ cause: 'dead_lettered', final: true });
    expect(chats[0]?.verdict.sentence).toContain('PolyAI answered 400');
    expect(chats[0]?.verdict.next).toContain(`redrive --conversation ${ID}`);
  });

  it('of a wait says when the next try is', async () => {
    const { chats } = await ask(ID, STORIES.waiting);
    expect(chats[0]?.verdict.nextTryAt).toBe(ago(-31));
  });

  it.each([
    ['a close that was not tried for a quarter of an hour', [delivery()]],
    [
      'a try that is overdue',
      [close({ outcome: 'unavailable', final: false, result: 'waiting', next_try_in_s: 10 })],
    ],
  ])('of %s says that the worker may have stopped', async (_, lines) => {
    const { chats } = await ask(ID, lines);
    expect(chats[0]?.verdict.sentence).toContain('may have stopped');
    expect(chats[0]?.verdict.next).toContain('doctor');
  });

  it('of a wait that needs action names the command', async () => {
    const line = close({ outcome: 'unauthorized', final: false, result: 'waiting', next_try_in_s: 3600 });
    expect((await ask(ID, [line])).chats[0]?.verdict.next).toContain('secret set support');
  });

  it('names the values that count as finished', async () => {
    const content = {
      ...CONTENT,
      connections: { 'zendesk-support': { crm: 'zendesk', polyai: 'support', finishedValues: ['CLOSED'] } },
    };
    const parts = {
      ...surroundingsOf(),
      logs: logsWith(STORIES.not_finished),
      secretsManager: secretsManager(),
    };
    const { chats } = await why(ID, deploymentOf(content), SPAN, parts);
    expect(chats[0]?.verdict.sentence).toContain('CLOSED');
  });
});

describe('an id', () => {
  const lookUp = [
    delivery({ conversation_ids: [], shared_ids: ['shared-1'] }),
    close({ outcome: 'resolved', result: 'over', shared_id: 'shared-1' }),
    close({ at: ago(28) }),
  ];

  it.each([
    ['conversation id', ID],
    ['ticket', TICKET],
    ['delivery id', 'delivery-1'],
    ['request id', 'request-1'],
    ['correlation id', 'correlation-1'],
    ['address of Agent Studio', `https://studio.uk.poly.ai/acme/PROJECT-1/conversations/${ID}`],
    ['id with white space around it', ` ${ID} `],
  ])('may be a %s', async (_, id) => {
    const { chats } = await ask(id, STORIES.closed);
    expect(chats).toMatchObject([{ conversationId: ID, crmRef: TICKET, verdict: { cause: 'closed' } }]);
    expect(chats[0]?.timeline.map(({ type }) => type)).toEqual(['delivery', 'close']);
  });

  it('may be a shared id, which leads to its conversation', async () => {
    expect(await ask('shared-1', lookUp)).toMatchObject({
      chats: [{ conversationId: ID, verdict: { cause: 'closed' } }],
    });
  });

  it('of a conversation leads to the look-up that found it', async () => {
    const { chats } = await ask(ID, lookUp);
    expect(chats.map(({ timeline }) => timeline.length)).toEqual([3]);
  });

  it('of a ticket with several chats gives each its verdict', async () => {
    const second = { conversation_ids: ['CONV-2'], request_id: 'request-2', delivery_id: 'delivery-2' };
    const lines = [
      ...STORIES.closed,
      delivery({ at: ago(10), ...second }),
      close({
        at: ago(9),
        conversation_id: 'CONV-2',
        request_id: 'request-2',
        outcome: 'not_found',
        result: 'over',
      }),
    ];
    const { chats } = await ask(TICKET, lines);
    expect(chats.map(({ conversationId, verdict }) => [conversationId, verdict.cause])).toEqual([
      [ID, 'closed'],
      ['CONV-2', 'not_found'],
    ]);
  });

  it('of a ticket finds the close that the cleanup made without knowing the ticket', async () => {
    const lines = [
      ...STORIES.dead_lettered,
      close({
        at: ago(5),
        source: 'cleanup',
        request_id: 'run-1',
        crm_ref: undefined,
        connection: undefined,
      }),
    ];
    expect(await causesOf(TICKET, lines)).toEqual(['closed_by_cleanup']);
  });

  it('of a request with several chats gives them all, and of one of them only that', async () => {
    const batch = delivery({ conversation_ids: [ID, 'CONV-2'], crm_ref: undefined, accepted: 2 });
    const lines = [
      batch,
      close({ crm_ref: undefined }),
      close({ conversation_id: 'CONV-2', crm_ref: undefined }),
    ];
    expect((await ask('request-1', lines)).chats.map((chat) => chat.conversationId)).toEqual([ID, 'CONV-2']);
    expect((await ask(ID, lines)).chats.map((chat) => chat.conversationId)).toEqual([ID]);
  });

  it('of a refused delivery is found by its request id', async () => {
    const { chats } = await ask('request-9', [refusal()]);
    expect(chats[0]?.verdict).toMatchObject({ cause: 'refused' });
    expect(chats[0]?.verdict.sentence).toContain('401 signature_mismatch');
    expect(chats[0]?.verdict.next).toContain('secret set zendesk-support');
  });

  it('is not confused with a longer one that contains it', async () => {
    expect(await causesOf('CONV', STORIES.closed)).toEqual(['not_arrived']);
  });

  it('does not lead to the canary', async () => {
    expect(
      await causesOf(
        ID,
        STORIES.closed.map((line) => ({ ...line, canary: true })),
      ),
    ).toEqual(['not_arrived']);
  });
});

describe('an id about which nothing arrived', () => {
  it('names the connection that refuses, since when, its last good delivery and what changed', async () => {
    const good = delivery({ at: ago(60), conversation_ids: ['CONV-8'], crm_ref: '8' });
    const lines = [
      refusal({ at: ago(90) }),
      good,
      refusal(),
      refusal({ at: ago(10) }),
      refusal({ connection: 'in-house' }),
    ];
    const found = await ask(ID, lines, ago(23));
    expect(found.suspect).toEqual({
      connection: 'zendesk-support',
      cause: 'signature_mismatch',
      refused: 2,
      since: ago(20),
      lastAccepted: ago(60),
      secretChangedAt: ago(23),
    });
    expect(found.chats[0]?.verdict.sentence).toContain(`Its secret was changed at ${ago(23)}.`);
    expect(found.chats[0]?.verdict.next).toContain('secret set zendesk-support');
  });

  it('does not blame a secret that was changed long before', async () => {
    expect((await ask(ID, [refusal()], ago(500))).suspect).not.toHaveProperty('secretChangedAt');
  });

  it('may have come to an address that names no connection', async () => {
    const stray = refusal({ connection: undefined, answer: 404, refused: 'unknown_connection' });
    const found = await ask(ID, [stray, { ...stray, at: ago(10) }]);
    expect(found).not.toHaveProperty('suspect');
    expect(found.chats[0]?.verdict.sentence).toContain(
      '2 deliveries came to an address that names no connection.',
    );
    expect((await ask(ID, [])).chats[0]?.verdict.sentence).not.toContain('address');
  });

  it('has no suspect when nothing was refused, and names the connections', async () => {
    const found = await ask(ID, []);
    expect(found).not.toHaveProperty('suspect');
    expect(found.chats[0]?.verdict.sentence).toContain('zendesk-support, in-house');
    expect(found.chats[0]?.verdict.next).toContain('listen');
  });
});
