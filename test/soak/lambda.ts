import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';
import { HOUR, SECOND } from './schedule.ts';
import type { Queue, Received } from './sqs-model.ts';

/** One execution environment, with its own memory and its own clock. */
export type Container = {
  isAlive: boolean;
  /** The last time at which the soak made a call to AWS fail in it. */
  hinderedAt?: number;
  /** The time by this machine's clock, which may be a little off. */
  now(): number;
  /** Does work that takes a while. A dead container never receives its result. */
  reach<T>(ms: number, work: () => T | Promise<T>): Promise<T>;
};

/** @property wasHindered whether a call to AWS failed in the container, now or as long before as a failure is cached */
type Outcome<Result> = ({ result: Result } | { failed: 'timeout' | 'killed' | 'threw' }) & {
  wasHindered?: boolean;
};

/** How an invocation is cut short. `killAtEnd`: its container dies before it can answer. */
type Cut = { killAfterMs?: number; killAtEnd?: boolean };

export type Pool<Event, Result> = {
  /** Runs the handler in a warm container, or in a new one. */
  invoke(event: Event, cut?: Cut): Promise<Outcome<Result>>;
  /** Replaces the function by another version. A container of the old one is not used again. */
  replace(make: (container: Container) => Handler<Event, Result>): void;
  starts(): number;
};

type Handler<Event, Result> = (
  event: Event,
  context: { getRemainingTimeInMillis(): number },
) => Promise<Result>;

type Held<Event, Result> = { container: Container; handle: Handler<Event, Result>; until: number };

const FAILURE_CACHED_MS = 15 * SECOND;
const LIFETIME: [number, number] = [0.2 * HOUR, 4 * HOUR];

/** A Lambda function: containers are started when needed, frozen between invocations and discarded in the end. */
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
    const container = createContainer(clock, random.between(-skewMs, skewMs));
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
    async invoke(event, cut = {}) {
      idle = idle.filter(({ until }) => until > clock.now());
      const startedIn = generation;
      const startedAt = clock.now();
      const held = idle.pop() ?? start();
      const outcome = await invokeIn(clock, held, event, timeoutMs, cut);
      const stays = held.container.isAlive && held.until > clock.now() && generation === startedIn;
      if (stays) idle.push(held);
      const wasHindered = (held.container.hinderedAt ?? 0) >= startedAt - FAILURE_CACHED_MS;
      return { ...outcome, wasHindered };
    },
  };
}

/** @param skewMs how much its clock is off */
function createContainer(clock: Clock, skewMs: number): Container {
  const container: Container = {
    isAlive: true,
    now: () => Math.round(clock.now() + skewMs),
    async reach(ms, work) {
      await clock.sleep(ms);
      if (!container.isAlive) return new Promise(() => {});
      const value = await work();
      return container.isAlive ? value : new Promise(() => {});
    },
  };
  return container;
}

/** Runs the handler until it ends, times out or is killed. */
function invokeIn<Event, Result>(
  clock: Clock,
  { container, handle }: Held<Event, Result>,
  event: Event,
  timeoutMs: number,
  { killAfterMs, killAtEnd = false }: Cut,
): Promise<Outcome<Result>> {
  const endsAt = clock.now() + timeoutMs;
  const context = { getRemainingTimeInMillis: () => Math.max(0, endsAt - clock.now()) };
  return new Promise((resolve) => {
    let isOver = false;
    const die = (failed: 'timeout' | 'killed') => {
      container.isAlive = false;
      resolve({ failed });
    };
    const dieAt = (time: number, failed: 'timeout' | 'killed') =>
      clock.at(time, () => {
        if (!isOver) die(failed);
      });
    dieAt(endsAt, 'timeout');
    if (killAfterMs !== undefined) dieAt(clock.now() + killAfterMs, 'killed');
    handle(event, context).then(
      (result) => {
        isOver = true;
        if (killAtEnd) die('killed');
        else resolve({ result });
      },
      () => {
        isOver = true;
        resolve({ failed: 'threw' });
      },
    );
  });
}

export type EventSource = {
  setEnabled(isEnabled: boolean): void;
  invocations(): number;
};

type EventSourceSettings = {
  batchSize: number;
  maxConcurrency: number;
  /** Whether this poll is throttled: the messages were received, but the function does not run. */
  isThrottled: () => boolean;
  /** Whether and how the next invocation is cut short. */
  kill: () => Cut;
  /** Told of messages that a fault of AWS kept from being worked on. */
  onHindered?: (bodies: readonly string[]) => void;
  /** Told whenever no message waits for the function. */
  onIdle?: () => void;
};

/**
 * Lambda's event source for a queue: receives up to ten messages, runs the function, and deletes the messages that it
 * does not report as failed. After any other end the messages become visible again when their time-out is over.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function createEventSource(
  clock: Clock,
  queue: Queue,
  pool: Pool<SQSEvent, SQSBatchResponse>,
  {
    batchSize,
    maxConcurrency,
    isThrottled,
    kill,
    onHindered = () => {},
    onIdle = () => {},
  }: EventSourceSettings,
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
      if (isThrottled()) {
        onHindered(batch.map(({ body }) => body));
        continue;
      }
      running += 1;
      void work(batch).then(() => {
        running -= 1;
        wake();
      });
    }
    if (isEnabled && queue.counts().visible === 0) onIdle();
  }

  async function work(batch: Received[]): Promise<void> {
    invocations += 1;
    const outcome = await pool.invoke({ Records: batch.map(toRecord) }, kill());
    if (!('result' in outcome) || outcome.wasHindered) onHindered(batch.map(({ body }) => body));
    if (!('result' in outcome)) return;
    const failed = new Set(
      (outcome.result?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier),
    );
    // An unknown id fails the whole batch.
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
