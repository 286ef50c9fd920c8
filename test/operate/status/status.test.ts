import type { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { status } from '../../../operate/status/status.ts';
import { ago, deploymentOf, logsWith, NOW, type Put, surroundingsOf } from '../../support/operated.ts';

const SPAN = { from: NOW - 24 * 3_600_000, to: NOW + 1 };

type Depths = { closes?: number; deadLetters?: number };

async function look(
  lines: readonly Put[],
  { closes = 0, deadLetters = 0 }: Depths = {},
  alarms: object[] = [],
) {
  const deployment = {
    ...deploymentOf(),
    resources: [{ logicalId: 'A', type: 'AWS::CloudWatch::Alarm', name: 'closer-FaultsAlarm' }],
  };
  const sqs = {
    send: async ({ input }: GetQueueAttributesCommand) => ({
      Attributes: {
        ApproximateNumberOfMessages: String(input.QueueUrl?.endsWith('closes') ? closes : deadLetters),
        ApproximateNumberOfMessagesNotVisible: '0',
      },
    }),
  } as never;
  const cloudWatch = {
    send: async ({ input }: DescribeAlarmsCommand) => {
      expect(input.AlarmNames).toEqual(['closer-FaultsAlarm']);
      return { MetricAlarms: alarms };
    },
  } as never;
  return status(deployment, SPAN, { ...surroundingsOf(), sqs, cloudWatch, logs: logsWith(lines, 100) });
}

const delivery = (minutes: number, line: Partial<Put> = {}): Put => ({
  at: ago(minutes),
  type: 'delivery',
  connection: 'zendesk-support',
  result: 'accepted',
  accepted: 1,
  conversation_ids: ['CONV-1'],
  ...line,
});
const refusal = (minutes: number, refused = 'signature_mismatch') =>
  delivery(minutes, { result: 'refused', accepted: undefined, refused });
const close = (minutes: number, line: Partial<Put> = {}): Put => ({
  at: ago(minutes),
  type: 'close',
  outcome: 'closed',
  result: 'closed',
  final: true,
  project: 'support',
  conversation_id: 'CONV-1',
  ...line,
});
const waiting = (minutes: number, outcome: string, line: Partial<Put> = {}) =>
  close(minutes, { outcome, result: 'waiting', final: false, reason: `PolyAI answered ${outcome}`, ...line });
const givenUp = (minutes: number, line: Partial<Put> = {}) =>
  close(minutes, { outcome: 'unauthorized', result: 'given_up', connection: 'zendesk-support', ...line });

describe('the status', () => {
  it.each([
    ['without any line', []],
    ['after a close', [delivery(30), close(29)]],
    ['while a throttled close is retried', [delivery(2), waiting(1, 'throttled')]],
    [
      'after a close that was retried for an hour and succeeded',
      [waiting(90, 'unavailable'), waiting(60, 'unavailable'), close(30)],
    ],
    ['after a refusal that was followed by a good delivery', [refusal(60), delivery(30), close(29)]],
    ['after the canary’s own refused delivery', [delivery(1, { ...refusal(1), canary: true })]],
    ['after a chat that PolyAI does not know', [close(10, { outcome: 'not_found', result: 'over' })]],
    [
      'after a cleanup that finished',
      [{ at: ago(5), type: 'cleanup', project: 'support', complete: true, stale: 0 }],
    ],
  ])('is healthy %s', async (_, lines) => {
    const found = await look(lines);
    expect(found).toMatchObject({ healthy: true, troubles: [] });
    expect(found.lookedAt).toHaveLength(4);
  });

  it('names a connection that only refuses, since its last good delivery', async () => {
    const lines = [refusal(200), delivery(120), refusal(60), refusal(30), refusal(10, 'timestamp_stale')];
    expect((await look(lines)).troubles).toMatchObject([
      {
        cause: 'refused',
        connection: 'zendesk-support',
        chats: 3,
        since: ago(60),
        next: expect.stringContaining('secret set'),
      },
    ]);
  });

  it('says how many chats wait for a key that PolyAI accepts, and until when that heals', async () => {
    const lines = [
      waiting(600, 'unauthorized'),
      waiting(10, 'unauthorized'),
      waiting(5, 'unauthorized', { conversation_id: 'CONV-2' }),
    ];
    const [trouble] = (await look(lines)).troubles;
    expect(trouble).toMatchObject({ cause: 'unauthorized', project: 'support', chats: 2, since: ago(600) });
    expect(trouble?.healsUntil).toBe(ago(600 - 74 * 60));
    expect(trouble?.next).toContain('secret set support');
  });

  it('gives a look-up a quarter of an hour, apart from the closes with the same outcome', async () => {
    const lookUp = { conversation_id: undefined, shared_id: 'shared-1' };
    const { troubles } = await look([waiting(5, 'unauthorized'), waiting(5, 'unauthorized', lookUp)]);
    expect(troubles.map(({ healsUntil }) => healsUntil).sort()).toEqual([ago(-10), ago(5 - 74 * 60)]);
  });

  it('names an outage that has lasted a quarter of an hour', async () => {
    const [trouble] = (await look([waiting(20, 'unavailable'), waiting(5, 'unavailable')])).troubles;
    expect(trouble).toMatchObject({ cause: 'unavailable', chats: 1, since: ago(20) });
    expect(trouble?.sentence).toContain(`1 chat of support waits since ${ago(20)}`);
    expect(trouble?.sentence).toContain('no redrive is needed');
  });

  it('counts a chat’s tries since its last final outcome only', async () => {
    const lines = [givenUp(500), waiting(3, 'unavailable'), waiting(1, 'unavailable')];
    expect((await look(lines)).troubles).toEqual([]);
  });

  it('says what is in the dead-letter queue, since when and why', async () => {
    const lines = [givenUp(100), givenUp(50, { conversation_id: 'CONV-2' })];
    const [trouble] = (await look(lines, { deadLetters: 2 })).troubles;
    expect(trouble).toMatchObject({
      cause: 'dead_letters',
      project: 'support',
      connection: 'zendesk-support',
      chats: 2,
      since: ago(100),
    });
    expect(trouble?.sentence).toContain('most often with unauthorized');
  });

  it('does not count dead letters that were moved back', async () => {
    expect((await look([givenUp(100)])).troubles).toEqual([]);
  });

  it('names dead letters whose lines are older than the span', async () => {
    const [trouble] = (await look([], { deadLetters: 1 })).troubles;
    expect(trouble).toMatchObject({ cause: 'dead_letters', chats: 1 });
    expect(trouble?.sentence).not.toMatch(/undefined|NaN/);
  });

  it('says that the worker has stopped, before anything else', async () => {
    const lines = [close(60), delivery(40), refusal(10)];
    const { troubles } = await look(lines, { closes: 1 });
    expect(troubles.map(({ cause }) => cause)).toEqual(['worker_stopped', 'refused']);
    expect(troubles[0]).toMatchObject({ chats: 1, since: ago(40) });
  });

  it('does not take a moment’s wait for a stopped worker', async () => {
    expect((await look([delivery(1)], { closes: 1 })).troubles).toEqual([]);
  });

  it('names a project of whose chats PolyAI knows none', async () => {
    const lines = Array.from({ length: 20 }, (_, index) =>
      close(20 - index / 2, { outcome: 'not_found', result: 'over', conversation_id: `CONV-${index}` }),
    );
    expect((await look(lines)).troubles).toMatchObject([
      { cause: 'not_found', project: 'support', chats: 20 },
    ]);
  });

  it('names a cleanup that does not finish, since its first such run', async () => {
    const run = (minutes: number, complete: boolean): Put => ({
      at: ago(minutes),
      type: 'cleanup',
      project: 'support',
      complete,
      stale: 3,
      ...(!complete && { reason: 'the time was up' }),
    });
    const [trouble] = (await look([run(90, false), run(60, true), run(30, false), run(10, false)])).troubles;
    expect(trouble).toMatchObject({ cause: 'cleanup_incomplete', chats: 3, since: ago(30) });
    expect(trouble?.sentence).toContain('the time was up');
  });

  it('names faults by their place', async () => {
    const fault = {
      at: ago(3),
      type: 'fault',
      where: 'receive: keys',
      error: { name: 'TypeError', message: 'bad' },
    };
    expect((await look([fault])).troubles).toMatchObject([{ cause: 'fault', chats: 1, since: ago(3) }]);
  });

  it('names an alarm that rings, with its runbook', async () => {
    const alarm = {
      AlarmName: 'closer-FaultsAlarm',
      StateValue: 'ALARM',
      StateUpdatedTimestamp: new Date(ago(7)),
      AlarmDescription: 'Something failed.\nRunbook: docs/operations.md#faults',
    };
    expect((await look([], {}, [alarm, { ...alarm, StateValue: 'OK' }])).troubles).toMatchObject([
      { cause: 'alarm', since: ago(7), next: 'docs/operations.md#faults' },
    ]);
  });
});
