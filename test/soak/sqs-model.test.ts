import { describe, expect, it } from 'vitest';
import { createClock } from './clock.ts';
import { createRandom } from './random.ts';
import { createQueue, type QueueSettings } from './sqs-model.ts';

// Tests what AWS documents about a standard queue. test/e2e/sqs-model.test.ts compares the rest with an emulator.

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const START = Date.parse('2026-08-01T00:00:00Z');

function createWorld(settings: Partial<QueueSettings> = {}) {
  const clock = createClock(START);
  const random = createRandom(1);
  const deadLetters = createQueue({ url: 'dead-letters', visibilitySeconds: 30 }, clock, random);
  const queue = createQueue({ url: 'queue', visibilitySeconds: 180, ...settings }, clock, random);
  const later = (ms: number, run: () => void) => clock.at(START + ms, run);
  return { clock, queue, deadLetters, later };
}

describe('a standard queue', () => {
  it('calls the listeners when a message is sent, received and deleted', async () => {
    const { clock, queue } = createWorld();
    const events: string[] = [];
    for (const event of ['sent', 'received', 'deleted'] as const)
      queue.on(event, (body) => events.push(`${event} ${body}`));
    queue.send({ body: 'a' });
    const [message] = queue.receive();
    queue.delete(message?.receiptHandle ?? '');
    queue.delete(message?.receiptHandle ?? '');
    await clock.run();
    expect(events).toEqual(['sent a', 'received a', 'deleted a']);
  });

  it('hides a received message, and shows it again when its visibility time-out ends', async () => {
    const { clock, queue, later } = createWorld();
    queue.send({ body: 'a', group: 'project' });
    const [first] = queue.receive();
    expect(first).toMatchObject({
      body: 'a',
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: `${START}`, MessageGroupId: 'project' },
    });
    expect(queue.receive()).toEqual([]);
    later(179 * SECOND, () => expect(queue.receive()).toEqual([]));
    later(181 * SECOND, () => {
      const [second] = queue.receive();
      expect(second?.attributes.ApproximateReceiveCount).toBe('2');
      expect(second?.attributes.ApproximateFirstReceiveTimestamp).toBe(`${START}`);
      expect(second?.messageId).toBe(first?.messageId);
      expect(second?.receiptHandle).not.toBe(first?.receiptHandle);
    });
    await clock.run();
  });

  it('never delivers a deleted message', async () => {
    const { clock, queue, later } = createWorld();
    queue.send({ body: 'a' });
    queue.delete(queue.receive()[0]?.receiptHandle ?? '');
    later(DAY, () => expect(queue.receive()).toEqual([]));
    await clock.run();
    expect(queue.counts()).toMatchObject({ visible: 0, inFlight: 0, deleted: 1 });
  });

  it('delivers ten messages at most, in any order', () => {
    const { queue } = createWorld();
    const bodies = Array.from({ length: 40 }, (_, index) => String(index));
    for (const body of bodies) queue.send({ body });
    const received = [1, 2, 3, 4, 5].flatMap(() => queue.receive({ max: 10 }).map(({ body }) => body));
    expect(received).toHaveLength(40);
    expect(new Set(received)).toEqual(new Set(bodies));
    expect(received).not.toEqual(bodies);
  });

  it('makes a message visible at the requested time, and not before', async () => {
    const { clock, queue, later } = createWorld();
    queue.send({ body: 'a' });
    queue.changeVisibility(queue.receive()[0]?.receiptHandle ?? '', 7200);
    later(7199 * SECOND, () => expect(queue.receive()).toEqual([]));
    later(7201 * SECOND, () => {
      const [again] = queue.receive();
      expect(again?.body).toBe('a');
      queue.changeVisibility(again?.receiptHandle ?? '', 0);
      expect(queue.receive()).toHaveLength(1);
    });
    await clock.run();
  });

  it('refuses to hide a message for more than 12 hours after its receipt', async () => {
    const { clock, queue, later } = createWorld({ visibilitySeconds: 10_800 });
    queue.send({ body: 'a' });
    const handle = queue.receive()[0]?.receiptHandle ?? '';
    expect(() => queue.changeVisibility(handle, 43_201)).toThrow(/invalid/);
    later(HOUR, () => {
      expect(() => queue.changeVisibility(handle, 43_200)).toThrow(/beyond the limit/);
      queue.changeVisibility(handle, 11 * 3600);
    });
    later(12 * HOUR - 1, () => expect(queue.counts().visible).toBe(0));
    await clock.run();
    expect(queue.counts().visible).toBe(1);
  });

  it('refuses a change of visibility for a message that is not in flight, and an invalid handle', async () => {
    const { clock, queue, later } = createWorld();
    queue.send({ body: 'a' });
    const handle = queue.receive()[0]?.receiptHandle ?? '';
    expect(() => queue.changeVisibility('nonsense', 10)).toThrow(/receipt handle is invalid/);
    later(200 * SECOND, () => expect(() => queue.changeVisibility(handle, 10)).toThrow(/not in flight/));
    await clock.run();
  });

  it('moves a message to the dead-letter queue when it has been received too often', async () => {
    const { clock, queue, deadLetters, later } = createWorld();
    const bounded = createQueue(
      { url: 'bounded', visibilitySeconds: 10, redrive: { queue: deadLetters, maxReceiveCount: 2 } },
      clock,
      createRandom(2),
    );
    expect(queue.counts().visible).toBe(0);
    bounded.send({ body: 'a', group: 'project' });
    bounded.receive();
    later(11 * SECOND, () => expect(bounded.receive()).toHaveLength(1));
    later(22 * SECOND, () => {
      expect(bounded.receive()).toEqual([]);
      // Its time of sending does not change, so its retention continues.
      expect(deadLetters.receive()[0]).toMatchObject({
        body: 'a',
        attributes: { SentTimestamp: `${START}`, MessageGroupId: 'project', ApproximateReceiveCount: '1' },
      });
    });
    await clock.run();
  });

  it('drops a message after its retention', async () => {
    const { clock, queue, later } = createWorld();
    const expired: string[] = [];
    queue.onExpired((body) => expired.push(body));
    queue.send({ body: 'a' });
    later(14 * DAY, () => expect(queue.receive()).toEqual([]));
    await clock.run();
    expect(expired).toEqual(['a']);
  });

  it('delivers nothing while the maximum number of messages is in flight', () => {
    const { queue } = createWorld({ inFlightLimit: 3 });
    for (const body of ['a', 'b', 'c', 'd']) queue.send({ body });
    const received = queue.receive({ max: 10 });
    expect(received).toHaveLength(3);
    expect(queue.receive()).toEqual([]);
    queue.delete(received[0]?.receiptHandle ?? '');
    expect(queue.receive()).toHaveLength(1);
  });

  it('delivers at least once, and sometimes twice', async () => {
    const { clock, queue } = createWorld({ oddities: { receivedTwice: 1, backAfterDelete: 0 } });
    queue.send({ body: 'a' });
    expect([...queue.receive(), ...queue.receive()].map(({ body }) => body)).toEqual(['a', 'a']);
    const other = createWorld({ oddities: { receivedTwice: 0, backAfterDelete: 1 } });
    other.queue.send({ body: 'b' });
    other.queue.delete(other.queue.receive()[0]?.receiptHandle ?? '');
    expect(other.queue.receive()).toEqual([]);
    other.later(181 * SECOND, () => expect(other.queue.receive()).toHaveLength(1));
    await clock.run();
    await other.clock.run();
  });
});

