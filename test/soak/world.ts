import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import { createClose } from '../../functions/close.lambda.ts';
import { queueCloses } from '../../functions/close-queue.ts';
import type { Connection, Project } from '../../functions/connections.ts';
import { CRMS } from '../../functions/crm/index.ts';
import { createReceive } from '../../functions/receive.lambda.ts';
import { SCHEMES } from '../../functions/schemes/index.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { createSqs, createVault } from './aws-faults.ts';
import { startCallers } from './callers.ts';
import { changeKeys, changeSigningSecrets } from './changes.ts';
import { createClock } from './clock.ts';
import { type Address, CONNECTIONS, SECRET } from './connections.ts';
import { type Container, createEventSource, createPool } from './lambda.ts';
import { createLedger, type Report } from './ledger.ts';
import { createNetwork } from './polyai-network.ts';
import { createRandom } from './random.ts';
import { createSchedule, DAY, DAYS, SECOND } from './schedule.ts';
import { createQueue } from './sqs-model.ts';

type Close = ReturnType<typeof createClose>;
type Receive = ReturnType<typeof createReceive>;

export type SoakOptions = {
  closes: number;
  seed: number;
  /** The share of the calls to PolyAI that fail by chance, outside its troubles; 0 to 1. */
  failing?: number;
  /** Another worker or receiver in the place of the real one: what the proof must not pass. */
  instead?: { close?: (close: Close) => Close; receive?: (receive: Receive) => Receive };
  /** Called now and then with how much of the run's virtual time is over, 0 to 1. */
  onProgress?: (share: number, done: { rssMb: number; heapMb: number }) => void;
};

export type SoakResult = Report & {
  seed: number;
  /** Messages that are left in the close queue, and that its retention took. */
  left: number;
  expired: number;
  mostInFlight: number;
  invocations: number;
  coldStarts: number;
  virtualDays: number;
  realSeconds: number;
  peakRssMb: number;
};

const START = Date.parse('2026-08-01T00:00:00Z');
const CLOSE_QUEUE_URL = 'https://sqs.eu-west-2.amazonaws.com/123456789012/closes';
const DEAD_LETTER_QUEUE_URL = 'https://sqs.eu-west-2.amazonaws.com/123456789012/dead-letters';
const PROJECTS = ['support', 'batches', 'tickets', 'added'];
const MAX_RECEIVES = 1000;
const SKEW_MS = 2 * SECOND;

