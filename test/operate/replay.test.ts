import { describe, expect, it } from 'vitest';
import { type ReplayOptions, type ReplayParts, replay } from '../../operate/replay.ts';

const NOW = Date.parse('2026-08-01T12:00:00.000Z');
const OPTIONS: ReplayOptions = {
  outcomes: ['not_found'],
  projects: [],
  connections: [],
  conversations: [],
  requestIds: [],
  span: { from: NOW - 3_600_000, to: NOW },
  dryRun: false,
  list: false,
  plan: false,
  yes: false,
  rate: 50,
  lateLookUp: false,
};

function line(id: string, change: Record<string, unknown> = {}) {
  return {
    type: 'close',
    final: true,
    outcome: 'not_found',
    project: 'support',
    connection: 'zendesk-support',
    crm: 'zendesk',
    conversation_id: id,
    crm_ref: '5158',
    received_at: '2026-08-01T08:00:00.000Z',
    ...change,
  };
}

type Given = { waiting?: number; held?: number; sendFails?: boolean } & Partial<ReplayParts>;

/** Runs a replay over a log of these lines, a second apart, and a dead-letter queue of this depth. */
async function replayOf(lines: unknown[], given: Given = {}, options: Partial<ReplayOptions> = {}) {
  const { waiting = 0, held = 0, sendFails = false, ...parts } = given;
  const printed: string[] = [];
  const sent: string[] = [];
  const sqs = async (command: {
    constructor: { name: string };
    input: { Entries?: { MessageBody: string }[] };
  }) => {
    if (command.constructor.name === 'GetQueueAttributesCommand') {
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(waiting),
          ApproximateNumberOfMessagesNotVisible: String(held),
        },
      };
    }
    if (sendFails) throw new Error('the network is gone');
    const { Entries = [] } = command.input;
    sent.push(...Entries.map(({ MessageBody }) => JSON.parse(MessageBody).conversationId));
    return { Successful: Entries };
  };
  const events = lines.map((each, index) => ({
    message: JSON.stringify(each),
    timestamp: NOW - (lines.length - index) * 1000,
  }));
  const run = replay(
    { ...OPTIONS, ...options },
    {
      sqs: { send: sqs } as never,
      logs: { send: async () => ({ events }) } as never,
      closeQueueUrl: 'closes',
      deadLetterQueueUrl: 'dead-letters',
      logGroupName: '/closer/CloseLog',
      print: (text) => printed.push(text),
      progress: () => {},
      ask: async () => true,
      now: () => NOW,
      sleep: async () => {},
      signal: new AbortController().signal,
      ...parts,
    },
  );
  const isDone = await run.catch(() => undefined);
  return { isDone, sent, output: printed.join('\n') };
}

