import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createClose } from '../../functions/close.lambda.ts';
import type { CloseRequest } from '../../functions/close-request.ts';
import type { CloseLine } from '../../functions/line.ts';
import { type Clock, createClock } from './clock.ts';
import { type Container, createEventSource, createPool, type EventSource } from './lambda.ts';
import { createRandom, type Random } from './random.ts';
import { SECOND } from './schedule.ts';
import { answerCommand, createQueue, type Queue } from './sqs-model.ts';

// The worker on a model of SQS with AWS's limit in flight and fair queues, for backlogs of hundreds of thousands of
// closes. PolyAI is a function here: the thirteen days of world.ts speak HTTP to a stand-in.

const CLOSES = 'https://sqs.eu-west-2.amazonaws.com/123456789012/closes';
const DEAD_LETTERS = 'https://sqs.eu-west-2.amazonaws.com/123456789012/dead-letters';
export const START = Date.parse('2026-08-01T00:00:00Z');

/** What PolyAI does with a call: answers after a time with this status, or never. */
export type Weather = { latencyMs: number; status?: number };

export type Backlog = {
  clock: Clock;
  random: Random;
  queue: Queue;
  source: EventSource;
  /** Queues a close now. @param group `undefined` with one project */
  ask(project: string, id: number, group?: string): void;
  /** The closes that are done, by project: their number, and the slowest in milliseconds. */
  done: Record<string, { closed: number; slowestMs: number; lastAt: number }>;
  counts: {
    calls: number;
    lines: number;
    requests: number;
    deadLetters: number;
    wrong: number;
    faults: number;
  };
};

type Settings = {
  seed: number;
  maxConcurrency: number;
  projects: readonly string[];
  /** @param now Unix milliseconds */
  weather: (project: string, now: number, random: Random) => Weather;
  inFlightLimit?: number;
  /** SQS refuses every send to the close queue, so that the closes wait in flight, as before. */
  refusesSends?: boolean;
};

/** Creates a worker with its queue. Nothing runs until the clock does. */
export function createBacklog({
  seed,
  maxConcurrency,
  projects,
  weather,
  inFlightLimit = 120_000,
  refusesSends = false,
}: Settings): Backlog {
  const clock = createClock(START);
  const random = createRandom(seed);
  const deadLetters = createQueue({ url: DEAD_LETTERS, visibilitySeconds: 30 }, clock, random.fork());
  const queue = createQueue(
    {
      url: CLOSES,
      visibilitySeconds: 180,
      inFlightLimit,
      redrive: { queue: deadLetters, maxReceiveCount: 1000 },
    },
    clock,
    random.fork(),
  );
  const counts = { calls: 0, lines: 0, requests: 0, deadLetters: 0, wrong: 0, faults: 0 };
  const done: Backlog['done'] = {};
  const open = new Map<string, number>();
  const jitter = random.fork();
  const network = random.fork();
  deadLetters.onVisible(() => {
    for (const { receiptHandle } of deadLetters.receive({ max: 10 })) {
      counts.deadLetters += 1;
      deadLetters.delete(receiptHandle);
    }
  });

  function closeChat(project: string, id: string): object {
    const askedAt = open.get(id);
    if (askedAt === undefined) return { status: 404, body: { error_code: 'CONVERSATIONS_NOT_FOUND' } };
    open.delete(id);
    done[project] ??= { closed: 0, slowestMs: 0, lastAt: 0 };
    const mine = done[project];
    mine.closed += 1;
    mine.slowestMs = Math.max(mine.slowestMs, clock.now() - askedAt);
    mine.lastAt = clock.now();
    return { status: 200, body: { success: true } };
  }

  const fetchIn = (container: Container) => async (input: unknown, init: { body?: unknown }) => {
    const project = /\/PROJECT-(\w+)\//.exec(String(input))?.[1] ?? '';
    const { conversation_id: id } = JSON.parse(String(init.body));
    const { latencyMs, status } = weather(project, clock.now(), network);
    counts.calls += 1;
    if (!String(id).startsWith(project)) counts.wrong += 1;
    return container.reach(Math.min(latencyMs, 10 * SECOND), () => {
      if (latencyMs >= 10 * SECOND) throw new DOMException('too late', 'TimeoutError');
      if (status !== undefined) return new Response('{}', { status });
      const { status: given, body } = closeChat(project, id) as { status: number; body: object };
      return new Response(JSON.stringify(body), { status: given });
    });
  };

  const make = (container: Container) =>
    createClose({
      projects: Object.fromEntries(projects.map((name) => [name, projectOf(name)])),
      secrets: {
        read: async () => '{"apiKey":"key","token":"token"}',
        readAgain: async (_id, seen) => seen,
        readAhead: async () => {},
      },
      sqs: {
        send: (command: { input: object }) => {
          counts.requests += 1;
          return container.reach(random.between(5, 40), () => {
            if (refusesSends && 'Entries' in command.input) throw new Error('refused');
            return answerCommand([queue, deadLetters], command);
          });
        },
      } as never,
      closeQueueUrl: CLOSES,
      deadLetterQueueUrl: DEAD_LETTERS,
      fetch: fetchIn(container) as never,
      writeLine: (line) => {
        counts.lines += 1;
        if ((line as CloseLine).type !== 'close') counts.faults += 1;
      },
      now: container.now,
      random: jitter.next,
    });

  const pool = createPool<SQSEvent, SQSBatchResponse>(
    clock,
    random.fork(),
    { timeoutMs: 30 * SECOND, skewMs: 0 },
    make,
  );
  const source = createEventSource(clock, queue, pool, {
    batchSize: 10,
    maxConcurrency,
    isThrottled: () => false,
    kill: () => ({}),
  });

  return {
    clock,
    random,
    queue,
    source,
    done,
    counts,
    ask(project, id, group) {
      const conversationId = `${project}-${id}`;
      const request: CloseRequest = {
        v: 1,
        requestId: `request-${project}-${id}`,
        source: 'webhook',
        project,
        conversationId,
        receivedAt: new Date(clock.now()).toISOString(),
      };
      open.set(conversationId, clock.now());
      queue.send({ body: JSON.stringify(request), group });
    },
  };
}

function projectOf(name: string) {
  return {
    region: 'uk-1',
    baseUrl: 'https://polyai.example',
    version: 'v1',
    accountId: 'acme',
    projectId: `PROJECT-${name}`,
    secretId: name,
  };
}
