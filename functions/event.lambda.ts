import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as configured from '#configured';
import { sqs } from './aws.ts';
import type { EventConnection } from './bound-connection.ts';
import { queueCloses } from './close-queue.ts';
import type { CloseRequest } from './close-request.ts';
import { toId } from './conversation-id.ts';
import { at } from './crm/crm.ts';
import { ENVIRONMENT } from './environment.ts';
import { deliveryLine } from './intake/delivery-line.ts';
import { ask, type Demand, MAX_CLOSES, readDelivery } from './intake/read-delivery.ts';
import { faultLine, type Line, writeLine } from './log.ts';

export type EventParts = {
  connections: Record<string, EventConnection>;
  /** Resolves once every close is queued. */
  queue: (requests: CloseRequest[]) => Promise<void>;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
};

/** What a rule puts on the queue: the event as it was, and the connection whose rule it is. */
type Message = { name: string; connection: EventConnection; event: unknown };

/** A record that asks for nothing that can be done. It goes to the events' dead-letter queue by itself. */
export class UnreadableEvent extends Error {
  override name = 'UnreadableEvent';
}

/**
 * The way in for events of a bus: reads what an event asks for and queues that. Who may put events there is
 * for IAM, so nothing is verified. What fails stays on the queue of events, and after some receives SQS moves
 * it to their dead-letter queue.
 */
export function createEvents(parts: EventParts) {
  const { connections, queue, writeLine, now } = parts;

  return async function readEvents({ Records }: SQSEvent): Promise<SQSBatchResponse> {
    const done = await Promise.all(Records.map(readOne));
    const left = Records.filter((_, index) => !done[index]);
    return { batchItemFailures: left.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };

  /** @returns whether the record may be deleted. Never throws, so that one record never fails its batch */
  async function readOne(record: SQSRecord): Promise<boolean> {
    const startedAt = now();
    let requestId = record.messageId;
    try {
      const { name, connection, event } = readMessage(record.body);
      requestId = toId(at(event, 'id')) ?? requestId;
      const demand = readDemand(connection, event);
      const isQueued = await enqueue(name, connection, demand, requestId, happenedAt(record, event));
      const refused = isQueued ? undefined : 'queue_unavailable';
      writeLine(deliveryLine({ requestId, name, connection, demand, refused, took: now() - startedAt }));
      return isQueued;
    } catch (error) {
      writeLine(faultLine(requestId, error instanceof UnreadableEvent ? 'event: message' : 'event', error));
      return false;
    }
  }

  function readMessage(body: string): Message {
    const message = parse(body);
    const name = at(message, 'connection');
    const event = at(message, 'event');
    if (typeof name !== 'string' || event === undefined) {
      throw new UnreadableEvent(
        'the message is not { connection, event }, as the rules of this stack send it',
      );
    }
    const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
    if (!connection) throw new UnreadableEvent('the connection is not in this deployment');
    return { name, connection, event };
  }

  function readDemand(connection: EventConnection, event: unknown): Demand {
    const content = { body: event, headers: {}, query: {} };
    const demand = readDelivery(connection.preset, connection, content, now());
    if (demand.findings.length > MAX_CLOSES) {
      throw new UnreadableEvent(`one event can close ${MAX_CLOSES} conversations at most`);
    }
    const deliveryId = toId(at(event, 'id')) ?? demand.deliveryId;
    return deliveryId === undefined ? demand : { ...demand, deliveryId };
  }

  /** @returns whether SQS has confirmed every close */
  async function enqueue(
    connection: string,
    { project, crm }: EventConnection,
    { findings, deliveryId }: Demand,
    requestId: string,
    happenedAt: number,
  ): Promise<boolean> {
    const base = { v: 1, requestId, source: 'event', project, connection, crm } as const;
    try {
      await queue(
        findings.map((finding) => ({
          ...base,
          ...ask(finding, happenedAt),
          ...(deliveryId && { deliveryId }),
        })),
      );
      return true;
    } catch (error) {
      writeLine(faultLine(requestId, 'event: queue', error));
      return false;
    }
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new UnreadableEvent('the message is not JSON');
  }
}

/**
 * When the event was there to be received: its own time where it has one. EventBridge may have held it for a
 * day, and an id that is looked up so much later could mean another chat.
 */
function happenedAt({ attributes }: SQSRecord, event: unknown): number {
  const sentAt = Number(attributes.SentTimestamp);
  const time = Date.parse(String(at(event, 'time')));
  return time < sentAt ? time : sentAt;
}

export const handler = createEvents({
  connections: configured.eventConnections,
  queue: (requests) => queueCloses(sqs, process.env[ENVIRONMENT.closeQueueUrl] ?? '', requests),
  writeLine,
  now: Date.now,
});
