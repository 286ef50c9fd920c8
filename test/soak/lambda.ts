import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';
import { HOUR } from './schedule.ts';
import type { Queue, Received } from './sqs-model.ts';

/** One execution environment: its own memory, its own clock, and an end. */
export type Container = {
  isAlive: boolean;
  /** As this machine has it, which may be a little off. */
  now(): number;
  /** Something that takes a while. A dead container never hears how it ended. */
  reach<T>(ms: number, work: () => T | Promise<T>): Promise<T>;
};

type Outcome<Result> = { result: Result } | { failed: 'timeout' | 'killed' | 'threw' };

export type Pool<Event, Result> = {
  /** Runs the handler in a warm container, or in a new one. */
  invoke(event: Event, options?: { killAfterMs?: number; killAtEnd?: boolean }): Promise<Outcome<Result>>;
  /** From now on another version of the function serves; a container is used no more once it is idle. */
  replace(make: (container: Container) => Handler<Event, Result>): void;
  starts(): number;
};

type Handler<Event, Result> = (
  event: Event,
  context: { getRemainingTimeInMillis(): number },
) => Promise<Result>;

type Held<Event, Result> = { container: Container; handle: Handler<Event, Result>; until: number };

const LIFETIME: [number, number] = [0.2 * HOUR, 4 * HOUR];

/** A Lambda function: containers that are made when they are needed, frozen between and thrown away in the end. */
export function createPool<Event, Result>(
  clock: Clock,
  random: Random,
  { timeoutMs, skewMs }: { timeoutMs: number; skewMs: number },
  make: (container: Container) => Handler<Event, Result>,
): Pool<Event, Result> {
  let current = make;
  let idle: Held<Event, Result>[] = [];
  let generation = 0;
  let starts = 0;

  function start(): Held<Event, Result> {
    const skew = random.between(-skewMs, skewMs);
    const container: Container = {
      isAlive: true,
      now: () => Math.round(clock.now() + skew),
      async reach(ms, work) {
        await clock.sleep(ms);
        if (!container.isAlive) return new Promise(() => {});
        const value = await work();
        return container.isAlive ? value : new Promise(() => {});
      },
    };
    starts += 1;
    return { container, handle: current(container), until: clock.now() + random.between(...LIFETIME) };
  }

  return {
    starts: () => starts,
    replace(next) {
      current = next;
      generation += 1;
      idle = [];
    },
    async invoke(event, { killAfterMs, killAtEnd = false } = {}) {
      idle = idle.filter(({ until }) => until > clock.now());
      const mine = generation;
      const held = idle.pop() ?? start();
      const endsAt = clock.now() + timeoutMs;
      const context = { getRemainingTimeInMillis: () => Math.max(0, endsAt - clock.now()) };
      const ended = new Promise<Outcome<Result>>((resolve) => {
        const die = (failed: 'timeout' | 'killed') => () => {
          held.container.isAlive = false;
          resolve({ failed });
        };
        let isOver = false;
        const unlessOver = (run: () => void) => () => {
          if (!isOver) run();
        };
        clock.at(endsAt, unlessOver(die('timeout')));
        if (killAfterMs !== undefined) clock.at(clock.now() + killAfterMs, unlessOver(die('killed')));
        held.handle(event, context).then(
          (result) => {
            isOver = true;
            if (killAtEnd) die('killed')();
            else resolve({ result });
          },
          () => {
            isOver = true;
            resolve({ failed: 'threw' });
          },
        );
      });
      const outcome = await ended;
      const stays = held.container.isAlive && held.until > clock.now() && generation === mine;
      if (stays) idle.push(held);
      return outcome;
    },
  };
}

export type EventSource = {
  setEnabled(isEnabled: boolean): void;
  invocations(): number;
};

type EventSourceSettings = {
  batchSize: number;
  maxConcurrency: number;
  /** Whether this poll is taken back by a throttle: the messages were received, and nobody ran. */
  isThrottled: () => boolean;
  /** How this invocation is cut short, if it is. */
  kill: () => { killAfterMs?: number; killAtEnd?: boolean };
};

/**
 * Lambda's event source for a queue: receives up to ten, runs the function, and deletes what it does not
 * report as failed. Whatever ends otherwise comes back when its visibility is over.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function createEventSource(
  clock: Clock,
  queue: Queue,
  pool: Pool<SQSEvent, SQSBatchResponse>,
  { batchSize, maxConcurrency, isThrottled, kill }: EventSourceSettings,
): EventSource {
  let running = 0;
  let isEnabled = true;
  let isWoken = false;
  let invocations = 0;
  const pollMs = 20;

  function wake(): void {
    if (isWoken) return;
    isWoken = true;
    clock.at(clock.now() + pollMs, () => {
      isWoken = false;
      poll();
    });
  }

  function poll(): void {
    while (isEnabled && running < maxConcurrency && queue.counts().visible > 0) {
      const batch = queue.receive({ max: batchSize });
      if (batch.length === 0) break;
      // A throttled poller waits a little before it asks again.
      if (isThrottled()) continue;
      running += 1;
      void work(batch).then(() => {
        running -= 1;
        wake();
      });
    }
  }

  async function work(batch: Received[]): Promise<void> {
    invocations += 1;
    const outcome = await pool.invoke({ Records: batch.map(toRecord) }, kill());
    if (!('result' in outcome)) return;
    const failed = new Set(
      (outcome.result?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier),
    );
    // One name that is not in the batch fails all of it.
    if ([...failed].some((id) => !batch.some(({ messageId }) => messageId === id))) return;
    for (const { messageId, receiptHandle } of batch) if (!failed.has(messageId)) queue.delete(receiptHandle);
  }

  queue.onVisible(wake);
  return {
    invocations: () => invocations,
    setEnabled(enabled) {
      isEnabled = enabled;
      wake();
    },
  };
}

function toRecord({ messageId, receiptHandle, body, attributes, messageAttributes }: Received): SQSRecord {
  return {
    messageId,
    receiptHandle,
    body,
    attributes: { SenderId: 'AROAEXAMPLE', ...attributes },
    messageAttributes: Object.fromEntries(
      Object.entries(messageAttributes).map(([name, { DataType = 'String', StringValue }]) => [
        name,
        { dataType: DataType, stringValue: StringValue },
      ]),
    ),
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-2:123456789012:closes',
    awsRegion: 'eu-west-2',
  };
}