describe('a replay', () => {
  it('leaves out closes that have succeeded since, so a second replay queues nothing', async () => {
    const first = [line('A'), line('B'), line('C')];
    expect(await replayOf(first)).toMatchObject({ isDone: true, sent: ['A', 'B', 'C'] });
    const then = [
      line('A', { outcome: 'closed' }),
      line('B', { outcome: 'already_ended' }),
      line('C', { outcome: 'closed' }),
    ];
    const second = await replayOf([...first, ...then]);
    expect(second).toMatchObject({ isDone: true, sent: [] });
    expect(second.output).toContain(
      '3 conversations left out, with another outcome since: 2 closed, 1 already_ended.',
    );
    expect(second.output).toContain('The log has no such close in this time.');
  });

  it('queues only what ended in the span, and knows what was closed after it', async () => {
    const closed = line('C', { outcome: 'closed' });
    const lines = [line('A'), line('B'), line('C'), closed, line('D')];
    const span = { from: NOW - 4000, to: NOW - 3000 };
    expect(await replayOf(lines, {}, { span })).toMatchObject({ sent: ['B'] });
  });

  it('queues a close whose newest outcome is the requested one again', async () => {
    const lines = [line('A'), line('A', { outcome: 'closed' }), line('A'), line('B'), line('B')];
    expect((await replayOf(lines)).sent).toEqual(['A', 'B']);
  });

  it.each([
    [{ waiting: 2 }, 'The dead-letter queue has about 2 messages.'],
    [{ held: 1 }, 'The dead-letter queue has about 1 message.'],
  ])('warns when the dead-letter queue is not empty: %j', async (depth, warning) => {
    const { output } = await replayOf([line('A')], depth);
    expect(output).toContain(warning);
    expect(output).toContain('use npx --no chat-closer redrive');
    expect(output).not.toContain('are in it');
    const outcomes = ['rejected', 'unauthorized', 'not_found'];
    expect((await replayOf([line('A')], depth, { outcomes })).output).toContain(
      'Closes that end as rejected or unauthorized are in it, unless somebody has deleted them.',
    );
  });

  it('does not warn when that queue is empty', async () => {
    expect(
      (await replayOf([line('A', { outcome: 'rejected' })], {}, { outcomes: ['rejected'] })).output,
    ).not.toContain('dead-letter queue');
  });

  it('reports untried closes when it is stopped, and unconfirmed ones when it fails', async () => {
    const many = Array.from({ length: 25 }, (_, index) => line(`C-${index}`));
    const stopped = new AbortController();
    const sleep = async () => stopped.abort();
    const first = await replayOf(many, { signal: stopped.signal, sleep });
    expect(first).toMatchObject({ isDone: false });
    expect(first.sent).toHaveLength(10);
    expect(first.output).toContain('Stopped: 15 were not tried.');
    expect(first.output).not.toContain('not confirmed');
    const second = await replayOf(many, { sendFails: true });
    expect(second.output).toContain('10 were not confirmed. They may have been queued anyway.');
    expect(second.output).toContain('Stopped: 15 were not tried.');
  });

  it('says that nothing was queued when it is stopped while reading', async () => {
    const stopped = new AbortController();
    stopped.abort();
    expect(await replayOf([line('A')], { signal: stopped.signal })).toMatchObject({
      isDone: false,
      output: 'Stopped while reading the log. Nothing was queued.',
    });
  });

  it('asks before queueing more than 100, and queues nothing after a no', async () => {
    const many = Array.from({ length: 101 }, (_, index) => line(`C-${index}`));
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return false;
    };
    const refused = await replayOf(many, { ask });
    expect(refused).toMatchObject({ isDone: false, sent: [] });
    expect(refused.output).toContain('Nothing was queued.');
    expect(asked).toEqual(['Queue 101 closes again?']);
    expect((await replayOf(many, { ask }, { yes: true })).sent).toHaveLength(101);
    expect((await replayOf(many.slice(1), { ask })).sent).toHaveLength(100);
    expect(asked).toHaveLength(1);
  });

  it('queues nothing when a list is requested', async () => {
    const { sent, output } = await replayOf([line('A')], {}, { list: true, dryRun: true });
    expect(sent).toEqual([]);
    expect(output).toMatch(/2026-08-01T11:59:59Z +zendesk-support +5158 +A +not_found/);
  });

  it('names the existing projects when a named one has no such close', async () => {
    const { isDone, output } = await replayOf([line('A')], {}, { projects: ['suport'] });
    expect(isDone).toBe(false);
    expect(output).toContain('There is no such close of "suport". Projects here: "support".');
    expect((await replayOf([], {}, { projects: ['suport'] })).isDone).toBe(true);
  });

  it('prints how to watch the outcomes of the queued closes', async () => {
    const { output } = await replayOf([line('A')]);
    const [, id] = /request id (\S+)\./.exec(output) ?? [];
    expect(output).toContain(
      `aws logs tail /closer/CloseLog --since 10m --follow --filter-pattern '"${id}"'`,
    );
  });
});
