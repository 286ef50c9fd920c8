import { describe, expect, it } from 'vitest';
import { createLedger } from './ledger.ts';
import { failuresOf } from './report.ts';
import { HOUR, MINUTE, type Schedule, SECOND } from './schedule.ts';

// Tests the rules of the counting, each with the smallest run that breaks it.

const START = Date.parse('2026-08-01T00:00:00Z');

/**
 * How long every span was troubled, how long PolyAI does not serve the project from the start on, and how long AWS is
 * in trouble in every span, in milliseconds.
 */
type Options = { troubledMs: number; downMs: number; behindMs: number; chat: object };

/** A ledger with one chat, whose close was requested and acknowledged as `request-1`. */
function createRun({ troubledMs = 0, downMs = 0, behindMs = 0, chat = {} }: Partial<Options> = {}) {
  const clock = { now: START };
  const schedule: Schedule = {
    windows: [],
    during: () => undefined,
    troubledMs(from, to, _project, kinds = []) {
      if (kinds.includes('workers_killed')) return behindMs;
      if (!kinds.includes('outage')) return troubledMs;
      return Math.max(0, Math.min(to, START + downMs) - Math.max(from, START));
    },
    // The troubles of these tests come first.
    longestCalmMs: (from, to) => Math.max(0, to - from - troubledMs),
  };
  const ledger = createLedger(schedule, () => clock.now);
  const open = new Set(['chat-1', 'chat-2']);
  ledger.opened('chat-1', 'support', chat);
  ledger.opened('chat-2', 'support');
  const send = (requestId: string) => {
    ledger.asked('chat-1');
    ledger.requested(requestId, ['chat-1']);
    ledger.acknowledged(requestId, ['chat-1']);
  };
  send('request-1');
  const message = (change: object = {}) =>
    JSON.stringify({
      requestId: 'request-1',
      project: 'support',
      conversationId: 'chat-1',
      receivedAt: new Date(START).toISOString(),
      ...change,
    });
  /** The message is received, and PolyAI answers. */
  const tryOnce = (
    answer: 'closed' | 'over' | 'not_found' | 'rejected' | undefined,
    requestId = 'request-1',
  ) => {
    ledger.received(message({ requestId }));
    if (answer === 'closed') open.delete('chat-1');
    ledger.called('chat-1', open.has('chat-1'), requestId);
    clock.now += SECOND;
    ledger.answered('chat-1', requestId, answer);
  };
  const giveUp = () => ledger.deadLettered(message(), { outcome: 'unavailable', reason: 'given up' });
  const report = () => ledger.report((id) => open.has(id));
  return { ledger, clock, send, message, tryOnce, giveUp, report };
}

describe('a run', () => {
  it('has no failure when the request is closed and then deleted', () => {
    const { ledger, tryOnce, message, report } = createRun();
    tryOnce('closed');
    ledger.deleted(message());
    expect(failuresOf(report())).toEqual([]);
    expect(report()).toMatchObject({ acknowledged: 1, requests: 1, closed: 1 });
  });

  it('has lost a request that has not ended, even if another request closed its chat', () => {
    const { send, tryOnce, report } = createRun();
    send('request-2');
    tryOnce('closed', 'request-2');
    expect(report().lost).toEqual([expect.stringContaining('request request-1')]);
  });

  it('has lost a request that PolyAI refused and that was not dead-lettered', () => {
    const { tryOnce, report } = createRun({ chat: { refusedAs: 'rejected' } });
    tryOnce('rejected');
    expect(report().lost).toHaveLength(1);
  });

  it('has deleted a message early when its request has not ended', () => {
    const { ledger, tryOnce, message, report } = createRun();
    tryOnce(undefined);
    ledger.deleted(message());
    tryOnce('closed');
    expect(report().lost).toEqual([]);
    expect(report().deletedEarly).toHaveLength(1);
  });

  it('may delete a message of a close that was sent back, and the last one only after its end', () => {
    const { ledger, tryOnce, message, report } = createRun();
    ledger.queued(message());
    tryOnce(undefined);
    ledger.queued(message());
    ledger.deleted(message());
    expect(report().deletedEarly).toEqual([]);
    ledger.deleted(message());
    expect(report().deletedEarly).toHaveLength(1);
  });

  it('has deleted a message early when nobody sent its request', () => {
    const { ledger, message, report } = createRun();
    ledger.deleted(message({ requestId: 'request-9' }));
    expect(report().deletedEarly).toHaveLength(1);
  });

  it('has a wrong call for a chat that the request does not name, closed or not', () => {
    const { ledger, report } = createRun();
    ledger.asked('chat-2');
    ledger.called('chat-2', true, 'request-1');
    ledger.called('chat-9', true, 'request-1');
    ledger.called('chat-1', true, 'request-9');
    ledger.lookedUp('4711', 'request-1');
    expect(report().wronglyCalled).toHaveLength(4);
    expect(report().wronglyClosed).toEqual([]);
    ledger.called('chat-2', false, 'request-1');
    expect(report().wronglyClosed).toHaveLength(1);
  });
});

