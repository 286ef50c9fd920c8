import type {
  ChangeMessageVisibilityBatchCommandInput,
  DeleteMessageBatchCommandInput,
  Message,
  SendMessageBatchCommandInput,
} from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { parseCloseRequest } from '../../../functions/close-request.ts';
import { bodyToSend, isAskedFor, readDeadLetter } from '../../../scripts/operator/dead-letter.ts';
import type { Options } from '../../../scripts/operator/options.ts';
import { createPace } from '../../../scripts/operator/pace.ts';
import { type RedriveParts, redrive } from '../../../scripts/operator/redrive.ts';
import { ageOf, type Row, tabulate } from '../../../scripts/operator/table.ts';

const NOW = Date.parse('2026-08-01T12:00:00.000Z');
const HOUR = 3_600_000;
const OPTIONS: Options = {
  stack: 'closer',
  outcomes: [],
  projects: [],
  sinceMs: undefined,
  dryRun: false,
  yes: false,
  rate: 50,
  lateLookUp: false,
};
const REQUEST = {
  v: 1,
  requestId: 'request-1',
  source: 'webhook',
  project: 'support',
  conversationId: 'CONV-1',
  receivedAt: '2026-07-31T08:00:00.000Z',
};

type Change = { id?: string; body?: unknown; outcome?: string | undefined; reason?: string; sentAt?: number };

/** A dead letter as SQS gives it. */
function message(change: Change = {}): Message {
  const { id = 'm-1', body = REQUEST, reason = 'PolyAI answered 401', sentAt = NOW - HOUR } = change;
  const outcome = 'outcome' in change ? change.outcome : 'unauthorized';
  return {
    MessageId: id,
    ReceiptHandle: `handle-of-${id}`,
    Body: typeof body === 'string' ? body : JSON.stringify(body),
    Attributes: { SentTimestamp: String(sentAt), MessageGroupId: 'support' },
    ...(outcome && {
      MessageAttributes: {
        outcome: { DataType: 'String', StringValue: outcome },
        reason: { DataType: 'String', StringValue: reason },
      },
    }),
  };
}

describe('a dead letter', () => {
  it('is what the worker wrote of it', () => {
    expect(readDeadLetter(message())).toEqual({
      messageId: 'm-1',
      receiptHandle: 'handle-of-m-1',
      body: JSON.stringify(REQUEST),
      group: 'support',
      sentAt: NOW - HOUR,
      outcome: 'unauthorized',
      reason: 'PolyAI answered 401',
      project: 'support',
      kind: 'close',
    });
  });

  const look = { ...REQUEST, conversationId: undefined, sharedId: '5158' };

  it.each([
    ['of a newer version', { ...REQUEST, v: 2, more: 1 }, { kind: 'close', project: 'support' }],
    ['of a newer version without a project', { v: 2 }, { kind: 'close' }],
    ['a look-up', look, { kind: 'look_up', project: 'support' }],
    ['a look-up of a newer version', { ...look, v: 2 }, { kind: 'look_up' }],
    ['no JSON', 'closed!', { kind: 'foreign' }],
    ['no close request', { ...REQUEST, source: 'elsewhere' }, { kind: 'foreign' }],
  ])('may be %s', (_, body, expected) => {
    expect(readDeadLetter(message({ body }))).toMatchObject(expected);
  });

  it('has no outcome when SQS moved it by itself', () => {
    expect(readDeadLetter(message({ outcome: undefined })).outcome).toBe('none');
  });

  it.each<[string, Partial<Options>, Change, boolean]>([
    ['without a filter', {}, {}, true],
    ['of this outcome', { outcomes: ['rejected', 'unauthorized'] }, {}, true],
    ['of another outcome', { outcomes: ['rejected'] }, {}, false],
    ['of this project', { projects: ['support'] }, {}, true],
    ['of another project', { projects: ['sales'] }, {}, false],
    ['of no project', { projects: ['support'] }, { body: { v: 2 } }, false],
    ['young enough', { sinceMs: HOUR }, {}, true],
    ['too old', { sinceMs: HOUR - 1 }, {}, false],
    ['that is no close request', {}, { body: 'closed!' }, false],
  ])('is asked for or not: one %s', (_, filter, change, expected) => {
    expect(isAskedFor(readDeadLetter(message(change)), { ...OPTIONS, ...filter }, NOW)).toBe(expected);
  });

  it('goes back byte for byte', () => {
    const body = `${JSON.stringify({ ...REQUEST, later: 'field' })} `;
    expect(bodyToSend(readDeadLetter(message({ body })), NOW)).toBe(body);
  });

  it('goes back with the time from which it may be looked up, and its own time as it was', () => {
    const body = bodyToSend(readDeadLetter(message({ body: look })), NOW);
    expect(parseCloseRequest(body)).toEqual({
      v: 1,
      requestId: 'request-1',
      source: 'webhook',
      project: 'support',
      sharedId: '5158',
      receivedAt: REQUEST.receivedAt,
      lookUpFrom: '2026-08-01T12:00:00.000Z',
    });
  });
});

