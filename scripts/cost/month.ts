import { FRESH_MS } from '../../functions/secrets.ts';
import { HOUR_MS } from '../../functions/time.ts';
import { ASSUMED, HOURS, SECONDS } from './assumed.ts';
import type { Inventory } from './inventory.ts';
import type { LineKind } from './lines.ts';
import type { MetricCount } from './metrics.ts';
import { apiCost, cost } from './prices.ts';

/** What a stack has and writes, as counted and measured. */
export type Measured = {
  inventory: Inventory;
  metrics: MetricCount;
  /** Bytes of a line of each kind, without what CloudWatch adds. `access` is the gateway's. */
  bytes: Record<LineKind | 'access', number>;
  /** Secrets that a function may need: those of webhooks, and those of projects. */
  secretsRead: { receive: number; close: number };
};

export type Traffic = {
  closes: number;
  /** Deliveries that ask for no close, for each close. */
  ignored: number;
  /** How long PolyAI takes, in milliseconds. */
  polyaiMs?: number;
};

/** The parts of a bill in US dollars. */
export type Bill = Record<
  'API Gateway' | 'Bus' | 'Receiver' | 'Queue' | 'Worker' | 'Logs' | 'Data out' | 'Reading secrets' | 'Fixed',
  number
>;

/** What is done, in the units in which it is charged. */
type Work = {
  apiRequests: number;
  busEvents: number;
  receiverRuns: number;
  readerRuns: number;
  workerRuns: number;
  /** Runs of the worker that only send a close back, because it is not due. */
  hopRuns: number;
  /** Requests to the close queue, whose messages have a group with several projects, and to the queue of events. */
  closeQueueRequests: number;
  eventQueueRequests: number;
  logBytes: number;
  sentBytes: number;
};

/** What is done once for each of these. */
export type WorkKind = Exclude<LineKind, 'run' | 'alreadyEnded' | 'canaryClose'>;

/** How many messages Lambda takes from a queue at most in one run. */
export const MAX_BATCH = 10;
/** An hourly attempt waits for up to 72 minutes, and SQS delays a message by 15. */
const HOPS = 4;
const GB = 1e9;
const FRESH_HOURS = FRESH_MS / HOUR_MS;

/** The bill of a month with this traffic over webhooks. */
export function billOf(
  measured: Measured,
  { closes, ignored, polyaiMs = ASSUMED.polyaiMs.value }: Traffic,
): Bill {
  const { inventory, secretsRead } = measured;
  const batch = batchSize(closes, polyaiMs, inventory.workers);
  const work = sumOf([
    [closes, workOf('accepted', measured)],
    [closes * ignored, workOf('ignored', measured)],
    [closes, workOf('closed', measured, batch)],
  ]);
  const receiver = scaleOf(work.receiverRuns, ASSUMED.ownMs.value);
  const worker = scaleOf(work.workerRuns, workerMs(polyaiMs), inventory.workers);
  const bill = priceOf(work, measured, polyaiMs);
  return {
    ...bill,
    Receiver: bill.Receiver + startCost(receiver.starts, memoryOf(inventory, 'receive')),
    Worker: bill.Worker + startCost(worker.starts, memoryOf(inventory, 'close')),
    'Reading secrets': cost(
      'secretRead',
      secretReads(receiver, secretsRead.receive) + secretReads(worker, secretsRead.close),
    ),
    Fixed: fixedCost(measured),
  };
}

/**
 * The bill for a number of deliveries or attempts of one kind, without starts and secrets.
 *
 * @param batch how many messages the worker takes together
 */
export function billOfKind(measured: Measured, kind: WorkKind, times: number, batch = 1): Bill {
  return priceOf(sumOf([[times, workOf(kind, measured, batch)]]), measured, ASSUMED.polyaiMs.value);
}

export function totalOf(bill: Bill): number {
  return Object.values(bill).reduce((sum, each) => sum + each, 0);
}

/** What a stack costs in a month without any traffic. The metrics are those of a usual month, in every hour. */
export function fixedCost(measured: Measured): number {
  const { inventory, metrics } = measured;
  const polls = inventory.fedQueues * ASSUMED.pollsAMinute.value * HOURS * 60;
  const scheduled = Object.entries(inventory.scheduledRuns).map(([name, runs]) =>
    scheduledCost(measured, name, runs),
  );
  return (
    cost('secret', inventory.secrets) +
    cost('alarmMetric', inventory.alarmMetrics) +
    cost('compositeAlarm', inventory.compositeAlarms) +
    cost('dashboard', inventory.dashboards) +
    cost('metric', metrics.usual) +
    cost('key', inventory.keys) +
    cost('sqsRequest', polls) +
    scheduled.reduce((sum, each) => sum + each, 0)
  );
}

/** Runs of a cleanup or of the canary. Each run of the canary makes a delivery and a close. */
function scheduledCost(measured: Measured, name: string, runs: number): number {
  const { inventory, bytes } = measured;
  const ms = name === 'cleanup' ? ASSUMED.cleanupMs.value : ASSUMED.canaryMs.value;
  const chain: readonly WorkKind[] = name === 'canary' ? ['accepted', 'closed'] : [];
  return (
    cost('scheduledRun', runs) +
    runCost(runs, ms, memoryOf(inventory, name)) +
    logCost(runs * lineBytes(bytes.run), inventory.retentionDays) +
    chain.reduce((sum, kind) => sum + totalOf(billOfKind(measured, kind, runs)), 0)
  );
}

