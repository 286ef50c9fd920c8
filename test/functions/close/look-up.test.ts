import type { SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeLookUp, nextLookUpInSeconds } from '../../../functions/close/look-up.ts';
import type { Outcome } from '../../../functions/close/outcome.ts';
import { type CloseParts, createClose } from '../../../functions/close.lambda.ts';
import type { CloseRequest } from '../../../functions/close-request.ts';
import type { PolyAIAnswer } from '../../../functions/polyai.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../functions/time.ts';
import { type Behaviour, type PolyAIStandIn, startPolyAI } from '../../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../../local/stack-log.ts';

const NOW = Date.parse('2026-08-01T12:00:00Z');
const CLOSES = 'https://sqs.example.com/closes';
const DEAD_LETTERS = 'https://sqs.example.com/dead-letters';
const TICKET = 'ticket-35436';

let polyai: PolyAIStandIn;

beforeEach(async () => {
  polyai = await startPolyAI();
});

afterEach(async () => {
  await polyai.close();
});

type Sent = Record<string, unknown> & { QueueUrl: string };

/** A worker with one request to look up, which was received `waitedMs` ago. */
async function lookUp({
  waitedMs = 0,
  change = {} as Partial<CloseRequest>,
  handoffApiKey = '',
  refuses = '',
} = {}) {
  const lines: LoggedLine[] = [];
  const sent: Sent[] = [];
  const secret = JSON.stringify({ ...polyai.keys, ...(handoffApiKey && { handoffApiKey }) });
  const close = createClose({
    projects: {
      'support-uk': {
        region: 'uk-1',
        baseUrl: polyai.url,
        version: 'v1',
        accountId: 'acme-uk',
        projectId: 'PROJECT-191bfa2a',
        secretId: 'secret',
      },
    },
    secrets: { read: async () => secret, readAgain: async () => secret, readAhead: async () => {} },
    sqs: {
      send: async ({ input }: { input: Sent }) => {
        if (input.QueueUrl === refuses && 'Entries' in input) throw new Error('no');
        sent.push(input);
        return { Successful: (input as unknown as SendMessageBatchCommandInput).Entries };
      },
    } as unknown as CloseParts['sqs'],
    closeQueueUrl: CLOSES,
    deadLetterQueueUrl: DEAD_LETTERS,
    fetch,
    writeLine: (line) => lines.push(line),
    now: () => NOW,
    random: () => 0,
  });
  const request: CloseRequest = {
    v: 1,
    requestId: 'request-1',
    source: 'webhook',
    project: 'support-uk',
    connection: 'hubspot-tickets',
    crm: 'hubspot',
    sharedId: TICKET,
    crmRef: TICKET,
    receivedAt: new Date(NOW - waitedMs).toISOString(),
    ...change,
  };
  const record = {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body: JSON.stringify(request),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(NOW - waitedMs),
      MessageGroupId: 'support-uk',
    },
  } as unknown as SQSRecord;
  const { batchItemFailures } = await close(
    { Records: [record] },
    { getRemainingTimeInMillis: () => 29_000 },
  );
  return { stays: batchItemFailures.length === 1, sent, line: lines.at(-1), lines, request };
}