describe('virtual time', () => {
  it('runs tasks in the order of their times, and stops during real work', async () => {
    const clock = createClock(0);
    const seen: string[] = [];
    const note = (text: string) => () => void seen.push(`${text} ${clock.now()}`);
    clock.at(20, note('later'));
    clock.at(10, note('sooner'));
    clock.at(10, note('and then'));
    void clock.real(new Promise((resolve) => setTimeout(resolve, 20))).then(note('real'));
    void clock.sleep(15).then(note('slept'));
    await clock.run();
    expect(seen).toEqual(['real 0', 'sooner 10', 'and then 10', 'slept 15', 'later 20']);
  });
});

describe('a delay', () => {
  it('keeps a message from being delivered, and not in flight', async () => {
    const { clock, queue, later } = createWorld();
    queue.send({ body: 'a', delaySeconds: 900 });
    expect(queue.counts()).toMatchObject({ visible: 0, inFlight: 0, delayed: 1 });
    later(899 * SECOND, () => expect(queue.receive()).toEqual([]));
    later(901 * SECOND, () => {
      expect(queue.receive()).toMatchObject([{ body: 'a' }]);
      expect(queue.counts()).toMatchObject({ inFlight: 1, delayed: 0 });
    });
    await clock.run();
  });

  it.each([901, -1, 0.5])('of %d seconds is refused', (delaySeconds) => {
    expect(() => createWorld().queue.send({ body: 'a', delaySeconds })).toThrow(/DelaySeconds/);
  });

  it('is not limited in its number of messages', () => {
    const { queue } = createWorld({ inFlightLimit: 3 });
    for (let n = 0; n < 10; n += 1) queue.send({ body: 'later', delaySeconds: 900 });
    queue.send({ body: 'now' });
    expect(queue.receive({ max: 10 })).toMatchObject([{ body: 'now' }]);
  });
});