/**
 * How many messages a run of the worker takes. A queue that is emptied in time gives one at a time, which is the
 * dearest. Closes that come faster wait, and are taken together. The traffic counts as even.
 */
export function batchSize(closes: number, polyaiMs: number, workers: number): number {
  const atOnce = ((closes / SECONDS) * workerMs(polyaiMs)) / 1000;
  return Math.min(MAX_BATCH, Math.max(1, atOnce / workers));
}

function workerMs(polyaiMs: number): number {
  return polyaiMs + ASSUMED.ownMs.value;
}

/** @param batch how many messages are received and deleted together */
function workOf(kind: WorkKind, { bytes }: Measured, batch = 1): Partial<Work> {
  const logBytes = lineBytes(bytes[kind]);
  const webhook = {
    apiRequests: 1,
    receiverRuns: 1,
    logBytes: logBytes + lineBytes(bytes.access),
    sentBytes: ASSUMED.answerBytes.value,
  };
  // The rule sends the event to its queue; the function receives it, and it is deleted.
  const event = { busEvents: 1, eventQueueRequests: 3, readerRuns: 1, logBytes };
  // A message is received, and then deleted.
  const attempt = {
    workerRuns: 1 / batch,
    closeQueueRequests: 2 / batch,
    logBytes,
    sentBytes: ASSUMED.callBytes.value,
  };
  const kinds: Record<WorkKind, Partial<Work>> = {
    accepted: { ...webhook, closeQueueRequests: 1 },
    ignored: webhook,
    refused: webhook,
    acceptedEvent: { ...event, closeQueueRequests: 1 },
    ignoredEvent: event,
    closed: attempt,
    // Each time it is sent back, and when it comes before its time, it is received, sent and deleted.
    waiting: {
      ...attempt,
      hopRuns: HOPS / batch,
      closeQueueRequests: (3 + 3 * HOPS) / batch,
    },
  };
  return kinds[kind];
}

function sumOf(parts: readonly (readonly [times: number, work: Partial<Work>])[]): Work {
  const sum = (unit: keyof Work) => parts.reduce((all, [times, work]) => all + times * (work[unit] ?? 0), 0);
  return {
    apiRequests: sum('apiRequests'),
    busEvents: sum('busEvents'),
    receiverRuns: sum('receiverRuns'),
    readerRuns: sum('readerRuns'),
    workerRuns: sum('workerRuns'),
    hopRuns: sum('hopRuns'),
    closeQueueRequests: sum('closeQueueRequests'),
    eventQueueRequests: sum('eventQueueRequests'),
    logBytes: sum('logBytes'),
    sentBytes: sum('sentBytes'),
  };
}

function priceOf(work: Work, { inventory, secretsRead }: Measured, polyaiMs: number): Bill {
  const ran = (name: string, runs: number, ms: number) =>
    runs === 0 ? 0 : runCost(runs, ms, memoryOf(inventory, name));
  return {
    'API Gateway': apiCost(work.apiRequests),
    Bus: cost('busEvent', work.busEvents),
    Receiver:
      ran('receive', work.receiverRuns, ASSUMED.ownMs.value) +
      ran('event', work.readerRuns, ASSUMED.ownMs.value),
    Queue:
      cost('sqsRequest', work.closeQueueRequests + work.eventQueueRequests) +
      (secretsRead.close > 1 ? cost('sqsFair', work.closeQueueRequests) : 0),
    Worker:
      ran('close', work.workerRuns, workerMs(polyaiMs)) + ran('close', work.hopRuns, ASSUMED.ownMs.value),
    Logs: logCost(work.logBytes, inventory.retentionDays),
    'Data out': cost('dataOut', work.sentBytes / GB),
    'Reading secrets': 0,
    Fixed: 0,
  };
}

/** The runs of a function in a month, how many run at once at the peak, and how many must start first. */
type Scale = { runs: number; atOnce: number; starts: number };

function scaleOf(runs: number, ms: number, limit = Number.POSITIVE_INFINITY): Scale {
  const atPeak = ((runs / SECONDS) * ASSUMED.peak.value * ms) / 1000;
  const atOnce = Math.min(limit, Math.max(1, Math.ceil(atPeak)));
  return { runs, atOnce, starts: Math.min(runs, (atOnce * HOURS) / ASSUMED.keptHours.value) };
}

function runCost(runs: number, ms: number, memory: number): number {
  return cost('lambdaRequest', runs) + cost('lambdaSecond', (runs * ms * memory) / 1000 / 1024);
}

function startCost(starts: number, memory: number): number {
  return cost('lambdaSecond', (starts * ASSUMED.startMs.value * memory) / 1000 / 1024);
}

/** A function reads its secrets when it starts, and each again when it is needed and no longer fresh. */
function secretReads({ runs, atOnce, starts }: Scale, secrets: number): number {
  return starts * secrets + Math.min(runs, (atOnce * secrets * HOURS) / FRESH_HOURS);
}

function lineBytes(bytes: number): number {
  return bytes + ASSUMED.lineOverhead.value;
}

/** What a month writes is paid once, and then kept until the retention is over. */
function logCost(bytes: number, retentionDays: number): number {
  const monthsKept = (retentionDays * 24) / HOURS;
  const gigabytes = bytes / GB;
  return (
    cost('logIngestion', gigabytes) + cost('logStorage', gigabytes * ASSUMED.compressed.value * monthsKept)
  );
}

function memoryOf({ memory }: Inventory, name: string): number {
  const found = memory[name];
  if (!found) throw new Error(`The stack has no function "${name}", so its cost cannot be computed.`);
  return found;
}