describe('a look-up', () => {
  const ticket = { chat: { sharedId: '4711' } };
  const lookUp = { conversationId: undefined, sharedId: '4711' };

  it('may be deleted after the close of its chat is queued, and not before', () => {
    const { ledger, message, report } = createRun(ticket);
    ledger.lookUpAnswered('4711', 'request-1', 'found');
    ledger.queued(message(lookUp));
    ledger.deleted(message(lookUp));
    expect(report().deletedEarly).toHaveLength(1);
    ledger.queued(message(lookUp));
    ledger.queued(message());
    ledger.deleted(message(lookUp));
    expect(report().deletedEarly).toHaveLength(1);
    expect(report().lost).toHaveLength(1);
  });

  it.each([
    ['ends when there is no chat', true, 2 * MINUTE, 0],
    ['has no end when it is too early to believe it', true, MINUTE, 1],
    ['has no end when there is a chat', false, 2 * MINUTE, 1],
  ])('%s', (_, isNeverStored, afterMs, lost) => {
    const { ledger, clock, report } = createRun({ chat: { sharedId: '4711', isNeverStored } });
    clock.now += afterMs;
    ledger.lookUpAnswered('4711', 'request-1', 'none');
    expect(report().lost).toHaveLength(lost);
  });

  it.each([
    ['15 minutes after a failed call', 15 * MINUTE, true, 0],
    ['sooner', 14 * MINUTE, true, 1],
    ['without a failed call or what kept it from being made', 15 * MINUTE, false, 1],
  ])('that expires %s: %i, %s', (_, afterMs, hasFailed, unexplained) => {
    const { ledger, clock, message, report } = createRun(ticket);
    if (hasFailed) ledger.lookUpAnswered('4711', 'request-1', undefined);
    clock.now += afterMs;
    ledger.deadLettered(message(lookUp), { outcome: 'look_up_expired', reason: 'too late' });
    expect(report().unexplainedDeadLetters).toHaveLength(unexplained);
  });
});

describe('a look-up without any call', () => {
  const ticket = { chat: { sharedId: '4711' } };
  const lookUp = { conversationId: undefined, sharedId: '4711' };

  it.each([
    ['is explained by a fault that was made for its own message', true, 0, 0],
    ['is explained by an empty secret', false, MINUTE, 0],
    ['is not explained by nothing', false, 0, 1],
  ])('%s', (_, isHindered, troubledMs, unexplained) => {
    const { ledger, clock, message, report } = createRun({ ...ticket, troubledMs });
    ledger.received(message(lookUp));
    if (isHindered) ledger.hindered([message(lookUp)]);
    clock.now += 15 * MINUTE;
    ledger.deadLettered(message(lookUp), { outcome: 'look_up_expired', reason: 'too late' });
    expect(report().unexplainedDeadLetters).toHaveLength(unexplained);
  });

  it.each([
    ['is explained by a project that was down whenever a worker held it', 15 * MINUTE, [0, 14 * MINUTE], 0],
    ['is not explained by an outage that was over at one of its receipts', MINUTE, [0, 2 * MINUTE], 1],
    ['is not explained by an outage without any receipt', 15 * MINUTE, [], 1],
  ])('%s', (_, downMs, receipts, unexplained) => {
    const { ledger, clock, message, report } = createRun({ ...ticket, downMs });
    for (const at of receipts) {
      clock.now = START + at;
      ledger.received(message(lookUp));
    }
    clock.now = START + 15 * MINUTE;
    ledger.received(message(lookUp));
    ledger.deadLettered(message(lookUp), { outcome: 'look_up_expired', reason: 'too late' });
    expect(report().unexplainedDeadLetters).toHaveLength(unexplained);
  });

  it.each([
    ['is explained by workers that were behind since a trouble of AWS', 14 * MINUTE, MINUTE, 0],
    ['is not explained by workers that were behind without a trouble', 14 * MINUTE, 0, 1],
    ['is not explained by a trouble if no message had waited meanwhile', 15 * MINUTE, MINUTE, 1],
  ])('%s', (_, idleAt, behindMs, unexplained) => {
    const { ledger, clock, message, report } = createRun({ ...ticket, behindMs });
    ledger.received(message(lookUp));
    clock.now = START + idleAt;
    ledger.idle();
    clock.now = START + 16 * MINUTE;
    ledger.received(message(lookUp));
    ledger.deadLettered(message(lookUp), { outcome: 'look_up_expired', reason: 'too late' });
    expect(report().unexplainedDeadLetters).toHaveLength(unexplained);
  });

  it('is explained as a copy only if the queue delivered it after the request had ended', () => {
    const { ledger, clock, message, tryOnce, report } = createRun(ticket);
    ledger.received(message(lookUp));
    tryOnce('closed');
    clock.now = START + 15 * MINUTE;
    const expire = () =>
      ledger.deadLettered(message(lookUp), { outcome: 'look_up_expired', reason: 'too late' });
    expire();
    expect(report().unexplainedDeadLetters).toHaveLength(1);
    ledger.received(message(lookUp));
    expire();
    expect(report().unexplainedDeadLetters).toEqual([]);
  });

  it('is not explained by a fault that was made for another message', () => {
    const { ledger, clock, message, report } = createRun(ticket);
    ledger.received(message(lookUp));
    ledger.hindered([message({ ...lookUp, requestId: 'request-2' })]);
    clock.now += 15 * MINUTE;
    ledger.deadLettered(message(lookUp), { outcome: 'look_up_expired', reason: 'too late' });
    expect(report().unexplainedDeadLetters).toHaveLength(1);
  });
});

