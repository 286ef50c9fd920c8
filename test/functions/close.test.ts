import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ChangeMessageVisibilityCommand,
  type ChangeMessageVisibilityCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CloseParts, createClose } from '../../functions/close.lambda.ts';
import type { CloseRequest } from '../../functions/close-request.ts';
import type { Project } from '../../functions/connections.ts';
import { createSecretReader } from '../../functions/secrets.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../functions/time.ts';
import { requestFaults } from '../../local/contract.ts';
import { type Behaviour, type Keys, type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { inOrderOfSchema } from '../support/line-order.ts';

const NOW = Date.parse('2026-08-01T12:00:00.000Z');
const CLOSE_QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/close';
const DEAD_LETTER_QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/dead-letter';
const SECRET_ID = 'polyai-chat-closer/polyai/support-uk/secret';

// The property tests make hundreds of real calls, on machines that may be busy with something else.
vi.setConfig({ testTimeout: MINUTE_MS });

let polyai: PolyAIStandIn;

beforeEach(async () => {
  polyai = await startPolyAI();
});

afterEach(async () => {
  expect(polyai.calls.filter(({ path }) => path.endsWith('/chat/close')).flatMap(requestFaults)).toEqual([]);
  await polyai.close();
});

type Sent = SendMessageCommandInput | ChangeMessageVisibilityCommandInput;

/**
 * A worker for one project whose secret holds the right keys, with enough time left. `parts` replaces
 * parts of it.
 */
function createWorker(parts: Partial<CloseParts> = {}, remainingMs = 29_000) {
  const lines: LoggedLine[] = [];
  const sent: Sent[] = [];
  const vault = { text: secretOf(polyai.keys), reads: 0, fails: undefined as Error | undefined };
  const clock = { now: NOW };
  const projects: Record<string, Project> = {
    'support-uk': {
      region: 'uk-1',
      baseUrl: polyai.url,
      version: 'v1',
      accountId: 'acme-uk',
      projectId: 'PROJECT-191bfa2a',
      secretId: SECRET_ID,
    },
  };
  const fetchSecret = async () => {
    vault.reads += 1;
    if (vault.fails) throw vault.fails;
    return { SecretString: vault.text };
  };
  const handle = createClose({
    projects,
    secrets: createSecretReader(fetchSecret, () => clock.now),
    sqs: recording(sent),
    closeQueueUrl: CLOSE_QUEUE_URL,
    deadLetterQueueUrl: DEAD_LETTER_QUEUE_URL,
    fetch,
    writeLine: (line) => lines.push(line),
    now: () => clock.now,
    random: () => 0,
    ...parts,
  });
  /** Returns the ids of the messages that stay on the queue. */
  const close = async (...records: SQSRecord[]) => {
    const context = { getRemainingTimeInMillis: () => remainingMs };
    const { batchItemFailures } = await handle({ Records: records }, context);
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  return { close, lines, sent, vault, clock, projects };
}

function secretOf({ apiKey, token }: Keys): string {
  return JSON.stringify({ apiKey, token });
}

/** An SQS that confirms everything except what `refuses` names. */
function recording(sent: Sent[], refuses: (command: object) => boolean = () => false): CloseParts['sqs'] {
  const send = async (command: { input: Sent }) => {
    if (refuses(command))
      throw Object.assign(new Error('Service Unavailable'), { name: 'ServiceUnavailable' });
    sent.push(command.input);
    const { Entries = [] } = command.input as { Entries?: { Id: string }[] };
    return { Successful: Entries.map(({ Id }) => ({ Id })) };
  };
  return { send } as unknown as CloseParts['sqs'];
}

function request(change: Partial<CloseRequest> = {}): CloseRequest {
  return {
    v: 1,
    requestId: 'request-1',
    source: 'webhook',
    project: 'support-uk',
    connection: 'zendesk-support',
    crm: 'zendesk',
    conversationId: polyai.openChat(),
    crmRef: '4711',
    deliveryId: 'delivery-1',
    receivedAt: '2026-08-01T11:59:59.000Z',
    ...change,
  };
}

/** A URL where nothing listens. */
async function nobody(): Promise<{ baseUrl: string }> {
  const { url, close } = await startPolyAI();
  await close();
  return { baseUrl: url };
}

let messages = 0;

/** A message as SQS delivers it. A body that is not a string is written as JSON. */
function message(body: unknown = request(), ageMs = 0): SQSRecord {
  messages += 1;
  return {
    messageId: `message-${messages}`,
    receiptHandle: `receipt-${messages}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(NOW - ageMs),
      SenderId: 'AIDAEXAMPLE',
      ApproximateFirstReceiveTimestamp: String(NOW - ageMs),
      MessageGroupId: 'support-uk',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:close',
    awsRegion: 'eu-west-1',
  };
}

function postponed(record: SQSRecord, seconds: number): Sent {
  return { QueueUrl: CLOSE_QUEUE_URL, ReceiptHandle: record.receiptHandle, VisibilityTimeout: seconds };
}

/** The send that puts a message back onto its queue, until its next attempt in `seconds`. */
function sentBack(record: SQSRecord, seconds: number): Sent {
  const { ApproximateFirstReceiveTimestamp, SentTimestamp } = record.attributes;
  const body = {
    ...JSON.parse(record.body),
    triedSince: new Date(Number(ApproximateFirstReceiveTimestamp ?? SentTimestamp)).toISOString(),
    notBefore: new Date(NOW + seconds * SECOND_MS).toISOString(),
  };
  const entry = { Id: '0', MessageBody: JSON.stringify(body), DelaySeconds: Math.min(seconds, 900) };
  return { QueueUrl: CLOSE_QUEUE_URL, Entries: [entry] } as unknown as Sent;
}

function deadLetter({ body }: SQSRecord, outcome: string, reason: unknown): Sent {
  return {
    QueueUrl: DEAD_LETTER_QUEUE_URL,
    MessageBody: body,
    MessageGroupId: 'support-uk',
    MessageAttributes: {
      outcome: { DataType: 'String', StringValue: outcome },
      reason: { DataType: 'String', StringValue: reason as string },
    },
  };
}

function without<Key extends keyof CloseRequest>(...keys: Key[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(request()).filter(([key]) => !keys.includes(key as Key)));
}

const refusal = (status: number, error_code?: string): Behaviour => ({
  status,
  body: { success: false, error_code, error_message: 'why' },
});

describe('after the outcome', () => {
  it.each<[string, Behaviour]>([
    ['closed', {}],
    ['already_ended', refusal(410, 'CHAT_CONVERSATION_ENDED')],
    ['already_ended', refusal(404, 'CONVERSATIONS_NOT_FOUND')],
    ['already_ended', refusal(400, 'CHAT_TIMEOUT')],
    ['not_found', refusal(404)],
  ])('%s: the message is deleted', async (outcome, behaviour) => {
    const { close, lines, sent } = createWorker();
    polyai.behave(() => behaviour);
    expect(await close(message())).toEqual([]);
    expect(sent).toEqual([]);
    expect(lines).toMatchObject([{ type: 'close', outcome, final: true }]);
    expect(lines[0]?.next_try_in_s).toBeUndefined();
  });

  it.each<[string, Behaviour]>([
    ['misdirected', refusal(404, 'PROJECT_NOT_FOUND')],
    ['misdirected', { status: 301, headers: { location: 'https://example.com/' } }],
    ['unconfirmed', { status: 200, body: { success: false } }],
    ['unauthorized', refusal(401)],
    ['unauthorized', refusal(403)],
    ['throttled', refusal(429)],
    ['unavailable', refusal(503)],
    ['unavailable', { reset: 'before' }],
  ])('%s: the message waits longer the older it is', async (outcome, behaviour) => {
    const { close, lines, sent } = createWorker();
    polyai.behave(() => behaviour);
    const [young, older] = [message(), message(request(), 40 * SECOND_MS)];
    expect(await close(young, older)).toEqual([young.messageId]);
    expect(new Set(sent)).toEqual(new Set([postponed(young, 10), sentBack(older, 40)]));
    expect(lines).toMatchObject([
      { outcome, final: false, reason: expect.stringMatching(/PolyAI/) },
      { outcome, final: false },
    ]);
    expect(lines.map((line) => line.next_try_in_s).sort()).toEqual([10, 40]);
  });

  it.each([
    [400, 'CONVERSATIONS_VALIDATION_FAILED'],
    [422, undefined],
    [501, undefined],
  ])('rejected (%i %s): the message becomes a dead letter at once', async (status, code) => {
    const { close, lines, sent } = createWorker();
    polyai.behave(() => refusal(status, code));
    const record = message();
    expect(await close(record)).toEqual([]);
    const reason = `PolyAI answered ${status}${code ? ` ${code}` : ''}`;
    expect(sent).toEqual([deadLetter(record, 'rejected', reason)]);
    expect(lines).toMatchObject([{ outcome: 'rejected', final: true, reason }]);
  });

  it('unavailable: the wait has up to 20 % jitter', async () => {
    const { close, sent } = createWorker({ random: () => 1 });
    polyai.behave(() => refusal(503));
    const record = message(request(), 100 * SECOND_MS);
    await close(record);
    expect(sent).toEqual([sentBack(record, 120)]);
  });

  it.each([
    ['120', 120],
    ['5', 10],
    ['86400', 86_400],
    ['999999', 86_400],
  ])('throttled: the wait follows a Retry-After of %s', async (retryAfter, seconds) => {
    const { close, lines, sent } = createWorker();
    polyai.behave(() => ({ status: 429, headers: { 'retry-after': retryAfter } }));
    const record = message();
    await close(record);
    expect(sent).toEqual([seconds > 30 ? sentBack(record, seconds) : postponed(record, seconds)]);
    expect(lines).toMatchObject([{ outcome: 'throttled', next_try_in_s: seconds }]);
  });
});

describe('giving up', () => {
  it.each<[string, Behaviour, number]>([
    ['unavailable', refusal(503), 74 * HOUR_MS],
    ['unauthorized', refusal(401), 74 * HOUR_MS],
    ['misdirected', refusal(404, 'ACCOUNT_NOT_FOUND'), 74 * HOUR_MS],
    ['throttled', refusal(429), 74 * HOUR_MS],
  ])(
    'an %s close becomes a dead letter when its time is over, and not earlier',
    async (outcome, behaviour, ageMs) => {
      const { close, lines, sent } = createWorker();
      polyai.behave(() => behaviour);
      const [tried, last] = [message(request(), ageMs - 1), message(request(), ageMs)];
      expect(await close(tried)).toEqual([]);
      expect(await close(last)).toEqual([]);
      const reason = expect.stringMatching(
        new RegExp(`given up after ${ageMs / HOUR_MS}\\.0 h: PolyAI answered`),
      );
      expect(sent).toEqual([sentBack(tried, 3600), deadLetter(last, outcome, reason)]);
      expect(lines).toMatchObject([{ final: false }, { outcome, final: true, reason }]);
    },
  );

  it('does not count the days before the message was first taken off its queue', async () => {
    const { close, lines, sent } = createWorker();
    polyai.behave(() => refusal(503));
    const record = message(request(), 100 * HOUR_MS);
    record.attributes.ApproximateFirstReceiveTimestamp = String(NOW);
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 10)]);
    expect(lines).toMatchObject([{ final: false, late: 0 }]);
  });

  it('does not apply when the last attempt closes the chat', async () => {
    const { close, lines, sent } = createWorker();
    expect(await close(message(request(), 75 * HOUR_MS))).toEqual([]);
    expect(lines).toMatchObject([{ outcome: 'closed', final: true }]);
    expect(sent).toEqual([]);
  });

  it('dead-letters a message whose project was never in a deployment', async () => {
    const { close, sent } = createWorker();
    const record = message(request({ project: 'removed' }), 74 * HOUR_MS);
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([
      deadLetter(record, 'unknown_target', expect.stringMatching(/^given up after 74\.0 h: /)),
    ]);
  });
});

/** Doubtful answers to a call that did close the chat. */
const DOUBTFUL: [string, string, Behaviour][] = [
  ['unavailable', 'a body that is cut off', { truncate: true }],
  ['unconfirmed', 'a body that is too large', { padToBytes: 80 * 1024 }],
  ['unavailable', 'a reset', { reset: 'after' }],
];

/** Doubtful answers to a call that did not close the chat. */
const IN_VAIN: [string, string, Behaviour][] = [
  ['unconfirmed', 'a 200 without success', { status: 200, body: { success: false } }],
  ['unconfirmed', 'a 202', { status: 202, body: { success: true } }],
  ['unconfirmed', 'a 204', { status: 204 }],
  ['unavailable', 'a 502', refusal(502)],
  ['unavailable', 'a 504', refusal(504)],
  ['unavailable', 'a reset', { reset: 'before' }],
];

describe('a close that was sent back', () => {
  const back = (dueInMs: number, triedForMs = 2 * HOUR_MS) =>
    message(
      request({
        triedSince: new Date(NOW - triedForMs).toISOString(),
        notBefore: new Date(NOW + dueInMs).toISOString(),
      }),
    );

  it('is not called for before its time, and writes no line', async () => {
    const { close, lines, sent } = createWorker();
    const record = back(HOUR_MS);
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([
      {
        QueueUrl: CLOSE_QUEUE_URL,
        Entries: [{ Id: '0', MessageBody: record.body, DelaySeconds: 900 }],
      },
    ]);
    expect(lines).toEqual([]);
    expect(polyai.calls).toEqual([]);
  });

  it('is hidden instead if its time comes within half a minute', async () => {
    const { close, sent } = createWorker();
    const record = back(20 * SECOND_MS);
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 20)]);
  });

  it('is called for when its time has come', async () => {
    const { close, lines } = createWorker();
    expect(await close(back(0))).toEqual([]);
    expect(lines).toMatchObject([{ outcome: 'closed', final: true }]);
  });

  it('keeps the clock of its first attempt', async () => {
    const { close, lines, sent } = createWorker();
    polyai.behave(() => refusal(503));
    const record = back(0);
    await close(record);
    const [entry] = (sent[0] as unknown as { Entries: { MessageBody: string; DelaySeconds: number }[] })
      .Entries;
    expect(JSON.parse(entry?.MessageBody ?? '')).toMatchObject({
      triedSince: new Date(NOW - 2 * HOUR_MS).toISOString(),
      notBefore: new Date(NOW + HOUR_MS).toISOString(),
    });
    expect(entry?.DelaySeconds).toBe(900);
    expect(lines).toMatchObject([{ final: false, late: 1, next_try_in_s: 3600 }]);
  });

  it('is given up 74 hours after its first attempt, however young its message is', async () => {
    const { close, sent } = createWorker();
    polyai.behave(() => refusal(503));
    const record = back(0, 74 * HOUR_MS);
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([deadLetter(record, 'unavailable', expect.stringMatching(/^given up after 74/))]);
  });

  it('keeps what a newer version has added to its message', async () => {
    const { close, sent } = createWorker();
    polyai.behave(() => refusal(503));
    await close(message({ ...request(), added: { later: true } }, HOUR_MS));
    expect(JSON.stringify(sent)).toContain('\\"added\\":{\\"later\\":true}');
  });

  it('has no message group, because AWS documents none for a delayed message', async () => {
    const { close, sent } = createWorker();
    await close(back(HOUR_MS));
    expect(JSON.stringify(sent)).not.toContain('MessageGroupId');
  });

  it('goes with the others of its batch in one call', async () => {
    const { close, sent } = createWorker();
    expect(await close(...Array.from({ length: 10 }, () => back(HOUR_MS)))).toEqual([]);
    expect(sent).toMatchObject([{ Entries: Array.from({ length: 10 }, () => ({ DelaySeconds: 900 })) }]);
  });

  it('stays in flight until its time if SQS refuses the send', async () => {
    const sent: Sent[] = [];
    const refuses = (command: object) => command.constructor.name === 'SendMessageBatchCommand';
    const { close, lines } = createWorker({ sqs: recording(sent, refuses) });
    const record = back(HOUR_MS);
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 3600)]);
    expect(lines).toMatchObject([{ type: 'fault', where: 'close: send back', request_id: 'request-1' }]);
  });

  it('stays in flight without a send for 30 s after a send that had no answer', async () => {
    const sent: Sent[] = [];
    const clock = { now: NOW };
    let isSlow = true;
    const fails = (command: object) => command.constructor.name === 'SendMessageBatchCommand' && isSlow;
    const { close, lines } = createWorker({ sqs: recording(sent, fails), now: () => clock.now });
    const record = back(HOUR_MS);
    await close(record);
    isSlow = false;
    clock.now += 29 * SECOND_MS;
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 3600), postponed(record, 3571)]);
    expect(lines).toHaveLength(1);
    clock.now += SECOND_MS;
    expect(await close(record)).toEqual([]);
    expect(sent.at(-1)).toMatchObject({ Entries: [{ DelaySeconds: 900 }] });
  });

  it('is sent all the same when 2,000 others stay in flight for this reason', async () => {
    const sent: Sent[] = [];
    let isSlow = true;
    const fails = (command: object) => command.constructor.name === 'SendMessageBatchCommand' && isSlow;
    const { close } = createWorker({ sqs: recording(sent, fails) });
    const batch = Array.from({ length: 10 }, () => back(HOUR_MS));
    await close(...batch);
    isSlow = false;
    for (let round = 0; round < 200; round += 1) expect(await close(...batch)).toHaveLength(10);
    expect(sent.filter((each) => 'Entries' in each)).toEqual([]);
    expect(await close(...batch)).toEqual([]);
    expect(sent.at(-1)).toMatchObject({ Entries: { length: 10 } });
  });

  it('stays in flight for at most what SQS allows', async () => {
    const sent: Sent[] = [];
    const { close } = createWorker({
      sqs: recording(sent, (command) => 'Entries' in (command as { input: object }).input),
    });
    const record = back(20 * HOUR_MS);
    await close(record);
    expect(sent).toEqual([postponed(record, 39_600)]);
  });

  /** As SQS delivers a message that was sent with a delay. */
  const withoutGroup = (record: SQSRecord) => {
    delete record.attributes.MessageGroupId;
    return record;
  };

  it('rejoins its message group when its time has come, so that it does not crowd out other projects', async () => {
    const { close, lines, sent } = createWorker();
    const record = withoutGroup(back(0));
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([
      {
        QueueUrl: CLOSE_QUEUE_URL,
        Entries: [{ Id: '0', MessageBody: record.body, MessageGroupId: 'support-uk' }],
      },
    ]);
    expect({ lines, calls: polyai.calls.length }).toEqual({ lines: [], calls: 0 });
  });

  it('is called for at once if SQS does not take it back into its group', async () => {
    const refuses = (command: object) => command.constructor.name === 'SendMessageBatchCommand';
    const sent: Sent[] = [];
    const { close, lines } = createWorker({ sqs: recording(sent, refuses) });
    const [first, second] = [withoutGroup(back(0)), withoutGroup(back(0))];
    polyai.behave(({ conversationId }) =>
      conversationId === JSON.parse(second.body).conversationId ? refusal(503) : undefined,
    );
    expect(await close(first, second)).toEqual([second.messageId]);
    expect(sent).toEqual([postponed(second, 3600)]);
    expect(lines.filter(({ type }) => type === 'close')).toMatchObject([
      { outcome: 'closed', final: true },
      { outcome: 'unavailable', final: false },
    ]);
  });

  it('is called for at once when there is no other project', async () => {
    const { close, sent } = createWorker({ isShared: false });
    expect(await close(withoutGroup(back(0)))).toEqual([]);
    expect({ sent, calls: polyai.calls.length }).toEqual({ sent: [], calls: 1 });
  });

  it('is dropped while this container knows of a later copy on the queue', async () => {
    const { close, lines, sent } = createWorker();
    const late = back(HOUR_MS);
    await close(late);
    const { conversationId = '' } = JSON.parse(late.body);
    const copy = message({ ...JSON.parse(late.body), notBefore: new Date(NOW - HOUR_MS).toISOString() });
    sent.length = 0;
    expect(await close(copy)).toEqual([]);
    expect({ sent, lines, calls: polyai.calls.length }).toEqual({ sent: [], lines: [], calls: 0 });
    expect(polyai.isOpen(conversationId)).toBe(true);
  });

  it('is not taken for a copy of one that SQS did not confirm', async () => {
    const refuses = (command: object) => command.constructor.name === 'SendMessageBatchCommand';
    const { close, lines } = createWorker({ sqs: recording([], refuses) });
    const late = back(HOUR_MS);
    await close(late);
    const due = { ...JSON.parse(late.body), notBefore: new Date(NOW - HOUR_MS).toISOString() };
    expect(await close(message(due))).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ outcome: 'closed', final: true });
  });

  it('is deleted only if SQS has confirmed its own entry', async () => {
    const sent: Sent[] = [];
    const send = async ({ input }: { input: Sent }) => {
      sent.push(input);
      return 'Entries' in input
        ? { Successful: [{ Id: '1' }], Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }] }
        : {};
    };
    const { close, lines } = createWorker({ sqs: { send } as unknown as CloseParts['sqs'] });
    const [refused, confirmed] = [back(HOUR_MS), back(HOUR_MS)];
    expect(await close(refused, confirmed)).toEqual([refused.messageId]);
    expect(sent[1]).toEqual(postponed(refused, 3600));
    expect(lines).toMatchObject([
      { type: 'fault', where: 'close: send back', error: { message: 'InternalError' } },
    ]);
  });
});

describe('a project that PolyAI does not serve', () => {
  /** A worker whose last ten calls for the project failed. */
  async function down(behaviour: Behaviour = refusal(503)) {
    const worker = createWorker();
    polyai.behave(() => behaviour);
    await worker.close(...Array.from({ length: 10 }, () => message()));
    worker.lines.length = 0;
    worker.sent.length = 0;
    polyai.behave(() => undefined);
    return { ...worker, calls: () => polyai.calls.length - 10 };
  }

  it.each<[string, Behaviour]>([
    ['503', refusal(503)],
    ['429', refusal(429)],
    ['no answer', { reset: 'before' }],
  ])('is not called after ten failures in a row (%s), and the line says so', async (_, behaviour) => {
    const { close, lines, sent, calls } = await down(behaviour);
    const record = message(request(), 20 * SECOND_MS);
    expect(await close(record)).toEqual([record.messageId]);
    expect(calls()).toBe(0);
    expect(sent).toEqual([postponed(record, 20)]);
    expect(lines).toMatchObject([
      { outcome: 'unavailable', final: false, reason: expect.stringMatching(/^not called: PolyAI/) },
    ]);
  });

  it('is called again by one close after half a minute', async () => {
    const { close, lines, clock, calls } = await down();
    clock.now += 30 * SECOND_MS;
    polyai.behave(() => refusal(503));
    await close(...Array.from({ length: 10 }, () => message()));
    expect(calls()).toBe(1);
    expect(lines.filter(({ reason }) => String(reason).startsWith('not called'))).toHaveLength(9);
  });

  it('is called by every close again after the first answer', async () => {
    const { close, clock, calls } = await down();
    clock.now += 30 * SECOND_MS;
    expect(await close(message())).toEqual([]);
    expect(await close(...Array.from({ length: 10 }, () => message()))).toEqual([]);
    expect(calls()).toBe(11);
  });

  it.each([
    ['401', refusal(401)],
    ['404 PROJECT_NOT_FOUND', refusal(404, 'PROJECT_NOT_FOUND')],
    ['200 without success', { status: 200, body: {} }],
  ])('is not one that answers %s', async (_, behaviour) => {
    const { close, calls } = await down(behaviour);
    await close(message());
    expect(calls()).toBe(1);
  });

  it('is called for the last attempt of a close, so that none is given up without a call', async () => {
    const { close, lines, calls } = await down();
    expect(await close(message(request(), 74 * HOUR_MS))).toEqual([]);
    expect(calls()).toBe(1);
    expect(lines).toMatchObject([{ outcome: 'closed', final: true }]);
  });

  it('is called for the canary', async () => {
    const { close, calls } = await down();
    await close(message(request({ canary: true })));
    expect(calls()).toBe(1);
  });

  it('does not keep another project from being called', async () => {
    const { close, projects, lines } = await down();
    projects.other = projects['support-uk'] as Project;
    expect(await close(message(request({ project: 'other' })))).toEqual([]);
    expect(lines).toMatchObject([{ project: 'other', outcome: 'closed' }]);
  });
});

describe('a doubtful answer, which does not say whether the chat was closed,', () => {
  const atLast = () => message(request(), 74 * HOUR_MS);

  /** The stand-in meets the first call with the first behaviour, and later calls with the next one. */
  function first(behaviour: Behaviour, later: Behaviour = {}) {
    let calls = 0;
    polyai.behave(() => (calls++ === 0 ? behaviour : later));
  }

  it.each(DOUBTFUL)(
    'is followed by another call (%s, %s), which finds that the chat is over',
    async (outcome, _, lost) => {
      const { close, lines, sent } = createWorker();
      first(lost);
      expect(await close(atLast())).toEqual([]);
      expect(sent).toEqual([]);
      expect(lines).toMatchObject([
        { outcome, final: false, next_try_in_s: 0 },
        { outcome: 'already_ended', final: true },
      ]);
    },
  );

  it('is followed by another call after an outage with hourly attempts', async () => {
    const { close, lines, sent, clock } = createWorker();
    const record = message();
    polyai.behave(() => refusal(503));
    while (clock.now < NOW + 74 * HOUR_MS) {
      await close(record);
      clock.now += ((lines.at(-1)?.next_try_in_s as number) ?? 0) * SECOND_MS;
    }
    first({ truncate: true });
    sent.length = 0;
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ outcome: 'already_ended', final: true });
  });

  it.each(IN_VAIN)('is followed by another call (%s, %s), which closes the chat', async (outcome, _, odd) => {
    const { close, lines, sent } = createWorker();
    first(odd);
    const record = atLast();
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([]);
    expect(lines).toMatchObject([
      { outcome, final: false },
      { outcome: 'closed', final: true },
    ]);
  });

  it.each(IN_VAIN)('is final when it comes twice (%s, %s)', async (outcome, _, odd) => {
    const { close, lines, sent } = createWorker();
    polyai.behave(() => odd);
    const record = atLast();
    expect(await close(record)).toEqual([]);
    const reason = expect.stringMatching(/^given up after 74\.0 h: .*PolyAI/);
    expect(sent).toEqual([deadLetter(record, outcome, reason)]);
    expect(lines).toMatchObject([
      { outcome, final: false },
      { outcome, final: true, reason },
    ]);
    expect(polyai.calls).toHaveLength(2);
  });

  it('is followed by another call when no answer came in time', async () => {
    let calls = 0;
    const { close, lines, sent } = createWorker({
      fetch: async (...call) => {
        const answer = await fetch(...call);
        if (calls++ === 0) throw new DOMException('too late', 'TimeoutError');
        return answer;
      },
    });
    expect(await close(atLast())).toEqual([]);
    expect(sent).toEqual([]);
    expect(lines).toMatchObject([{ outcome: 'unavailable' }, { outcome: 'already_ended', final: true }]);
  });

  it('is followed by no other call before the close is due to be given up', async () => {
    const { close, sent } = createWorker();
    first({ status: 202 });
    const record = message(request(), 74 * HOUR_MS - 1);
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([sentBack(record, 3600)]);
    expect(polyai.calls).toHaveLength(1);
  });

  it.each<[string, Behaviour]>([
    ['unavailable', refusal(503)],
    ['unauthorized', refusal(403)],
    ['throttled', refusal(429)],
    ['misdirected', refusal(404, 'PROJECT_NOT_FOUND')],
  ])('does not include %s: such a close is given up after one call', async (outcome, behaviour) => {
    const { close, sent } = createWorker();
    polyai.behave(() => behaviour);
    const record = atLast();
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([deadLetter(record, outcome, expect.any(String))]);
    expect(polyai.calls).toHaveLength(1);
  });

  it('does not include a refused connection, because nothing was sent', async () => {
    const { close, lines, projects } = createWorker();
    const { baseUrl } = await nobody();
    projects['support-uk'] = { ...(projects['support-uk'] as Project), baseUrl };
    expect(await close(atLast())).toEqual([]);
    expect(lines).toMatchObject([
      { outcome: 'unavailable', final: true, reason: expect.stringMatching(/ECONNREFUSED/) },
    ]);
  });

  it('keeps the close for at most a day longer when there is no time for another call', async () => {
    const { close, lines, sent } = createWorker({}, 13_000);
    polyai.behave(() => ({ status: 202 }));
    const [early, late] = [message(request(), 98 * HOUR_MS - 1), message(request(), 98 * HOUR_MS)];
    expect(await close(early)).toEqual([early.messageId]);
    expect(await close(late)).toEqual([]);
    expect(sent).toEqual([postponed(early, 10), deadLetter(late, 'unconfirmed', expect.any(String))]);
    expect(lines).toMatchObject([{ final: false, next_try_in_s: 10 }, { final: true }]);
  });

  it('keeps the close for as long as its Retry-After says', async () => {
    const { close, sent } = createWorker();
    polyai.behave(() => ({ status: 504, headers: { 'retry-after': '90' } }));
    const record = atLast();
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([sentBack(record, 90)]);
    expect(polyai.calls).toHaveLength(1);
  });
});

describe("cleanup's own closes", () => {
  const byCleanup = (expiresAt?: string) =>
    request({ source: 'cleanup', ...(expiresAt !== undefined && { expiresAt }) });

  it('are retried until they expire', async () => {
    const { close, sent } = createWorker();
    polyai.behave(() => refusal(503));
    const record = message(byCleanup(new Date(NOW + 1).toISOString()));
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 10)]);
  });

  it.each<[string, Behaviour, string | undefined, number]>([
    ['expired', refusal(503), new Date(NOW).toISOString(), 0],
    ['too old', refusal(503), undefined, 74 * HOUR_MS],
    ['unconfirmed', { status: 200, body: {} }, undefined, 74 * HOUR_MS],
    ['rejected', refusal(400), undefined, 0],
  ])('are dropped without a dead letter when %s', async (_, behaviour, expiresAt, ageMs) => {
    const { close, lines, sent } = createWorker();
    polyai.behave(() => behaviour);
    expect(await close(message(byCleanup(expiresAt), ageMs))).toEqual([]);
    expect(sent).toEqual([]);
    expect(lines).toMatchObject([{ type: 'close', source: 'cleanup', final: true }]);
  });

  it('are the only ones that are dropped without a dead letter', async () => {
    const { close, sent } = createWorker();
    polyai.behave(() => refusal(503));
    const record = message(request({ source: 'operator', expiresAt: new Date(NOW).toISOString() }));
    expect(await close(record)).toEqual([]);
    expect(sent).toEqual([deadLetter(record, 'unavailable', expect.any(String))]);
  });
});

describe('a message that is not a close request', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['is not JSON', () => 'conversation-1', /not JSON/],
    ['is empty', () => '', /not JSON/],
    ['is a list', () => [request()], /not a JSON object/],
    ['is null', () => 'null', /not a JSON object/],
    ['has no version', () => without('v'), /v is not 1/],
    ['has a version that never was', () => ({ ...request(), v: 0 }), /v is not 1/],
    ['has its version as a string', () => ({ ...request(), v: '1' }), /v is not 1/],
    ['has no project', () => without('project'), /project/],
    ['has no request id', () => without('requestId'), /requestId/],
    ['has no conversation', () => without('conversationId'), /conversationId/],
    [
      'has a conversation and a shared id',
      () => ({ ...request(), sharedId: '1' }),
      /conversationId and sharedId/,
    ],
    ['has an empty conversation', () => ({ ...request(), conversationId: '' }), /conversationId/],
    ['has a null in it', () => ({ ...request(), crmRef: null }), /crmRef/],
    ['has a source that never was', () => ({ ...request(), source: 'stranger' }), /source/],
    ['has a time that is none', () => ({ ...request(), receivedAt: 'now' }), /receivedAt/],
  ])(
    'because it %s becomes a dead letter at once, unchanged and with the reason',
    async (_, body, reason) => {
      const { close, lines, sent } = createWorker();
      const record = message(body());
      expect(await close(record)).toEqual([]);
      expect(sent).toEqual([deadLetter(record, 'rejected', expect.stringMatching(reason))]);
      expect(lines).toMatchObject([
        { type: 'close', outcome: 'rejected', final: true, reason: expect.stringMatching(reason) },
      ]);
      expect(polyai.calls).toEqual([]);
    },
  );

  it('is quoted only in its dead letter', async () => {
    const { close, lines } = createWorker();
    await close(message('{"apiKey":"personal'), message({ ...request(), crmRef: ['personal'] }));
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain('personal');
  });
});

describe('a message for another deployment', () => {
  it.each<[string, () => unknown]>([
    ['a project that is not here', () => request({ project: 'support-us' })],
    ['a project named like a part of every object', () => request({ project: 'constructor' })],
    ['a newer version', () => ({ v: 2, whatever: 'it holds' })],
  ])('with %s is retried', async (_, body) => {
    const { close, lines, sent } = createWorker();
    const record = message(body());
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 10)]);
    expect(lines).toMatchObject([{ outcome: 'unknown_target', final: false, reason: expect.any(String) }]);
    expect(polyai.calls).toEqual([]);
  });
});

describe('a message of a newer version', () => {
  it('is hidden and not written again, because this version may not know what it means', async () => {
    const { close, sent } = createWorker();
    const record = message({ v: 2, whatever: 'it holds' }, 3 * HOUR_MS);
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 3600)]);
  });
});

describe('a batch', () => {
  it('of ten with one bad message still closes the other nine', async () => {
    const { close, lines, sent } = createWorker();
    const records = Array.from({ length: 10 }, (_, n) => message(n === 4 ? 'not JSON' : request()));
    expect(await close(...records)).toEqual([]);
    expect(sent).toEqual([deadLetter(records[4] as SQSRecord, 'rejected', expect.any(String))]);
    expect(lines.filter(({ outcome }) => outcome === 'closed')).toHaveLength(9);
    expect(polyai.calls).toHaveLength(9);
  });

  it('keeps exactly the messages that must be retried', async () => {
    const { close, sent } = createWorker();
    const bodies = Array.from({ length: 10 }, () => request());
    const failing = [bodies[2], bodies[7]].map((body) => body?.conversationId);
    polyai.behave(({ conversationId }) => (failing.includes(conversationId) ? refusal(503) : undefined));
    const records = bodies.map((body) => message(body));
    expect(await close(...records)).toEqual([records[2]?.messageId, records[7]?.messageId]);
    expect(sent).toHaveLength(2);
    expect(bodies.map(({ conversationId = '' }) => polyai.isOpen(conversationId))).toEqual(
      bodies.map((_, n) => [2, 7].includes(n)),
    );
  });

  it('with the same chat twice closes it once and deletes both messages', async () => {
    const { close, lines } = createWorker();
    const body = request();
    expect(await close(message(body), message(body))).toEqual([]);
    expect(lines.map(({ outcome }) => outcome).sort()).toEqual(['already_ended', 'closed']);
  });

  it('is processed in parallel', async () => {
    let waiting = 0;
    const everybody = Promise.withResolvers<void>();
    const { close } = createWorker({
      fetch: async (...call) => {
        waiting += 1;
        if (waiting === 10) everybody.resolve();
        await everybody.promise;
        return fetch(...call);
      },
    });
    expect(await close(...Array.from({ length: 10 }, () => message()))).toEqual([]);
  });

  it('survives a message that makes the worker throw', async () => {
    const { close, lines } = createWorker();
    const broken = { ...message(), attributes: undefined } as unknown as SQSRecord;
    const good = message();
    expect(await close(broken, good)).toEqual([broken.messageId]);
    expect(lines).toContainEqual(
      expect.objectContaining({ type: 'fault', request_id: 'request-1', where: 'close' }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ outcome: 'closed', final: true }));
  });

  it('never fails as a whole, whatever its messages hold', async () => {
    const { close, lines } = createWorker();
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue(), fc.constant(undefined));
    const near = fc.record(
      {
        v: fc.oneof(fc.constant(1), value),
        requestId: fc.oneof(fc.constant('request-1'), value),
        source: fc.oneof(fc.constantFrom('webhook', 'cleanup', 'operator'), value),
        project: fc.oneof(fc.constantFrom('support-uk', '__proto__', 'toString'), value),
        conversationId: fc.oneof(fc.constant('CONV-1'), value),
        sharedId: value,
        receivedAt: fc.oneof(fc.constant('2026-08-01T12:00:00Z'), value),
        expiresAt: value,
      },
      { requiredKeys: ['v', 'requestId', 'source', 'project', 'conversationId', 'receivedAt'] },
    );
    const bodies = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      near.map((body) => JSON.stringify(body)),
    );
    await fc.assert(
      fc.asyncProperty(bodies, fc.integer({ min: 0, max: 30 * HOUR_MS }), async (body, ageMs) => {
        lines.length = 0;
        const good = message();
        const kept = await close(message(body, ageMs), good);
        expect(kept).not.toContain(good.messageId);
        expect(lines.map(({ type }) => type)).toEqual(['close', 'close']);
      }),
    );
  });
});

describe('the keys', () => {
  it('are read once for many messages', async () => {
    const { close, vault } = createWorker();
    await close(...Array.from({ length: 10 }, () => message()));
    await close(message());
    expect(vault.reads).toBe(1);
  });

  it('are read again when PolyAI refuses them, and the close is repeated at once if they have changed', async () => {
    const { close, lines, sent, vault } = createWorker();
    await close(message());
    polyai.keys = { apiKey: 'new-key', token: 'new-token' };
    vault.text = secretOf(polyai.keys);
    lines.length = 0;
    expect(await close(message())).toEqual([]);
    expect(sent).toEqual([]);
    expect(lines).toMatchObject([
      { outcome: 'unauthorized', final: false, next_try_in_s: 0, polyai_status: 401 },
      { outcome: 'closed', final: true, polyai_status: 200 },
    ]);
    expect(vault.reads).toBe(2);
  });

  it('are read again once for ten messages that are refused together', async () => {
    const { close, lines, vault } = createWorker();
    await close(message());
    polyai.keys = { apiKey: 'new-key', token: 'new-token' };
    vault.text = secretOf(polyai.keys);
    expect(await close(...Array.from({ length: 10 }, () => message()))).toEqual([]);
    expect(vault.reads).toBe(2);
    expect(lines.filter(({ outcome }) => outcome === 'closed')).toHaveLength(11);
  });

  it('that are refused and have not changed cause one call, and a retry later', async () => {
    const { close, lines, sent, vault } = createWorker();
    polyai.keys = { apiKey: 'new-key', token: 'new-token' };
    const records = Array.from({ length: 10 }, () => message());
    expect(await close(...records)).toHaveLength(10);
    expect(new Set(sent)).toEqual(new Set(records.map((record) => postponed(record, 10))));
    expect(vault.reads).toBe(2);
    expect(polyai.calls).toHaveLength(10);
    expect(lines.map(({ outcome }) => outcome)).toEqual(Array(10).fill('unauthorized'));
  });

  it('that are refused twice cause no third call', async () => {
    const { close, lines, vault } = createWorker();
    await close(message());
    polyai.keys = { apiKey: 'new-key', token: 'new-token' };
    vault.text = secretOf({ apiKey: 'changed', token: 'and-wrong' });
    const record = message();
    expect(await close(record)).toEqual([record.messageId]);
    expect(polyai.calls).toHaveLength(3);
    expect(lines.slice(1)).toMatchObject([
      { outcome: 'unauthorized', next_try_in_s: 0 },
      { outcome: 'unauthorized', next_try_in_s: 10 },
    ]);
  });

  it('cause no second call when too little time is left', async () => {
    const { close, vault } = createWorker({}, 13_999);
    await close(message());
    polyai.keys = { apiKey: 'new-key', token: 'new-token' };
    vault.text = secretOf(polyai.keys);
    const record = message();
    expect(await close(record)).toEqual([record.messageId]);
    expect(polyai.calls).toHaveLength(2);
  });

  it.each([
    ['empty', '{"apiKey":"","token":""}', /"apiKey" is empty/],
    ['half filled in', '{"apiKey":"canary","token":""}', /"token" is empty/],
    [
      'stored with a line break',
      '{"apiKey":"canary\\n","token":"canary"}',
      /"apiKey" begins or ends with white space/,
    ],
    ['no JSON', 'canary', /not a JSON object/],
  ])('that are %s give the outcome unavailable, without a call', async (_, text, reason) => {
    const { close, lines, sent, vault } = createWorker();
    vault.text = text;
    const record = message();
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 10)]);
    expect(lines).toMatchObject([
      { type: 'fault', where: 'close: secret', error: { name: 'SecretNotReady' } },
      { outcome: 'unavailable', final: false, reason: expect.stringMatching(reason) },
    ]);
    expect(lines[1]?.reason).toContain(SECRET_ID);
    expect(polyai.calls).toEqual([]);
  });

  it('that somebody fills in are used by the next attempt', async () => {
    const { close, lines, vault, clock } = createWorker();
    const filled = vault.text;
    vault.text = '{"apiKey":"","token":""}';
    await close(message());
    vault.text = filled;
    clock.now += 31 * SECOND_MS;
    expect(await close(message())).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ outcome: 'closed' });
  });

  it.each([
    ['AccessDeniedException', /Allow this function/],
    ['ResourceNotFoundException', /Create it/],
    ['ThrottlingException', /retried automatically/],
  ])('that cannot be read (%s) give the outcome unavailable, without a call', async (name, fix) => {
    const { close, lines, sent, vault } = createWorker();
    vault.fails = Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: 400 } });
    const record = message();
    expect(await close(record)).toEqual([record.messageId]);
    expect(sent).toEqual([postponed(record, 10)]);
    expect(lines).toMatchObject([
      { type: 'fault', where: 'close: secret', error: { name: 'SecretUnavailable' } },
      { outcome: 'unavailable', reason: expect.stringMatching(fix) },
    ]);
    expect(lines[1]?.reason).toContain(SECRET_ID);
    expect(polyai.calls).toEqual([]);
  });

  it('that cannot be read again after a refusal leave the outcome unauthorized', async () => {
    const { close, lines, vault } = createWorker();
    await close(message());
    polyai.keys = { apiKey: 'new-key', token: 'new-token' };
    vault.fails = Object.assign(new Error('no'), {
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
    });
    const record = message();
    expect(await close(record)).toEqual([record.messageId]);
    expect(lines.at(-1)).toMatchObject({ type: 'close', final: false, next_try_in_s: 10 });
    expect(lines).toContainEqual(expect.objectContaining({ outcome: 'unauthorized', polyai_status: 401 }));
  });

  it('never appear in a line', async () => {
    polyai.keys = { apiKey: 'canary-key', token: 'canary-token' };
    const { close, lines, vault, clock } = createWorker({ sqs: recording([], () => true) });
    const behaviours: Behaviour[] = [
      {},
      refusal(401),
      { status: 400, body: { error_message: 'canary-key is not known', detail: 'canary-token' } },
      { status: 200, body: 'canary-key' },
      { status: 302, headers: { location: 'https://example.com/?key=canary-key' } },
      { reset: 'before' },
    ];
    for (const behaviour of behaviours) {
      polyai.behave(() => behaviour);
      await close(message());
    }
    for (const text of [secretOf({ apiKey: 'canary-key\n', token: 'canary-token' }), 'canary']) {
      vault.text = text;
      clock.now += HOUR_MS;
      await close(message());
    }
    expect(lines.length).toBeGreaterThan(behaviours.length + 2);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });
});

describe('an SQS that fails', () => {
  const fault = (where: string) =>
    expect.objectContaining({
      type: 'fault',
      request_id: 'request-1',
      where: expect.stringContaining(where),
      error: { name: 'ServiceUnavailable', message: 'Service Unavailable' },
    });

  it('when a dead letter is sent leaves the message on its queue', async () => {
    const { close, lines } = createWorker({
      sqs: recording([], (command) => command instanceof SendMessageCommand),
    });
    polyai.behave(() => refusal(400));
    const record = message();
    expect(await close(record)).toEqual([record.messageId]);
    expect(lines).toEqual([
      fault('dead-letter'),
      expect.objectContaining({ type: 'close', outcome: 'rejected', final: false }),
    ]);
  });

  it('when the visibility is changed leaves the message on its queue, to come back later', async () => {
    const { close, lines } = createWorker({
      sqs: recording([], (command) => command instanceof ChangeMessageVisibilityCommand),
    });
    polyai.behave(() => refusal(503));
    const record = message();
    expect(await close(record)).toEqual([record.messageId]);
    expect(lines).toEqual([
      expect.objectContaining({ type: 'close', outcome: 'unavailable', final: false }),
      fault('visibility'),
    ]);
  });

  it('does not prevent a chat from being closed', async () => {
    const { close, lines } = createWorker({ sqs: recording([], () => true) });
    expect(await close(message())).toEqual([]);
    expect(lines).toMatchObject([{ outcome: 'closed', final: true }]);
  });
});

describe('SQS, called by the real client,', () => {
  it('accepts dead letters and changes of visibility', async () => {
    const sqs = await startSqs();
    const { close, lines } = createWorker({ sqs: sqs.client });
    const bodies = [request(), request(), request()];
    const [retried, rejected] = bodies.map(({ conversationId }) => conversationId);
    polyai.behave(({ conversationId }) => {
      if (conversationId === retried) return refusal(503);
      return conversationId === rejected ? refusal(422) : undefined;
    });
    const records = bodies.map((body) => message(body));
    expect(await close(...records)).toEqual([records[0]?.messageId]);
    expect(new Set(sqs.requests)).toEqual(
      new Set([
        { ...postponed(records[0] as SQSRecord, 10), target: 'AmazonSQS.ChangeMessageVisibility' },
        {
          ...deadLetter(records[1] as SQSRecord, 'rejected', 'PolyAI answered 422'),
          target: 'AmazonSQS.SendMessage',
        },
      ]),
    );
    expect(lines.filter(({ type }) => type === 'fault')).toEqual([]);
    await sqs.close();
  });

  it('keeps every unfinished message when it refuses all calls', async () => {
    const sqs = await startSqs(503);
    const { close, lines } = createWorker({ sqs: sqs.client });
    polyai.behave(() => refusal(422));
    const record = message();
    expect(await close(record)).toEqual([record.messageId]);
    expect(lines.map(({ type }) => type)).toEqual(['fault', 'close']);
    await sqs.close();
  });
});

/** The part of SQS's JSON protocol that the worker uses. */
async function startSqs(status = 200) {
  const requests: object[] = [];
  const server = createServer(async (request, response) => {
    const input = JSON.parse(await readText(request));
    requests.push({ ...input, target: request.headers['x-amz-target'] });
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    const md5 = createHash('md5')
      .update(input.MessageBody ?? '')
      .digest('hex');
    response.end(JSON.stringify(status === 200 ? { MessageId: 'dead-1', MD5OfMessageBody: md5 } : {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new SQSClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
  });
  const close = async () => {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { client, requests, close };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

describe('the line', () => {
  it('of an attempt has exactly the documented fields', async () => {
    const { close, lines, clock } = createWorker({
      fetch: async (...call) => {
        clock.now += 250;
        return fetch(...call);
      },
    });
    const body = request();
    await close(message(body, 4000));
    const [line] = lines;
    expect(JSON.parse(JSON.stringify(line))).toEqual({
      type: 'close',
      request_id: 'request-1',
      outcome: 'closed',
      result: 'closed',
      final: true,
      late: 0,
      connection: 'zendesk-support',
      crm: 'zendesk',
      project: 'support-uk',
      region: 'uk-1',
      conversation_id: body.conversationId,
      crm_ref: '4711',
      delivery_id: 'delivery-1',
      source: 'webhook',
      receives: 1,
      age_ms: 1250,
      polyai_status: 200,
      polyai_correlation_id: 'request-1',
      received_at: '2026-08-01T11:59:59.000Z',
      took_ms: 250,
    });
    expect(JSON.stringify(line)).toMatch(/^\{"type":"close",/);
    expect(Object.keys(line ?? {})).toEqual(inOrderOfSchema('close', line));
  });

  it('of a failed attempt says why it failed and when the next one is', async () => {
    const { close, lines } = createWorker();
    polyai.behave(() => refusal(503, 'SERVICE_DOWN'));
    const record = message(request(), 60 * SECOND_MS);
    record.attributes.ApproximateReceiveCount = '4';
    await close(record);
    expect(lines).toMatchObject([
      {
        outcome: 'unavailable',
        final: false,
        reason: 'PolyAI answered 503 SERVICE_DOWN',
        receives: 4,
        age_ms: 1000,
        polyai_status: 503,
        polyai_error_code: 'SERVICE_DOWN',
        polyai_correlation_id: 'request-1',
        next_try_in_s: 60,
      },
    ]);
  });

  it('of a message that cannot be read has what is known', async () => {
    const { close, lines } = createWorker();
    await close(message('not JSON'));
    expect(JSON.parse(JSON.stringify(lines[0]))).toEqual({
      type: 'close',
      outcome: 'rejected',
      result: 'given_up',
      final: true,
      late: 0,
      reason: 'the message is not JSON',
      receives: 1,
      age_ms: 0,
      took_ms: 0,
    });
  });

  it('of a message whose clock is ahead has an age of 0', async () => {
    const { close, lines } = createWorker();
    const ahead = new Date(NOW + 5000).toISOString();
    await close(message(request({ receivedAt: ahead })));
    expect(lines).toMatchObject([{ age_ms: 0 }]);
  });
});