/** Thirteen virtual days of the whole adapter, its faults and its callers. */
export async function soak({
  closes,
  seed,
  failing = 0.02,
  instead = {},
  onProgress,
}: SoakOptions): Promise<SoakResult> {
  const began = performance.now();
  const random = createRandom(seed);
  const clock = createClock(START);
  const schedule = createSchedule(START, PROJECTS, random.fork());
  const ledger = createLedger(schedule, clock.now);
  const standIns: Record<string, PolyAIStandIn> = {};
  for (const project of PROJECTS) {
    standIns[project] = await startPolyAI({
      keys: { apiKey: `key-${project}-0`, token: `token-${project}-0` },
    });
  }

  const deadLetters = createQueue(
    { url: DEAD_LETTER_QUEUE_URL, visibilitySeconds: 30 },
    clock,
    random.fork(),
  );
  const queue = createQueue(
    {
      url: CLOSE_QUEUE_URL,
      visibilitySeconds: 180,
      redrive: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
      oddities: { receivedTwice: 0.002, backAfterDelete: 0.002 },
    },
    clock,
    random.fork(),
  );
  deadLetters.onVisible(() => {
    for (const { body, messageAttributes, receiptHandle } of deadLetters.receive({ max: 10 })) {
      const { outcome, reason } = messageAttributes;
      ledger.deadLettered(body, {
        ...(outcome?.StringValue && { outcome: outcome.StringValue }),
        ...(reason?.StringValue && { reason: reason.StringValue }),
      });
      deadLetters.delete(receiptHandle);
    }
  });

  queue.on('sent', ledger.queued);
  queue.on('received', ledger.received);
  queue.on('deleted', ledger.deleted);

  const sqs = createSqs(clock, random.fork(), schedule, [queue, deadLetters], {
    deadLetterQueueUrl: DEAD_LETTER_QUEUE_URL,
    failing,
  });
  const vault = createVault(clock, random.fork(), schedule, failing);
  const addresses: Record<string, Address> = {};
  for (const [name, connection] of Object.entries(CONNECTIONS)) {
    const secret = { signingSecret: `signing-${name}-${seed}` };
    addresses[name] = { connection, secret };
    vault.put(SECRET('connections', name), secret);
  }
  const networks = Object.fromEntries(
    PROJECTS.map((project) => [
      project,
      createNetwork(clock, random.fork(), schedule, ledger, {
        project,
        standIn: standIns[project] as PolyAIStandIn,
        failing,
      }),
    ]),
  );
  for (const project of PROJECTS) vault.put(SECRET('polyai', project), standIns[project]?.keys ?? {});

  const projectsOf = (names: readonly string[]): Record<string, Project> =>
    Object.fromEntries(
      names.map((name) => [
        name,
        {
          region: 'uk-1',
          baseUrl: standIns[name]?.url ?? '',
          version: 'v1',
          accountId: 'acme-uk',
          projectId: `PROJECT-${name}`,
          secretId: SECRET('polyai', name),
        },
      ]),
    );

  const jitter = random.fork();
  /** A worker whose bundle knows these projects. */
  const worker = (names: readonly string[]) => (container: Container) => {
    const projects = projectsOf(names);
    const byUrl = names.map((name) => ({ url: projects[name]?.baseUrl ?? '', network: networks[name] }));
    const close = createClose({
      projects,
      secrets: vault.readerFor(container),
      sqs: sqs(container),
      closeQueueUrl: CLOSE_QUEUE_URL,
      deadLetterQueueUrl: DEAD_LETTER_QUEUE_URL,
      fetch: (input, init) => {
        const network = byUrl.find(({ url }) => String(input).startsWith(`${url}/`))?.network;
        if (!network) throw new TypeError('there is no PolyAI at this address');
        return network.fetchFrom(container)(input, init);
      },
      writeLine: () => {},
      now: container.now,
      random: jitter.next,
    });
    return instead.close?.(close) ?? close;
  };
  /** A receiver whose bundle knows these connections. */
  const receiver = (names: readonly string[]) => (container: Container) => {
    const receive = createReceive({
      connections: Object.fromEntries(names.map((name) => [name, CONNECTIONS[name] as Connection])),
      crms: CRMS,
      schemes: SCHEMES,
      secrets: vault.readerFor(container),
      queue: (requests) => queueCloses(sqs(container), CLOSE_QUEUE_URL, requests),
      writeLine: () => {},
      now: container.now,
    });
    return instead.receive?.(receive) ?? receive;
  };

  const before = PROJECTS.filter((name) => name !== 'added');
  const close = createPool<SQSEvent, SQSBatchResponse>(
    clock,
    random.fork(),
    { timeoutMs: 30 * SECOND, skewMs: SKEW_MS },
    worker(before),
  );
  const receive = createPool<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>(
    clock,
    random.fork(),
    { timeoutMs: 10 * SECOND, skewMs: SKEW_MS },
    receiver(before),
  );
  const killing = random.fork();
  const source = createEventSource(clock, queue, close, {
    batchSize: 10,
    maxConcurrency: 5,
    isThrottled: () => schedule.during('polls_throttled', clock.now()) !== undefined && killing.chance(0.7),
    kill() {
      const share = schedule.during('workers_killed', clock.now()) ? 0.2 : 0.002;
      if (!killing.chance(share)) return {};
      return killing.chance(0.5) ? { killAtEnd: true } : { killAfterMs: killing.between(1, 800) };
    },
  });

  // Deployments: in the first the receiver is swapped before the worker, in the later ones after it.
  const swaps = schedule.windows.filter(({ trouble }) =>
    ['receiver_ahead', 'worker_ahead'].includes(trouble),
  );
  let isAdded = false;
  for (const { trouble, from, to } of swaps) {
    const [first, second] = trouble === 'receiver_ahead' ? [from, to] : [to, from];
    clock.at(first, () => {
      isAdded ||= trouble === 'receiver_ahead';
      receive.replace(receiver(isAdded ? PROJECTS : before));
    });
    clock.at(second, () =>
      close.replace(worker(trouble === 'receiver_ahead' || isAdded ? PROJECTS : before)),
    );
  }
  for (const { from, to } of schedule.windows.filter(({ trouble }) => trouble === 'event_source_off')) {
    clock.at(from, () => source.setEnabled(false));
    clock.at(to, () => source.setEnabled(true));
  }
  const changes = { clock, schedule, put: vault.put, secretId: SECRET };
  changeKeys(changes, standIns);
  changeSigningSecrets(changes, addresses);

  let mostInFlight = 0;
  let peakRss = 0;
  const spanMs = DAYS * DAY;
  for (let step = 1; step <= 100; step += 1) {
    clock.at(START + (spanMs * step) / 100, () => {
      mostInFlight = Math.max(mostInFlight, queue.counts().inFlight);
      const { rss, heapUsed } = process.memoryUsage();
      peakRss = Math.max(peakRss, rss);
      onProgress?.(step / 100, { rssMb: rss / 2 ** 20, heapMb: heapUsed / 2 ** 20 });
    });
  }

  startCallers(clock, random.fork(), schedule, ledger, {
    closes,
    start: START,
    spanMs,
    addresses,
    standIns,
    receive,
  });
  try {
    await clock.run();
    const { visible, inFlight, expired } = queue.counts();
    const isOpen = (id: string) => Object.values(standIns).some((standIn) => standIn.isOpen(id));
    return {
      ...ledger.report(isOpen),
      seed,
      left: visible + inFlight,
      expired,
      mostInFlight,
      invocations: source.invocations(),
      coldStarts: close.starts() + receive.starts(),
      virtualDays: (clock.now() - START) / DAY,
      realSeconds: (performance.now() - began) / 1000,
      peakRssMb: Math.max(peakRss, process.memoryUsage().rss) / 2 ** 20,
    };
  } finally {
    for (const standIn of Object.values(standIns)) await standIn.close();
  }
}