describe('a close that was given up', () => {
  const isTroubled = { troubledMs: 74 * HOUR };

  it.each([
    ['after 74 hours of trouble', isTroubled, 74 * HOUR, 0],
    ['sooner', isTroubled, 73 * HOUR, 1],
    ['after a pause of more than 80 minutes in which nothing was wrong', {}, 74 * HOUR, 1],
    ['after a pause that the troubles do not fill', { troubledMs: 72 * HOUR }, 74 * HOUR, 1],
  ])('%s', (_, run, afterMs, unexplained) => {
    const { clock, tryOnce, giveUp, report } = createRun(run);
    tryOnce(undefined);
    clock.now += afterMs;
    tryOnce(undefined);
    giveUp();
    expect(report().unexplainedDeadLetters).toHaveLength(unexplained);
    expect(report().lost).toEqual([]);
  });

  it('without trouble is explained by failed calls that were never more than 80 minutes apart', () => {
    const { clock, tryOnce, giveUp, report } = createRun();
    for (let hours = 0; hours <= 74; hours += 1) {
      tryOnce(undefined);
      clock.now += HOUR;
    }
    tryOnce(undefined);
    giveUp();
    expect(report().unexplainedDeadLetters).toEqual([]);
  });

  it('after a pause is explained by the wait that the answer before it had asked for', () => {
    const { ledger, clock, message, tryOnce, giveUp, report } = createRun();
    for (let days = 0; days <= 3; days += 1) {
      ledger.received(message());
      ledger.answered('chat-1', 'request-1', undefined, 24 * HOUR);
      clock.now += 24.8 * HOUR;
    }
    tryOnce(undefined);
    giveUp();
    expect(report().unexplainedDeadLetters).toEqual([]);
  });

  it('is not explained if its last call was long ago', () => {
    const { clock, tryOnce, giveUp, report } = createRun();
    for (let hours = 0; hours <= 74; hours += 1) {
      tryOnce(undefined);
      clock.now += HOUR;
    }
    giveUp();
    expect(report().unexplainedDeadLetters).toHaveLength(1);
  });

  it('contradicts an earlier final answer in the same delivery of the message', () => {
    const { clock, tryOnce, giveUp, report } = createRun(isTroubled);
    tryOnce(undefined);
    clock.now += 74 * HOUR;
    tryOnce('closed');
    clock.now += MINUTE;
    giveUp();
    expect(report()).toMatchObject({ lateCopies: 0, conflictingFinals: [expect.any(String)] });
    expect(report().unexplainedDeadLetters).toHaveLength(1);
  });

  it('is a late copy when the queue delivered it again after its end', () => {
    const { clock, tryOnce, giveUp, report } = createRun(isTroubled);
    tryOnce('closed');
    for (const hours of [1, 74]) {
      clock.now += hours * HOUR;
      tryOnce(undefined);
    }
    giveUp();
    expect(failuresOf(report())).toEqual([]);
    expect(report()).toMatchObject({ lateCopies: 1, needlessDeadLetters: 1 });
  });

  it('without an outcome, as SQS moves it, is not explained', () => {
    const { ledger, message, report } = createRun(isTroubled);
    ledger.deadLettered(message(), {});
    expect(report().unexplainedDeadLetters).toHaveLength(1);
  });
});