describe('the table', () => {
  const row = (change: Partial<Row> = {}): Row => ({
    outcome: 'unauthorized',
    project: 'support',
    reason: 'given up after 74.1 h: PolyAI answered 401',
    at: NOW - 2 * HOUR,
    ...change,
  });

  it('counts what is alike, whenever it was given up, the most frequent first', () => {
    const rows = [
      row({ outcome: 'rejected', reason: 'PolyAI answered 422', at: NOW - 50 * HOUR }),
      row(),
      row({ reason: 'given up after 27.0 h: PolyAI answered 401', at: NOW - 3 * HOUR }),
    ];
    expect(tabulate(rows, NOW)).toBe(
      [
        '  count  oldest  outcome       project  reason',
        '      2     3 h  unauthorized  support  given up: PolyAI answered 401',
        '      1     2 d  rejected      support  PolyAI answered 422',
      ].join('\n'),
    );
  });

  it('keeps projects and notes apart', () => {
    const text = tabulate([row(), row({ project: 'sales' }), row({ note: 'look-up' })], NOW);
    expect(text.split('\n')).toHaveLength(4);
    expect(text).toContain('401 (look-up)');
  });

  it('lets nobody command the terminal', () => {
    const text = tabulate([row({ reason: 'a\u001b[2J\u202eb\nc' })], NOW);
    expect(text).toContain('a?[2J?b?c');
  });

  it.each([
    [-5, '0 m'],
    [59_999, '0 m'],
    [90 * 60_000, '1 h'],
    [72 * HOUR, '3 d'],
  ])('tells an age of %d ms as %s', (ms, text) => {
    expect(ageOf(ms)).toBe(text);
  });
});

describe('the pace', () => {
  it('lets no more through than the rate allows, and saves nothing up', async () => {
    let clock = 0;
    const at: number[] = [];
    const pace = createPace(10, {
      now: () => clock,
      sleep: async (ms) => {
        clock += ms;
      },
    });
    for (const idle of [0, 0, 5000, 0]) {
      clock += idle;
      await pace(10);
      at.push(clock);
    }
    expect(at).toEqual([0, 1000, 6000, 7000]);
  });
});

type Entry = { Id: string; MessageBody?: string; ReceiptHandle?: string; VisibilityTimeout?: number };
type Fault = (action: string, entry: Entry) => boolean;

/** The two queues, as far as a redrive sees them. What a fault names is not confirmed. */
function queues(messages: Message[], fault: Fault = () => false) {
  const waiting = [...messages];
  const seen = {
    sent: [] as Entry[],
    removed: [] as string[],
    released: [] as string[],
    actions: [] as string[],
  };
  const send = async (command: { constructor: { name: string }; input: unknown }) => {
    const action = command.constructor.name.replace('Command', '');
    seen.actions.push(action);
    if (action === 'ReceiveMessage') return { Messages: waiting.splice(0, 10) };
    const { Entries = [] } = command.input as
      | SendMessageBatchCommandInput
      | DeleteMessageBatchCommandInput
      | ChangeMessageVisibilityBatchCommandInput;
    const entries = Entries as Entry[];
    const Successful = entries.filter((entry) => !fault(action, entry));
    const Failed = entries.filter((entry) => !Successful.includes(entry));
    for (const entry of Successful) {
      if (action === 'SendMessageBatch') seen.sent.push(entry);
      if (action === 'DeleteMessageBatch') seen.removed.push(entry.ReceiptHandle ?? '');
      if (entry.VisibilityTimeout === 0) seen.released.push(entry.ReceiptHandle ?? '');
    }
    return { Successful, Failed };
  };
  return { seen, sqs: { send } as unknown as RedriveParts['sqs'] };
}

async function redriveOf(
  messages: Message[],
  { fault, ...parts }: Partial<RedriveParts> & { fault?: Fault } = {},
  options: Partial<Options> = {},
) {
  const { seen, sqs } = queues(messages, fault);
  const said: string[] = [];
  const asked: string[] = [];
  const run = redrive(
    { ...OPTIONS, ...options },
    {
      sqs,
      deadLetterQueueUrl: 'dead-letters',
      closeQueueUrl: 'closes',
      say: (text) => said.push(text),
      progress: () => {},
      ask: async (question) => {
        asked.push(question);
        return false;
      },
      now: () => NOW,
      sleep: async () => {},
      signal: new AbortController().signal,
      ...parts,
    },
  );
  const result = await run.then(
    (isDone) => ({ isDone, error: undefined }),
    (error: Error) => ({ isDone: undefined, error: error.message }),
  );
  return { ...result, ...seen, asked, said: said.join('\n') };
}

const handles = (...ids: string[]) => ids.map((id) => `handle-of-${id}`);

afterEach(() => {
  jest.useRealTimers();
});

