import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as configured from '#configured';
import { sendMessageBatch } from './aws/send-message-batch.ts';
import type { EventConnection } from './bound-connection.ts';
import { sendCloses } from './close-batches.ts';
import type { CloseRequest } from './close-request.ts';
import { toId } from './conversation-id.ts';
import { ENVIRONMENT } from './environment.ts';
import { ChatCloserError } from './error.ts';
import { deliveryLine } from './intake/delivery-line.ts';
import { MAX_CLOSES, type ReadResult, readDelivery, toRequestFields } from './intake/read-delivery.ts';
import { valueAt } from './json.ts';
import { faultLine, type Line, writeLine } from './log.ts';
import { settleEach } from './settle-each.ts';

export type EventParts = {
  connections: Record<string, EventConnection>;
  /** Resolves once every close is queued. */
  queue: (requests: CloseRequest[]) => Promise<void>;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
};

/** The message that a rule puts on the queue: the unchanged event, and the connection that the rule belongs to. */
type BusMessage = { name: string; connection: EventConnection; event: unknown };

/** A record that cannot be processed. SQS moves it to the events' dead-letter queue after the maximum receives. */
export class UnreadableEvent extends ChatCloserError {
  override name = 'UnreadableEvent';
}

/**
 * Receives events of a bus: reads what an event asks for and queues that. IAM decides who may put events there, so
 * nothing is verified here. An event that fails stays on its queue; after some receives SQS moves it to the
 * events' dead-letter queue.
 */
export function createEvents(parts: EventParts) {
  const { connections, queue, writeLine, now } = parts;

  return async function receiveEvents({ Records }: SQSEvent): Promise<SQSBatchResponse> {
    return settleEach(Records, receiveEvent);
  };

  /** Returns whether the record may be deleted. Never throws. */
  async function receiveEvent(record: SQSRecord): Promise<boolean> {
    const startedAt = now();
    let requestId = record.messageId;
    try {
      const { name, connection, event } = readBusMessage(record.body);
      requestId = toId(valueAt(event, 'id')) ?? requestId;
      const read = readCloses(connection, event);
      const isQueued =
        connection.rehearse || (await enqueue(name, connection, read, requestId, happenedAt(record, event)));
      const refused = isQueued ? undefined : 'queue_unavailable';
      writeLine(deliveryLine({ requestId, name, connection, read, refused, tookMs: now() - startedAt }));
      return isQueued;
    } catch (error) {
      writeLine(faultLine(requestId, error instanceof UnreadableEvent ? 'event: message' : 'event', error));
      return false;
    }
  }

  function readBusMessage(body: string): BusMessage {
    const message = parse(body);
    const name = valueAt(message, 'connection');
    const event = valueAt(message, 'event');
    if (typeof name !== 'string' || event === undefined) {
      throw new UnreadableEvent(
        'the message is not { connection, event }, as the rules of this stack send it',
      );
    }
    const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
    if (!connection) throw new UnreadableEvent('the connection is not in this deployment');
    return { name, connection, event };
  }

  function readCloses(connection: EventConnection, event: unknown): ReadResult {
    const content = { body: event, headers: {}, query: {} };
    const read = readDelivery(connection.preset, connection, content, now());
    if (read.closes.length > MAX_CLOSES) {
      throw new UnreadableEvent(`one event can close at most ${MAX_CLOSES} conversations`);
    }
    const deliveryId = toId(valueAt(event, 'id')) ?? read.deliveryId;
    return deliveryId === undefined ? read : { ...read, deliveryId };
  }

  /** Returns whether SQS has confirmed every close. */
  async function enqueue(
    connection: string,
    { project, crm }: EventConnection,
    { closes, deliveryId }: ReadResult,
    requestId: string,
    happenedAt: number,
  ): Promise<boolean> {
    const base = { v: 1, requestId, source: 'event', project, connection, crm } as const;
    try {
      await queue(
        closes.map((close) => ({
          ...base,
          ...toRequestFields(close, happenedAt),
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
 * The event's own time, or else the time at which it reached the queue, in Unix milliseconds. EventBridge may have
 * held it for a day, and a shared id that is looked up so much later could name another chat.
 */
function happenedAt({ attributes }: SQSRecord, event: unknown): number {
  const sentAt = Number(attributes.SentTimestamp);
  const time = Date.parse(String(valueAt(event, 'time')));
  return time < sentAt ? time : sentAt;
}

export const handler = createEvents({
  connections: configured.eventConnections,
  queue: (requests) =>
    sendCloses(sendMessageBatch, process.env[ENVIRONMENT.closeQueueUrl] ?? '', requests, configured.isShared),
  writeLine,
  now: Date.now,
});