describe('a shared id', () => {
  it('is resolved by the hand-off API, and its conversation is queued as a separate close', async () => {
    const conversationId = polyai.openChat();
    polyai.share(TICKET, conversationId);
    const { stays, sent, line, request } = await lookUp();
    const { sharedId: _gone, ...rest } = request;
    expect(stays).toBe(false);
    expect(sent).toEqual([
      {
        QueueUrl: CLOSES,
        Entries: [{ Id: '0', MessageBody: expect.any(String), MessageGroupId: 'support-uk' }],
      },
    ]);
    const [entry] = (sent[0] as unknown as SendMessageBatchCommandInput).Entries ?? [];
    expect(JSON.parse(entry?.MessageBody ?? '')).toEqual({ ...rest, conversationId });
    expect(line).toMatchObject({
      type: 'close',
      outcome: 'resolved',
      final: true,
      shared_id: TICKET,
      conversation_id: conversationId,
      polyai_status: 200,
    });
    expect(polyai.isOpen(conversationId)).toBe(true);
    expect(polyai.calls).toMatchObject([
      {
        method: 'GET',
        path: `/v1/acme-uk/PROJECT-191bfa2a/handoff_state?shared_id=${TICKET}`,
        headers: { 'x-api-key': polyai.keys.apiKey, 'x-polyai-correlation-id': 'request-1' },
        body: '',
      },
    ]);
  });

  it('is looked up with handoffApiKey if there is one, and never with the token', async () => {
    polyai.share(TICKET, polyai.openChat());
    await lookUp({ handoffApiKey: 'another-key' });
    const [call] = polyai.calls;
    expect(call?.headers['x-api-key']).toBe('another-key');
    expect(call?.headers).not.toHaveProperty('x-token');
  });

  it.each(['CONV-1 ', '\ufeffCONV-1', '\u00a0CONV-1\n'])(
    'is resolved although PolyAI pads the conversation id: %j',
    async (id) => {
      polyai.share(TICKET, id);
      expect((await lookUp()).line).toMatchObject({ outcome: 'resolved', conversation_id: 'CONV-1' });
    },
  );

  it.each([' ', 'null', 'None', '-'])('has no conversation when PolyAI answers %j', async (id) => {
    polyai.share(TICKET, id);
    const { line } = await lookUp({ change: { receivedAt: new Date(NOW - 2 * MINUTE_MS).toISOString() } });
    expect(line).toMatchObject({ outcome: 'no_conversation', final: true });
  });

  it('is encoded in the URL without any other change', async () => {
    const sharedId = 'INC 1/2?&=ü#';
    const conversationId = polyai.openChat();
    polyai.share(sharedId, conversationId);
    const { line } = await lookUp({ change: { sharedId } });
    expect(line).toMatchObject({ outcome: 'resolved', conversation_id: conversationId });
  });

  it.each([
    [0, 10],
    [30 * SECOND_MS, 30],
    [119 * SECOND_MS, 119],
  ])('that does not exist yet is retried while its delivery is %d ms old', async (waitedMs, seconds) => {
    const { stays, sent, line } = await lookUp({ waitedMs });
    const isShort = seconds <= 30;
    expect(stays).toBe(isShort);
    expect(sent).toMatchObject([
      isShort
        ? { QueueUrl: CLOSES, ReceiptHandle: 'r-1', VisibilityTimeout: seconds }
        : { QueueUrl: CLOSES, Entries: [{ Id: '0', DelaySeconds: seconds }] },
    ]);
    expect(line).toMatchObject({
      outcome: 'no_conversation',
      final: false,
      next_try_in_s: seconds,
      polyai_status: 404,
    });
  });

  it('that does not exist after two minutes gets the final outcome no_conversation', async () => {
    const { stays, sent, line } = await lookUp({ waitedMs: 2 * MINUTE_MS });
    expect({ stays, sent }).toEqual({ stays: false, sent: [] });
    expect(line).toMatchObject({ outcome: 'no_conversation', final: true });
  });

  it.each([null, ''])(
    'whose state has no conversation (%j) counts as one that does not exist',
    async (id) => {
      polyai.behave(() => ({ status: 200, body: { id, shared_id: TICKET } }));
      expect((await lookUp({ waitedMs: 2 * MINUTE_MS })).line).toMatchObject({
        outcome: 'no_conversation',
        final: true,
      });
    },
  );

  it.each<[string, Behaviour]>([
    ['unauthorized', { status: 401, body: { error_message: 'no' } }],
    ['unauthorized', { status: 403, body: { error_message: 'no' } }],
    ['throttled', { status: 429, body: {} }],
    ['unavailable', { status: 503, body: {} }],
    ['unavailable', { reset: 'before' }],
    ['misdirected', { status: 404, body: { error_code: 'PROJECT_NOT_FOUND' } }],
    ['misdirected', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }],
    ['unconfirmed', { status: 200, body: 'no JSON' }],
    ['unconfirmed', { status: 200, body: { id: 7 } }],
  ])('is retried after the outcome %s', async (outcome, behaviour) => {
    polyai.behave(() => behaviour);
    const { sent, line } = await lookUp({ waitedMs: 5 * MINUTE_MS });
    expect(sent).toMatchObject([{ QueueUrl: CLOSES, Entries: [{ DelaySeconds: 300 }] }]);
    expect(line).toMatchObject({ outcome, final: false, next_try_in_s: 300 });
  });

  it('is looked up a last time shortly before it is too late', async () => {
    polyai.behave(() => ({ status: 503 }));
    const { line } = await lookUp({ waitedMs: 11 * MINUTE_MS });
    expect(line).toMatchObject({ final: false, next_try_in_s: 4 * 60 - 15 });
  });

  it('is never resolved after its delivery is 15 minutes old, however young the message is', async () => {
    polyai.share(TICKET, polyai.openChat());
    const { stays, sent, line, request } = await lookUp({ waitedMs: 15 * MINUTE_MS });
    expect(polyai.calls).toEqual([]);
    expect(stays).toBe(false);
    expect(sent).toMatchObject([
      {
        QueueUrl: DEAD_LETTERS,
        MessageBody: JSON.stringify(request),
        MessageAttributes: { outcome: { StringValue: 'look_up_expired' } },
      },
    ]);
    expect(line).toMatchObject({ outcome: 'look_up_expired', final: true, shared_id: TICKET });
  });

  it('can be resolved for 15 minutes from the time that an operator sets, and its close does not keep that time', async () => {
    const conversationId = polyai.openChat();
    polyai.share(TICKET, conversationId);
    const waitedMs = 27 * HOUR_MS;
    const from = (ms: number) => ({ lookUpFrom: new Date(NOW - ms).toISOString() });
    const { sent, line, request } = await lookUp({ waitedMs, change: from(15 * MINUTE_MS - 1) });
    const [entry] = (sent[0] as unknown as SendMessageBatchCommandInput).Entries ?? [];
    const { sharedId: _resolved, lookUpFrom: _from, ...rest } = request;
    expect(JSON.parse(entry?.MessageBody ?? '')).toEqual({ ...rest, conversationId });
    expect(line).toMatchObject({ outcome: 'resolved', received_at: request.receivedAt });
    const late = await lookUp({ waitedMs, change: from(15 * MINUTE_MS) });
    expect(late.line).toMatchObject({ outcome: 'look_up_expired', final: true });
  });

  it('stays on the queue when its conversation cannot be queued', async () => {
    polyai.share(TICKET, polyai.openChat());
    const { stays, lines } = await lookUp({ refuses: CLOSES });
    expect(stays).toBe(true);
    expect(lines).toMatchObject([
      { type: 'fault', where: 'close: queue' },
      { type: 'close', outcome: 'resolved', final: false },
    ]);
  });

  it('that PolyAI rejects becomes a dead letter', async () => {
    polyai.behave(() => ({ status: 400, body: { error_code: 'SCHEMA_VALIDATION_FAILED' } }));
    const { stays, line } = await lookUp();
    expect(stays).toBe(false);
    expect(line).toMatchObject({ outcome: 'rejected', final: true });
  });
});

