import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import { createClose } from '../../functions/close.lambda.ts';
import { queueCloses } from '../../functions/close-queue.ts';
import type { Connection, Project } from '../../functions/connections.ts';
import { createReceive } from '../../functions/receive.lambda.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import { bindWebhooks } from '../support/bind.ts';
import { createSqs, createVault } from './aws-faults.ts';
import { startCallers } from './callers.ts';
import { changeKeys, changeSigningSecrets } from './changes.ts';
import { type Clock, createClock } from './clock.ts';
import { type Address, CONNECTIONS, FIRST_CONNECTIONS, SECRET } from './connections.ts';
import { type Container, createEventSource, createPool, type EventSource } from './lambda.ts';
import { createLedger, type Ledger, type Report } from './ledger.ts';
import { createNetwork } from './polyai-network.ts';
import { createRandom, type Random } from './random.ts';
import { createSchedule, DAY, DAYS, HOUR, SECOND } from './schedule.ts';
import { createQueue } from './sqs-model.ts';

type Close = ReturnType<typeof createClose>;
type Receive = ReturnType<typeof createReceive>;

export type SoakOptions = {
  closes: number;
  seed: number;
  /** The share of the calls to PolyAI that fail at random, outside its troubles: 0 to 1. */
  failing?: number;
  /** Replaces the real worker or receiver by one that the soak must fail. */
  instead?: { close?: (close: Close) => Close; receive?: (receive: Receive) => Receive };
  /** Called 100 times with the share of the virtual time that is over, 0 to 1. */
  onProgress?: (share: number, done: { rssMb: number; heapMb: number }) => void;
};

