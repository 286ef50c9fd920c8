import type {
  ChangeMessageVisibilityBatchCommandInput,
  DeleteMessageBatchCommandInput,
  Message,
  SendMessageBatchCommandInput,
} from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseCloseRequest } from '../../functions/close-request.ts';
import { bodyToSend, isSelected, readDeadLetter } from '../../operate/dead-letter.ts';
import { createPace } from '../../operate/pace.ts';
import { type RedriveOptions, type RedriveParts, redrive } from '../../operate/redrive.ts';
import { ageOf, list, type Row, tabulate } from '../../operate/table.ts';

const NOW = Date.parse('2026-08-01T12:00:00.000Z');
const HOUR = 3_600_000;
const OPTIONS: RedriveOptions = {
  outcomes: [],
  projects: [],
  connections: [],
  conversations: [],
  requestIds: [],
  span: undefined,
  dryRun: false,
  list: false,
  plan: false,
  yes: false,
  rate: 50,
  lateLookUp: false,
};
const REQUEST = {
  v: 1,
  requestId: 'request-1',
  source: 'webhook',
  project: 'support',
  connection: 'zendesk-support',
  crmRef: '5158',
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
  it('has the outcome and the reason that the worker wrote', () => {
    expect(readDeadLetter(message())).toEqual({
      messageId: 'm-1',
      receiptHandle: 'handle-of-m-1',
      requestId: 'request-1',
      body: JSON.stringify(REQUEST),
      group: 'support',
      sentAt: NOW - HOUR,
      outcome: 'unauthorized',
      reason: 'PolyAI answered 401',
      project: 'support',
      connection: 'zendesk-support',
      ticket: '5158',
      conversation: 'CONV-1',
      kind: 'close',
    });
  });

  const look = { ...REQUEST, conversationId: undefined, sharedId: '5158' };

  it.each([
    ['of a newer version', { ...REQUEST, v: 2, more: 1 }, { kind: 'close', project: 'support' }],
    ['of a newer version without a project', { v: 2 }, { kind: 'close' }],
    ['a look-up', look, { kind: 'look_up', project: 'support' }],
    ['a look-up of a newer version', { ...look, v: 2 }, { kind: 'look_up' }],
    ['not JSON', 'closed!', { kind: 'foreign' }],
    ['not a close request', { ...REQUEST, source: 'elsewhere' }, { kind: 'foreign' }],
  ])('may be %s', (_, body, expected) => {
    expect(readDeadLetter(message({ body }))).toMatchObject(expected);
  });

  it('has no outcome when SQS moved it, and its reason names the page to read', () => {
    expect(readDeadLetter(message({ outcome: undefined }))).toMatchObject({
      outcome: 'none',
      reason: expect.stringMatching(/^SQS moved it: .*docs\/operations\.md#faults$/),
    });
  });

  it('is not called one of SQS’s when it is not a close request', () => {
    expect(readDeadLetter(message({ outcome: undefined, body: 'closed!' })).reason).toMatch(
      /^it has no outcome: neither the worker nor SQS’s redrive from the close queue put it here$/,
    );
  });

  it.each<[string, Partial<RedriveOptions>, Change, boolean]>([
    ['without a filter', {}, {}, true],
    ['of this outcome', { outcomes: ['rejected', 'unauthorized'] }, {}, true],
    ['of another outcome', { outcomes: ['rejected'] }, {}, false],
    ['of this project', { projects: ['support'] }, {}, true],
    ['of another project', { projects: ['sales'] }, {}, false],
    ['of no project', { projects: ['support'] }, { body: { v: 2 } }, false],
    ['of this connection', { connections: ['zendesk-support'] }, {}, true],
    ['of another connection', { connections: ['in-house'] }, {}, false],
    ['of this conversation', { conversations: ['CONV-1'] }, {}, true],
    ['of another conversation', { conversations: ['CONV-2'] }, {}, false],
    ['of this request', { requestIds: ['request-1'] }, {}, true],
    ['of another request', { requestIds: ['request-2'] }, {}, false],
    ['young enough', { span: { from: NOW - HOUR, to: NOW } }, {}, true],
    ['too old', { span: { from: NOW - HOUR + 1, to: NOW } }, {}, false],
    ['old enough', { span: { from: 0, to: NOW - HOUR } }, {}, true],
    ['too young', { span: { from: 0, to: NOW - HOUR - 1 } }, {}, false],
    ['that is not a close request', {}, { body: 'closed!' }, false],
  ])('is selected or not: one %s', (_, filter, change, expected) => {
    expect(isSelected(readDeadLetter(message(change)), { ...OPTIONS, ...filter })).toBe(expected);
  });

  it('goes back with everything in it, whether this version knows it or not', () => {
    const body = JSON.stringify({ ...REQUEST, later: 'field' });
    expect(bodyToSend(readDeadLetter(message({ body })), NOW)).toBe(body);
  });

  it('goes back without the clock of its earlier attempts, so that it is tried as long as a new close', () => {
    const triedSince = '2026-07-28T10:00:00.000Z';
    const body = JSON.stringify({ ...REQUEST, triedSince, notBefore: '2026-07-31T12:00:00.000Z' });
    expect(bodyToSend(readDeadLetter(message({ body })), NOW)).toBe(JSON.stringify(REQUEST));
  });

  it('goes back, as a look-up, with the time from which it counts and its time of receipt unchanged', () => {
    const body = bodyToSend(readDeadLetter(message({ body: look })), NOW);
    expect(parseCloseRequest(body)).toEqual({
      v: 1,
      requestId: 'request-1',
      source: 'webhook',
      project: 'support',
      connection: 'zendesk-support',
      crmRef: '5158',
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
    loggedAt: NOW - 2 * HOUR,
    connection: 'zendesk-support',
    ticket: '5158',
    conversation: 'CONV-1',
    ...change,
  });

  it('counts equal rows, ignoring how long each was tried, the most frequent first', () => {
    const rows = [
      row({ outcome: 'rejected', reason: 'PolyAI answered 422', loggedAt: NOW - 50 * HOUR }),
      row(),
      row({ reason: 'given up after 27.0 h: PolyAI answered 401', loggedAt: NOW - 3 * HOUR }),
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

  it('lists each with its time, connection, ticket and conversation, the oldest first', () => {
    const rows = [
      row(),
      row({ loggedAt: NOW - 50 * HOUR, conversation: '77', ticket: '-', note: 'look-up' }),
    ];
    expect(list(rows)).toBe(
      [
        '  time                  connection       ticket  conversation  outcome',
        '  2026-07-30T10:00:00Z  zendesk-support  -       77 (look-up)  unauthorized',
        '  2026-08-01T10:00:00Z  zendesk-support  5158    CONV-1        unauthorized',
      ].join('\n'),
    );
    expect(list([row({ conversation: 'a\u001b[2J', ticket: '\u202eb' })])).toMatch(/\?b .* a\?\[2J/);
  });

  it('replaces control characters', () => {
    const text = tabulate([row({ reason: 'a\u001b[2J\u202eb\nc' })], NOW);
    expect(text).toContain('a?[2J?b?c');
  });

  it.each([
    [-5, '0 m'],
    [59_999, '0 m'],
    [90 * 60_000, '1 h'],
    [72 * HOUR, '3 d'],
  ])('shows an age of %d ms as %s', (ms, text) => {
    expect(ageOf(ms)).toBe(text);
  });
});

describe('the pace', () => {
  it('lets no more through than the rate allows, and does not save up unused time', async () => {
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

/** The two queues as a redrive uses them. They do not confirm an entry for which `fault` is true. */
function queues(messages: Message[], fault: Fault = () => false, held = 0) {
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
    if (action === 'GetQueueAttributes') return { Attributes: attributes(held, seen.actions) };
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

/** Counts as SQS does: messages that this command has received are held too. */
function attributes(held: number, actions: string[]) {
  const own = actions.filter((action) => action === 'ReceiveMessage').length * 10;
  return { ApproximateNumberOfMessages: '3', ApproximateNumberOfMessagesNotVisible: String(held + own) };
}

async function redriveOf(
  messages: Message[],
  { fault, held, ...parts }: Partial<RedriveParts> & { fault?: Fault; held?: number } = {},
  options: Partial<RedriveOptions> = {},
) {
  const { seen, sqs } = queues(messages, fault, held);
  const printed: string[] = [];
  const asked: string[] = [];
  const run = redrive(
    { ...OPTIONS, ...options },
    {
      sqs,
      deadLetterQueueUrl: 'dead-letters',
      closeQueueUrl: 'closes',
      logGroupName: '/closer/CloseLog',
      print: (text) => printed.push(text),
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
  return { ...result, ...seen, asked, output: printed.join('\n') };
}

const handles = (...ids: string[]) => ids.map((id) => `handle-of-${id}`);

afterEach(() => {
  vi.useRealTimers();
});

describe('a redrive', () => {
  const three = ['a', 'b', 'c'].map((id) => message({ id, body: { ...REQUEST, requestId: id } }));
  const isOf = (id: string, { MessageBody = '', ReceiptHandle }: Entry) =>
    MessageBody.includes(`"${id}"`) || ReceiptHandle === `handle-of-${id}`;

  it('sends each message unchanged with its group and without attributes, then removes it', async () => {
    const { isDone, sent, removed, released, actions } = await redriveOf(three);
    expect(isDone).toBe(true);
    expect(sent).toEqual(
      three.map(({ Body }, index) => ({ Id: `${index}`, MessageBody: Body, MessageGroupId: 'support' })),
    );
    expect(removed).toEqual(handles('a', 'b', 'c'));
    expect(released).toEqual([]);
    expect(actions.slice(-2)).toEqual(['SendMessageBatch', 'DeleteMessageBatch']);
  });

  it('does not remove a message that the close queue did not confirm', async () => {
    const fault: Fault = (action, entry) => action === 'SendMessageBatch' && isOf('b', entry);
    const { isDone, removed, released, output } = await redriveOf(three, { fault });
    expect(isDone).toBe(false);
    expect(removed).toEqual(handles('a', 'c'));
    expect(released).toEqual(handles('b'));
    expect(output).toContain('Moved 2 of 3');
    expect(output).toContain('1 were not accepted by the close queue');
  });

  it('reports a message that it could not remove, and releases it', async () => {
    const fault: Fault = (action, entry) => action === 'DeleteMessageBatch' && isOf('c', entry);
    const { isDone, released, output } = await redriveOf(three, { fault });
    expect(isDone).toBe(false);
    expect(released).toEqual(handles('c'));
    expect(output).toContain('1 of them may also still be dead letters');
  });

  it.each(['SendMessageBatch', 'DeleteMessageBatch'])(
    'releases every message when %s fails',
    async (failing) => {
      const fault: Fault = (action) => {
        if (action === failing) throw new Error('the network is gone');
        return false;
      };
      const { error, removed, released, output } = await redriveOf(three, { fault } as never);
      expect(error).toBe('the network is gone');
      expect(removed).toEqual([]);
      expect(released).toEqual(handles('a', 'b', 'c'));
      expect(output).not.toContain('not tried');
      expect(output.includes('3 were not confirmed and are still dead letters.')).toBe(
        failing === 'SendMessageBatch',
      );
      expect(output).toContain(
        failing === 'SendMessageBatch' ? 'Moved 0 of 3' : '3 of them may also still be dead letters',
      );
    },
  );

  it('stops between two batches on Ctrl-C, and releases the rest', async () => {
    const stopped = new AbortController();
    const many = Array.from({ length: 25 }, (_, index) => message({ id: `m-${index}` }));
    const sleep = async () => stopped.abort();
    const { isDone, removed, released, output } = await redriveOf(many, { signal: stopped.signal, sleep });
    expect(isDone).toBe(false);
    expect(removed).toHaveLength(10);
    expect(released).toHaveLength(15);
    expect(output).toContain('Stopped: 15 were not tried and are still dead letters. Run it again for them.');
    expect(output).not.toContain('not confirmed');
  });

  it('counts failed and untried messages apart', async () => {
    const many = Array.from({ length: 25 }, (_, index) =>
      message({ id: `m-${index}`, body: { ...REQUEST, requestId: `m-${index}` } }),
    );
    const fault: Fault = (action, entry) => {
      if (action === 'SendMessageBatch' && isOf('m-12', entry)) throw new Error('the network is gone');
      return false;
    };
    const { output } = await redriveOf(many, { fault });
    expect(output).toContain('Moved 10 of 25.');
    expect(output).toContain('10 were not confirmed and are still dead letters.');
    expect(output).toContain('Stopped: 5 were not tried');
  });

  it('says that nothing was moved when it is stopped while reading', async () => {
    const stopped = new AbortController();
    stopped.abort();
    const { isDone, output } = await redriveOf(three, { signal: stopped.signal });
    expect(isDone).toBe(false);
    expect(output).toBe('Stopped while reading the dead letters. Nothing was moved.');
  });

  it('says how many messages another command holds, with or without visible ones', async () => {
    expect((await redriveOf(three, { held: 25 })).output).toContain(
      'About 25 more are held by another command, or by one that was killed: they come back within ten minutes.',
    );
    expect((await redriveOf([], { held: 1 })).output).toBe(
      'There are no dead letters.\nAbout 1 is held by another command, or by one that was killed: they come back within ten minutes.',
    );
    expect((await redriveOf(three)).output).not.toContain('held by');
    expect((await redriveOf([])).output).toBe('There are no dead letters.');
  });

  it('continues without that number when it has no permission to read it', async () => {
    const fault: Fault = () => false;
    const { sqs } = queues(three, fault);
    const send = async (command: { constructor: { name: string } }) => {
      if (command.constructor.name === 'GetQueueAttributesCommand')
        throw Object.assign(new Error('no'), { name: 'AccessDenied' });
      return (sqs.send as (command: unknown) => Promise<unknown>)(command);
    };
    expect((await redriveOf([], { sqs: { send } as never })).isDone).toBe(true);
  });

  it('moves nothing when a list is requested', async () => {
    const { isDone, sent, released, output } = await redriveOf(three, {}, { list: true, dryRun: true });
    expect(output).toMatch(/time +connection +ticket +conversation +outcome/);
    expect(output.match(/2026-08-01T11:00:00Z {2}zendesk-support {2}5158 +CONV-1/g)).toHaveLength(3);
    expect({ isDone, sent }).toEqual({ isDone: true, sent: [] });
    expect(released).toEqual(handles('a', 'b', 'c'));
  });

  it('names the existing projects when a named one has no dead letter', async () => {
    const { isDone, sent, output } = await redriveOf(three, {}, { projects: ['suport'] });
    expect(output).toContain('There is no dead letter of "suport". Projects here: "support".');
    expect({ isDone, sent }).toEqual({ isDone: false, sent: [] });
    const some = await redriveOf(three, {}, { projects: ['suport', 'support'] });
    expect(some).toMatchObject({ isDone: false, removed: handles('a', 'b', 'c') });
    expect((await redriveOf([], {}, { projects: ['suport'] })).isDone).toBe(true);
  });

  it('prints how to watch the outcomes of the moved closes', async () => {
    expect((await redriveOf(three)).output).toContain(
      `aws logs tail /closer/CloseLog --since 10m --follow --filter-pattern '{ ($.type = "close") && ($.final IS TRUE) }'`,
    );
    expect((await redriveOf(three, {}, { dryRun: true })).output).not.toContain('aws logs tail');
  });

  it('asks before moving more than 100, and moves nothing after a no', async () => {
    const many = Array.from({ length: 101 }, (_, index) => message({ id: `m-${index}` }));
    const refused = await redriveOf(many);
    expect(refused.asked).toEqual(['Move 101 dead letters back onto the close queue?']);
    expect(refused).toMatchObject({ isDone: false, sent: [] });
    expect(refused.released).toHaveLength(101);
    expect((await redriveOf(many, { ask: async () => true })).removed).toHaveLength(101);
    expect((await redriveOf(many, {}, { yes: true })).removed).toHaveLength(101);
    expect((await redriveOf(many.slice(1))).asked).toEqual([]);
  });

  it('holds the shown messages until the answer, and does not move one that it could not hold', async () => {
    vi.useFakeTimers();
    const many = Array.from({ length: 101 }, (_, index) => message({ id: `m-${index}` }));
    const held: Entry[] = [];
    const fault: Fault = (action, entry) => {
      if (action !== 'ChangeMessageVisibilityBatch' || entry.VisibilityTimeout === 0) return false;
      held.push(entry);
      return isOf('m-7', entry);
    };
    const ask = async () => {
      await vi.advanceTimersByTimeAsync(200_000);
      return true;
    };
    const { isDone, removed, released, output } = await redriveOf(many, { fault, ask });
    expect(held).toHaveLength(101);
    expect(new Set(held.map(({ VisibilityTimeout }) => VisibilityTimeout))).toEqual(new Set([600]));
    expect(removed).toHaveLength(100);
    expect([...removed, ...released]).not.toContain('handle-of-m-7');
    expect(isDone).toBe(false);
    expect(output).toContain('1 could not be held and are still dead letters: run it again.');
  });

  it('counts a message that is received twice once, by its newest handle', async () => {
    const again = { ...message({ id: 'a' }), ReceiptHandle: 'newer' };
    const { sent, removed } = await redriveOf([message({ id: 'a' }), again]);
    expect(sent).toHaveLength(1);
    expect(removed).toEqual(['newer']);
  });

  it('sends no more messages in one call than the rate allows in a second', async () => {
    const { actions } = await redriveOf(three, {}, { rate: 1 });
    expect(actions.filter((action) => action === 'SendMessageBatch')).toHaveLength(3);
  });
});