describe('the judgement of a look-up', () => {
  const ID = { conversationId: 'CONV-1' };
  const LOOK_UP = 'PolyAI answered the look-up';

  it.each<[number, Partial<PolyAIAnswer>, Outcome, string | undefined]>([
    [200, ID, 'resolved', undefined],
    [200, { isEmpty: true }, 'no_conversation', `${LOOK_UP} 200 without an id`],
    [200, {}, 'unconfirmed', `${LOOK_UP} 200 without an id`],
    [201, ID, 'unconfirmed', `${LOOK_UP} 201 without an id`],
    [204, { isEmpty: true }, 'unconfirmed', `${LOOK_UP} 204 without an id`],
    [199, ID, 'misdirected', `${LOOK_UP} 199`],
    [300, ID, 'misdirected', `${LOOK_UP} 300`],
    [404, {}, 'no_conversation', `${LOOK_UP} 404`],
    [
      404,
      { errorCode: 'CONVERSATIONS_NOT_FOUND' },
      'no_conversation',
      `${LOOK_UP} 404 CONVERSATIONS_NOT_FOUND`,
    ],
    [404, { errorCode: 'ACCOUNT_NOT_FOUND' }, 'misdirected', `${LOOK_UP} 404 ACCOUNT_NOT_FOUND`],
    [410, {}, 'rejected', `${LOOK_UP} 410`],
    [400, { errorCode: 'CHAT_TIMEOUT' }, 'rejected', `${LOOK_UP} 400 CHAT_TIMEOUT`],
    [429, {}, 'throttled', `${LOOK_UP} 429`],
    [503, { isEmpty: true }, 'unavailable', `${LOOK_UP} 503`],
  ])('of a %i with %j is %s', (status, fields, outcome, reason) => {
    const judgement = judgeLookUp({ status, success: false, ...fields } as PolyAIAnswer);
    expect(judgement).toEqual({ outcome, ...(reason && { reason }) });
  });

  it('is unavailable without an answer, for the reason of the failure', () => {
    expect(judgeLookUp({ failure: 'reset' })).toEqual({ outcome: 'unavailable', reason: 'reset' });
  });
});

describe('the wait before the next look-up', () => {
  const LAST_MS = 15 * MINUTE_MS - 15 * SECOND_MS;

  it.each([
    [0, 10],
    [LAST_MS - 10 * SECOND_MS, 10],
    [LAST_MS - 9 * SECOND_MS, 9],
    [LAST_MS - 1, 1],
    [LAST_MS, 15],
    [LAST_MS + SECOND_MS, 14],
    [LAST_MS + MINUTE_MS, 1],
  ])(
    'ends 15 s before it is too late, and after that when it is too late: after %d ms it is %d s',
    (waitedMs, seconds) => {
      const receivedAt = new Date(NOW - waitedMs).toISOString();
      expect(nextLookUpInSeconds({ receivedAt }, NOW, 0, 0, 0)).toBe(seconds);
    },
  );
});