describe('a fair queue', () => {
  const bodies = (received: { body: string }[]) => received.map(({ body }) => body);
  const fill = (send: (entry: { body: string; group?: string }) => void, count: number, group?: string) => {
    for (let n = 0; n < count; n += 1) send({ body: group ?? 'none', ...(group && { group }) });
  };

  it('delivers a quiet group first while another one has 30 messages and a tenth in flight', () => {
    const { queue } = createWorld();
    fill(queue.send, 100, 'noisy');
    for (let n = 0; n < 3; n += 1) queue.receive({ max: 10 });
    fill(queue.send, 5, 'quiet');
    expect(bodies(queue.receive({ max: 10 }))).toEqual([
      ...Array.from({ length: 5 }, () => 'quiet'),
      ...Array.from({ length: 5 }, () => 'noisy'),
    ]);
  });

  it('delivers them in any order before that', () => {
    const { queue } = createWorld();
    fill(queue.send, 100, 'noisy');
    queue.receive({ max: 10 });
    fill(queue.send, 5, 'quiet');
    expect(bodies(queue.receive({ max: 5 }))).toContain('noisy');
  });

  it('delivers a quiet group first while another one has most of the processing time', async () => {
    const { clock, queue, later } = createWorld();
    fill(queue.send, 100, 'slow');
    const batch = queue.receive({ max: 10 });
    later(10 * SECOND, () => {
      for (const { receiptHandle } of batch) queue.delete(receiptHandle);
      fill(queue.send, 5, 'quiet');
      expect(bodies(queue.receive({ max: 5 }))).toEqual(Array.from({ length: 5 }, () => 'quiet'));
    });
    await clock.run();
  });

  it('treats each message without a group as a quiet one', () => {
    const { queue } = createWorld();
    fill(queue.send, 100);
    for (let n = 0; n < 5; n += 1) queue.receive({ max: 10 });
    fill(queue.send, 100, 'noisy');
    for (let n = 0; n < 9; n += 1) queue.receive({ max: 10 });
    expect(queue.counts()).toMatchObject({ inFlight: 140 });
    expect(bodies(queue.receive({ max: 5 }))).not.toContain('none');
    fill(queue.send, 5);
    expect(bodies(queue.receive({ max: 5 }))).toEqual(Array.from({ length: 5 }, () => 'none'));
  });
});