export type SoakResult = Report & {
  seed: number;
  /** Messages that are still in the close queue, and that exceeded its retention. */
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
const SPAN_MS = DAYS * DAY;
const CLOSE_QUEUE_URL = 'https://sqs.eu-west-2.amazonaws.com/123456789012/closes';
const DEAD_LETTER_QUEUE_URL = 'https://sqs.eu-west-2.amazonaws.com/123456789012/dead-letters';
const PROJECTS = ['support', 'batches', 'tickets', 'added'];
const MAX_RECEIVES = 1000;
const SKEW_MS = 2 * SECOND;

/** Simulates thirteen days of the whole adapter, its faults and its callers, in virtual time. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const startedAt = performance.now();
  const world = await createWorld(options);
  const { clock, random, ledger, standIns, queue } = world;
  try {
    const pools = createPools(world);
    const source = createSource(world, pools.close);
    scheduleDeployments(world, pools);
    scheduleEventSource(world, source);
    changeKeys(world.changes, standIns);
    changeSigningSecrets(world.changes, world.addresses);
    const peaks = watchPeaks(world);
    forgetHourly(world);
    const callers = { closes: options.closes, start: START, spanMs: SPAN_MS, receive: pools.receive };
    startCallers({ ...world, random: random.fork(), ...callers });
    await clock.run();
    const { visible, inFlight, delayed, expired } = queue.counts();
    return {
      ...ledger.report(isOpenAt(standIns)),
      seed: options.seed,
      left: visible + inFlight + delayed,
      expired,
      mostInFlight: peaks.inFlight(),
      invocations: source.invocations(),
      coldStarts: pools.close.starts() + pools.receive.starts(),
      virtualDays: (clock.now() - START) / DAY,
      realSeconds: (performance.now() - startedAt) / 1000,
      peakRssMb: peaks.rssMb(),
    };
  } finally {
    for (const standIn of Object.values(standIns)) await standIn.close();
  }
}

type World = Awaited<ReturnType<typeof createWorld>>;

/** Creates everything outside the functions. The order of the forks decides the run of a seed. */
async function createWorld({ seed, failing = 0.02, instead = {}, onProgress }: SoakOptions) {
  const random = createRandom(seed);
  const clock = createClock(START);
  const schedule = createSchedule(START, PROJECTS, random.fork());
  const ledger = createLedger(schedule, clock.now);
  const standIns = await startStandIns();
  const { queue, deadLetters } = createQueues(clock, random, ledger);
  const sqs = createSqs(clock, random.fork(), schedule, [queue, deadLetters], {
    deadLetterQueueUrl: DEAD_LETTER_QUEUE_URL,
    failing,
  });
  const vault = createVault(clock, random.fork(), schedule, failing);
  const addresses = createAddresses(vault, seed);
  const networks = Object.fromEntries(
    PROJECTS.map((project) => {
      const standIn = standIns[project] as PolyAIStandIn;
      const own = { random: random.fork(), project, standIn, failing };
      return [project, createNetwork({ clock, schedule, ledger, ...own })];
    }),
  );
  for (const project of PROJECTS) vault.put(SECRET('polyai', project), standIns[project]?.keys ?? {});
  const changes = { clock, schedule, put: vault.put, secretId: SECRET };
  const simulated = { random, clock, schedule, ledger, standIns, queue, sqs, vault, addresses, networks };
  return { ...simulated, changes, instead, onProgress };
}

async function startStandIns(): Promise<Record<string, PolyAIStandIn>> {
  const standIns: Record<string, PolyAIStandIn> = {};
  for (const project of PROJECTS) {
    standIns[project] = await startPolyAI({
      keys: { apiKey: `key-${project}-0`, token: `token-${project}-0` },
    });
  }
  return standIns;
}

/** The close queue and the dead-letter queue. The ledger sees each message that passes through them. */
function createQueues(clock: Clock, random: Random, ledger: Ledger) {
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
  queue.on('returned', ledger.queued);
  queue.on('received', ledger.received);
  queue.on('deleted', ledger.deleted);
  return { queue, deadLetters };
}

function createAddresses(vault: ReturnType<typeof createVault>, seed: number): Record<string, Address> {
  const addresses: Record<string, Address> = {};
  for (const [name, connection] of Object.entries(CONNECTIONS)) {
    const secret = { signingSecret: `signing-${name}-${seed}` };
    addresses[name] = { connection, secret };
    vault.put(SECRET('connections', name), secret);
  }
  return addresses;
}

type Pools = ReturnType<typeof createPools>;

/** The two functions, and how to make a version of each that knows only some projects or connections. */
function createPools(world: World) {
  const { clock, random } = world;
  const worker = createWorker(world);
  const receiver = createReceiver(world);
  const close = createPool<SQSEvent, SQSBatchResponse>(
    clock,
    random.fork(),
    { timeoutMs: 30 * SECOND, skewMs: SKEW_MS },
    worker(FIRST_CONNECTIONS),
  );
  const receive = createPool<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>(
    clock,
    random.fork(),
    { timeoutMs: 10 * SECOND, skewMs: SKEW_MS },
    receiver(FIRST_CONNECTIONS),
  );
  return { close, receive, worker, receiver };
}

/** @returns a function that makes a worker whose bundle knows these projects */
function createWorker({ random, standIns, networks, vault, sqs, instead }: World) {
  const jitter = random.fork();
  return (names: readonly string[]) => (container: Container) => {
    const projects = projectsOf(names, standIns);
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
}

/** @returns a function that makes a receiver whose bundle knows these connections */
function createReceiver({ vault, sqs, instead }: World) {
  return (names: readonly string[]) => (container: Container) => {
    const receive = createReceive({
      connections: bindWebhooks(
        Object.fromEntries(names.map((name) => [name, CONNECTIONS[name] as Connection])),
      ),
      secrets: vault.readerFor(container),
      queue: (requests) => queueCloses(sqs(container), CLOSE_QUEUE_URL, requests),
      writeLine: () => {},
      now: container.now,
    });
    return instead.receive?.(receive) ?? receive;
  };
}

function projectsOf(
  names: readonly string[],
  standIns: Record<string, PolyAIStandIn>,
): Record<string, Project> {
  const projectOf = (name: string): Project => ({
    region: 'uk-1',
    baseUrl: standIns[name]?.url ?? '',
    version: 'v1',
    accountId: 'acme-uk',
    projectId: `PROJECT-${name}`,
    secretId: SECRET('polyai', name),
  });
  return Object.fromEntries(names.map((name) => [name, projectOf(name)]));
}

function createSource({ clock, random, schedule, queue, ledger }: World, close: Pools['close']) {
  const killing = random.fork();
  return createEventSource(clock, queue, close, {
    batchSize: 10,
    maxConcurrency: 5,
    onHindered: ledger.hindered,
    onIdle: ledger.idle,
    isThrottled: () => schedule.during('polls_throttled', clock.now()) !== undefined && killing.chance(0.7),
    kill() {
      const share = schedule.during('workers_killed', clock.now()) ? 0.2 : 0.002;
      if (!killing.chance(share)) return {};
      return killing.chance(0.5) ? { killAtEnd: true } : { killAfterMs: killing.between(1, 800) };
    },
  });
}

/** Deploys new versions. The first time the receiver is replaced before the worker, later after it. */
function scheduleDeployments({ clock, schedule }: World, { close, receive, worker, receiver }: Pools): void {
  let isAdded = false;
  for (const { trouble, from, to } of schedule.windows) {
    if (trouble !== 'receiver_ahead' && trouble !== 'worker_ahead') continue;
    const [first, second] = trouble === 'receiver_ahead' ? [from, to] : [to, from];
    clock.at(first, () => {
      isAdded ||= trouble === 'receiver_ahead';
      receive.replace(receiver(isAdded ? PROJECTS : FIRST_CONNECTIONS));
    });
    clock.at(second, () =>
      close.replace(worker(trouble === 'receiver_ahead' || isAdded ? PROJECTS : FIRST_CONNECTIONS)),
    );
  }
}

function scheduleEventSource({ clock, schedule }: World, source: EventSource): void {
  for (const { from, to } of schedule.windows.filter(({ trouble }) => trouble === 'event_source_off')) {
    clock.at(from, () => source.setEnabled(false));
    clock.at(to, () => source.setEnabled(true));
  }
}

function isOpenAt(standIns: Record<string, PolyAIStandIn>) {
  return (id: string) => Object.values(standIns).some((standIn) => standIn.isOpen(id));
}

/** Keeps the memory of a long run to what is under way. */
function forgetHourly({ clock, ledger, standIns }: World): void {
  const forget = (id: string, sharedId?: string) => {
    for (const standIn of Object.values(standIns)) standIn.forget(id, sharedId);
  };
  for (let at = START + HOUR; at < START + SPAN_MS; at += HOUR) {
    clock.at(at, () => ledger.forgetOver(isOpenAt(standIns), forget));
  }
}

/** Samples the maxima 100 times, and reports the progress. */
function watchPeaks({ clock, queue, onProgress }: World) {
  let inFlight = 0;
  let peakRss = 0;
  for (let step = 1; step <= 100; step += 1) {
    clock.at(START + (SPAN_MS * step) / 100, () => {
      inFlight = Math.max(inFlight, queue.counts().inFlight);
      const { rss, heapUsed } = process.memoryUsage();
      peakRss = Math.max(peakRss, rss);
      onProgress?.(step / 100, { rssMb: rss / 2 ** 20, heapMb: heapUsed / 2 ** 20 });
    });
  }
  return {
    inFlight: () => inFlight,
    rssMb: () => Math.max(peakRss, process.memoryUsage().rss) / 2 ** 20,
  };
}
