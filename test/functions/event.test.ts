import type { SQSEvent, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloseRequest } from '../../functions/close-request.ts';
import type { Connection } from '../../functions/connections.ts';
import { createEvents } from '../../functions/event.lambda.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { bindAllEvents } from '../support/bind.ts';

const NOW = Date.parse('2026-01-22T13:51:00Z');
const SENT = Date.parse('2026-01-22T13:50:30Z');

const connection = (settings: Partial<Connection> = {}): Connection => ({
  crm: 'eventbridge',
  project: 'support',
  verify: { scheme: 'event-bus' },
  finishedWhen: "detail.status == 'closed'",
  conversationId: 'detail.chat',
  ...settings,
});

const EVENT = {
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Ticket changed',
  source: 'acme.desk',
  account: '111122223333',
  time: '2026-01-22T13:50:00Z',
  region: 'us-east-1',
  resources: [],
  detail: { status: 'closed', chat: 'KpQx-polyai-0001' as unknown },
};

/** A message as the stack's rules put it on the queue. */
function record(event: unknown = EVENT, { name = 'desk' as unknown, messageId = 'm-1' } = {}): SQSRecord {
  const body = JSON.stringify({ connection: name, event });
  return { messageId, body, attributes: { SentTimestamp: `${SENT}` } } as unknown as SQSRecord;
}

type Options = { connections?: Record<string, Connection>; fails?: (request: CloseRequest) => boolean };

async function read(records: SQSRecord[], options: Options = {}) {
  const { connections = { desk: connection() }, fails = () => false } = options;
  const queued: CloseRequest[] = [];
  const lines: LoggedLine[] = [];
  const events = createEvents({
    connections: bindAllEvents(connections),
    queue: async (requests) => {
      if (requests.some(fails)) throw new Error('SQS is down');
      queued.push(...requests);
    },
    writeLine: (line) => lines.push(line),
    now: () => NOW,
  });
  const { batchItemFailures } = await events({ Records: records } as SQSEvent);
  return { left: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), queued, lines };
}

describe('an event that ends a conversation', () => {
  it('is queued as a close with its source, connection and ids', async () => {
    const { left, queued } = await read([record()]);
    expect(left).toEqual([]);
    expect(queued).toEqual([
      {
        v: 1,
        requestId: EVENT.id,
        source: 'event',
        project: 'support',
        connection: 'desk',
        crm: 'eventbridge',
        conversationId: 'KpQx-polyai-0001',
        deliveryId: EVENT.id,
        receivedAt: '2026-01-22T13:50:00.000Z',
      },
    ]);
  });

  it('writes one line, without an answer', async () => {
    const { lines } = await read([record()]);
    expect(JSON.parse(JSON.stringify(lines))).toEqual([
      {
        type: 'delivery',
        request_id: EVENT.id,
        connection: 'desk',
        crm: 'eventbridge',
        delivery_id: EVENT.id,
        result: 'accepted',
        accepted: 1,
        ignored: [],
        conversation_ids: ['KpQx-polyai-0001'],
        took_ms: 0,
      },
    ]);
  });

  it('can close several conversations', async () => {
    const { queued } = await read([
      record({ ...EVENT, detail: { status: 'closed', chat: ['a', 'b', 'a'] } }),
    ]);
    expect(queued.map(({ conversationId }) => conversationId)).toEqual(['a', 'b']);
  });

  it('can ask for a look-up', async () => {
    const desk = connection({
      lookUp: 'sharedId',
      sharedId: 'detail.ticket',
      repeatedFinish: 'allow',
    });
    const event = { ...EVENT, detail: { status: 'closed', ticket: 7 } };
    const { queued, lines } = await read([record(event)], { connections: { desk } });
    expect(queued).toEqual([expect.objectContaining({ sharedId: '7' })]);
    expect(queued[0]).not.toHaveProperty('conversationId');
    expect(lines[0]).toMatchObject({ shared_ids: ['7'], conversation_ids: [] });
  });

  it.each([
    ['has no time', { ...EVENT, time: undefined }],
    ['has a time that is none', { ...EVENT, time: 'yesterday' }],
    ['is from the future', { ...EVENT, time: '2030-01-01T00:00:00Z' }],
  ])('counts as received when SQS received it if it %s', async (_, event) => {
    const { queued } = await read([record(event)]);
    expect(queued[0]?.receivedAt).toBe(new Date(SENT).toISOString());
  });

  it.each([[undefined], [''], [7.5], ['x'.repeat(257)], [{}]])(
    'gets the id of its message if its own is %j',
    async (id) => {
      const { queued } = await read([record({ ...EVENT, id })]);
      expect(queued[0]).toMatchObject({ requestId: 'm-1' });
      expect(queued[0]).not.toHaveProperty('deliveryId');
    },
  );
});