describe('a redrive', () => {
  const three = ['a', 'b', 'c'].map((id) => message({ id, body: { ...REQUEST, requestId: id } }));
  const isOf = (id: string, { MessageBody = '', ReceiptHandle }: Entry) =>
    MessageBody.includes(`"${id}"`) || ReceiptHandle === `handle-of-${id}`;

  it('sends each as it was with its group and without attributes, and removes it then', async () => {
    const { isDone, sent, removed, released, actions } = await redriveOf(three);
    expect(isDone).toBe(true);
    expect(sent).toEqual(
      three.map(({ Body }, index) => ({ Id: `${index}`, MessageBody: Body, MessageGroupId: 'support' })),
    );
    expect(removed).toEqual(handles('a', 'b', 'c'));
    expect(released).toEqual([]);
    expect(actions.slice(-2)).toEqual(['SendMessageBatch', 'DeleteMessageBatch']);
  });

  it('removes nothing that the close queue has not confirmed', async () => {
    const fault: Fault = (action, entry) => action === 'SendMessageBatch' && isOf('b', entry);
    const { isDone, removed, released, said } = await redriveOf(three, { fault });
    expect(isDone).toBe(false);
    expect(removed).toEqual(handles('a', 'c'));
    expect(released).toEqual(handles('b'));
    expect(said).toContain('Moved 2 of 3');
    expect(said).toContain('1 were not taken by the close queue');
  });

  it('says what it could not remove, and lets it be seen again', async () => {
    const fault: Fault = (action, entry) => action === 'DeleteMessageBatch' && isOf('c', entry);
    const { isDone, released, said } = await redriveOf(three, { fault });
    expect(isDone).toBe(false);
    expect(released).toEqual(handles('c'));
    expect(said).toContain('1 of them may still be dead letters as well');
  });

  it.each(['SendMessageBatch', 'DeleteMessageBatch'])(
    'lets everything be seen again when %s fails',
    async (at) => {
      const fault: Fault = (action) => {
        if (action === at) throw new Error('the network is gone');
        return false;
      };
      const { error, removed, released, said } = await redriveOf(three, { fault } as never);
      expect(error).toBe('the network is gone');
      expect(removed).toEqual([]);
      expect(released).toEqual(handles('a', 'b', 'c'));
      expect(said).toContain(
        at === 'SendMessageBatch' ? 'Moved 0 of 3' : '3 of them may still be dead letters',
      );
    },
  );

  it('stops between two batches when it is told to, and lets the others be seen again', async () => {
    const stopped = new AbortController();
    const many = Array.from({ length: 25 }, (_, index) => message({ id: `m-${index}` }));
    const sleep = async () => stopped.abort();
    const { isDone, removed, released, said } = await redriveOf(many, { signal: stopped.signal, sleep });
    expect(isDone).toBe(false);
    expect(removed).toHaveLength(10);
    expect(released).toHaveLength(15);
    expect(said).toContain('15 were not confirmed and are dead letters as before');
  });

  it('asks above a hundred, and moves nothing against the answer', async () => {
    const many = Array.from({ length: 101 }, (_, index) => message({ id: `m-${index}` }));
    const refused = await redriveOf(many);
    expect(refused.asked).toEqual(['Move 101 dead letters back onto the close queue?']);
    expect(refused).toMatchObject({ isDone: false, sent: [] });
    expect(refused.released).toHaveLength(101);
    expect((await redriveOf(many, { ask: async () => true })).removed).toHaveLength(101);
    expect((await redriveOf(many, {}, { yes: true })).removed).toHaveLength(101);
    expect((await redriveOf(many.slice(1))).asked).toEqual([]);
  });

  it('holds what it shows while somebody thinks, and moves nothing that it could not hold', async () => {
    jest.useFakeTimers();
    const many = Array.from({ length: 101 }, (_, index) => message({ id: `m-${index}` }));
    const held: Entry[] = [];
    const fault: Fault = (action, entry) => {
      if (action !== 'ChangeMessageVisibilityBatch' || entry.VisibilityTimeout === 0) return false;
      held.push(entry);
      return isOf('m-7', entry);
    };
    const ask = async () => {
      await jest.advanceTimersByTimeAsync(200_000);
      return true;
    };
    const { isDone, removed, released, said } = await redriveOf(many, { fault, ask });
    expect(held).toHaveLength(101);
    expect(new Set(held.map(({ VisibilityTimeout }) => VisibilityTimeout))).toEqual(new Set([600]));
    expect(removed).toHaveLength(100);
    expect([...removed, ...released]).not.toContain('handle-of-m-7');
    expect(isDone).toBe(false);
    expect(said).toContain('1 could not be held and are dead letters as before: run it again.');
  });

  it('counts a message that is handed out twice once, by its newest handle', async () => {
    const again = { ...message({ id: 'a' }), ReceiptHandle: 'newer' };
    const { sent, removed } = await redriveOf([message({ id: 'a' }), again]);
    expect(sent).toHaveLength(1);
    expect(removed).toEqual(['newer']);
  });

  it('sends no more than the rate in one call', async () => {
    const { actions } = await redriveOf(three, {}, { rate: 1 });
    expect(actions.filter((action) => action === 'SendMessageBatch')).toHaveLength(3);
  });
});