describe('an event of a connection in rehearsal', () => {
  it('is deleted and queues nothing, and its line says what it would close', async () => {
    const desk = connection({ rehearse: true });
    const { left, queued, lines } = await read([record()], { connections: { desk } });
    expect({ left, queued }).toEqual({ left: [], queued: [] });
    expect(lines).toMatchObject([
      { result: 'accepted', accepted: 0, would_close: 1, conversation_ids: ['KpQx-polyai-0001'] },
    ]);
  });
});

describe('an event that ends no conversation', () => {
  it.each([
    ['not_finished', { status: 'open', chat: 'c' }, { conversation_id: 'c' }],
    ['no_conversation_id', { status: 'closed' }, {}],
    ['unusable_conversation_id', { status: 'closed', chat: {} }, {}],
  ])('is deleted, and the line says why: %s', async (reason, detail, ids) => {
    const { left, queued, lines } = await read([record({ ...EVENT, detail })]);
    expect({ left, queued }).toEqual({ left: [], queued: [] });
    const ignored = [{ reason, ...ids }];
    expect(lines).toEqual([
      expect.objectContaining({ type: 'delivery', result: 'ignored', accepted: 0, ignored }),
    ]);
  });
});

describe('a message that cannot be read', () => {
  const many = {
    ...EVENT,
    detail: { status: 'closed', chat: Array.from({ length: 101 }, (_, id) => `c${id}`) },
  };

  it.each<[string, SQSRecord, string]>([
    ['is not JSON', { ...record(), body: '{"connection":' }, 'the message is not JSON'],
    ['is the event alone', { ...record(), body: JSON.stringify(EVENT) }, 'not { connection, event }'],
    ['has no event', { ...record(), body: '{"connection":"desk"}' }, 'not { connection, event }'],
    ['names no connection', record(EVENT, { name: 7 }), 'not { connection, event }'],
    ['names one of another deployment', record(EVENT, { name: 'gone' }), 'not in this deployment'],
    ['names what every object has', record(EVENT, { name: 'constructor' }), 'not in this deployment'],
    ['asks for too much', record(many), 'at most 100 conversations'],
  ])('stays for the dead-letter queue and writes a fault line when it %s', async (_, message, reason) => {
    const { left, queued, lines } = await read([message]);
    expect({ left, queued }).toEqual({ left: ['m-1'], queued: [] });
    expect(lines).toEqual([
      expect.objectContaining({
        type: 'fault',
        where: 'event: message',
        error: { name: 'UnreadableEvent', message: expect.stringContaining(reason) },
      }),
    ]);
  });

  it('is not quoted in the line', async () => {
    const { lines } = await read([{ ...record(), body: '{"secret canary' }]);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });
});

describe('a batch', () => {
  it('leaves only the failed records on the queue', async () => {
    const about = (chat: string) => ({ ...EVENT, id: chat, detail: { status: 'closed', chat } });
    const { left, queued, lines } = await read(
      [
        record(about('a'), { messageId: 'm-a' }),
        record(about('b'), { messageId: 'm-b' }),
        { ...record(), messageId: 'm-c', body: '' },
      ],
      { fails: ({ conversationId }) => conversationId === 'b' },
    );
    expect(left).toEqual(['m-b', 'm-c']);
    expect(queued.map(({ conversationId }) => conversationId)).toEqual(['a']);
    const refused = lines.find(({ request_id, type }) => request_id === 'b' && type === 'delivery');
    expect(refused).toMatchObject({ refused: 'queue_unavailable', conversation_ids: ['b'] });
    expect(refused?.accepted).toBeUndefined();
    expect(lines).toContainEqual(expect.objectContaining({ type: 'fault', where: 'event: queue' }));
  });

  it('never fails as a whole, whatever its records hold', async () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((event) => JSON.stringify({ connection: 'desk', event })),
    );
    await fc.assert(
      fc.asyncProperty(
        bodies,
        fc.constantFrom('eventbridge', 'genesys-eventbridge', 'salesforce-event-relay'),
        async (body, crm) => {
          const desk = connection({ crm });
          const { left, lines } = await read([{ ...record(), body }], { connections: { desk } });
          expect(left.length + lines.filter(({ type }) => type === 'delivery').length).toBe(1);
        },
      ),
    );
  });
});
