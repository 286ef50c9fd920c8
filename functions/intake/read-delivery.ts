import { selector } from '#selector';
import type { Connection } from '../connections.ts';
import { isGiven, toConversationId, toId } from '../conversation-id.ts';
import type { Crm, IgnoredReason, Reading } from '../crm/crm.ts';
import type { Content } from '../delivery.ts';
import { MINUTE_MS } from '../time.ts';
import { signedAt, toTime } from './event-time.ts';

/** What names a conversation: its own id, or one that it shares with the CRM. */
type Id = { conversationId: string } | { sharedId: string };

/** The CRM's own names for the ticket and the delivery, where they are usable as ids. */
type References = { crmRef?: string; deliveryId?: string };

/** A close that a delivery asks for. It has exactly one of `conversationId` and `sharedId`. */
export type RequestedClose = References & {
  conversationId?: string;
  sharedId?: string;
  /** ISO 8601, UTC. Only with a shared id, and only where a verified part of the delivery gives a time. */
  happenedAt?: string;
};

/** An event, or an id in it, that asks for no close. The ids are those that could be read, so that it is found by them. */
export type Ignored = Pick<RequestedClose, 'conversationId' | 'sharedId' | 'crmRef'> & {
  reason: IgnoredReason;
};

/**
 * What a delivery asks for, and why its other events ask for nothing. The references are those of its first
 * event; `happenedAt` is the earliest of its closes.
 */
export type ReadResult = References & {
  closes: RequestedClose[];
  ignored: Ignored[];
  happenedAt?: string;
};

/** The fields of a `CloseRequest` that come from the delivery. */
type RequestFields = Omit<RequestedClose, 'happenedAt'> & { receivedAt: string };

/** Maximum conversations that one delivery or event can close. */
export const MAX_CLOSES = 100;

/** An event counts as the one that finished a conversation if the finish is at most this long ago. */
const JUST_FINISHED_MS = 5 * MINUTE_MS;

/** A longer list helps nobody, and the sizes of an answer and of a line are limited. */
export const MAX_IGNORED = 100;

/**
 * Reads what a verified delivery asks for: as the preset reads it, except where the connection has its own
 * selectors. Each conversation appears once.
 *
 * @param content a webhook's content, or an event of a bus as its `body`
 * @param now Unix milliseconds
 */
export function readDelivery(
  crm: Pick<Crm, 'read' | 'bus'>,
  connection: Connection,
  content: Content,
  now: number = Date.now(),
): ReadResult {
  const signed = signedAt(connection.verify, content);
  const readings = crm.read(content, connection);
  const results = readings.flatMap((reading) => {
    const ofBatch = 'event' in reading ? { ...content, body: reading.event } : content;
    const found = judgeReading(reading, connection, crm.bus ? content.body : ofBatch, now);
    return found.map((each) => (isIgnored(each) ? each : withTime(each, reading, signed)));
  });
  const closes = onceEach(results.filter((result) => !isIgnored(result)));
  const [happenedAt] = closes.flatMap((close) => close.happenedAt ?? []).sort();
  return {
    ...references(readings[0]),
    ...(happenedAt && { happenedAt }),
    closes,
    ignored: results.filter(isIgnored).slice(0, MAX_IGNORED),
  };
}

/**
 * Converts a requested close to the fields of a close on the queue. The time limits of a look-up count from the
 * event itself, so that a late repeat of an old finish does not close a newer chat.
 *
 * @param now Unix milliseconds
 */
export function toRequestFields({ happenedAt, ...close }: RequestedClose, now: number): RequestFields {
  const time = happenedAt === undefined ? now : Math.min(now, Date.parse(happenedAt));
  return { ...close, receivedAt: new Date(time).toISOString() };
}

/** @param seen the value that the connection's selectors are applied to */
function judgeReading(
  reading: Reading,
  connection: Connection,
  seen: unknown,
  now: number,
): (RequestedClose | Ignored)[] {
  const found = idsOf(reading, connection, seen);
  const { crmRef } = references(reading);
  const ignore = (reason: IgnoredReason): Ignored => ({
    reason,
    ...found.find((each) => each !== undefined),
    ...(crmRef && { crmRef }),
  });
  const finished = connection.finishedWhen ? isFinished(connection.finishedWhen, seen) : reading.finished;
  if (finished !== true) return [ignore(finished === false ? 'not_finished' : finished)];
  if (!isNewFinish(reading, connection, now)) return [ignore('not_finished')];
  if (found.length === 0) return [ignore('no_conversation_id')];
  const unusable: Ignored = { reason: 'unusable_conversation_id', ...(crmRef && { crmRef }) };
  return found.map((id) => (id ? { ...references(reading), ...id } : unusable));
}

/**
 * Whether the ticket was not finished before this event. It matters only for a look-up: a second finish closes a
 * conversation's own id again, which is harmless, but a shared id may name a newer chat by then. A connection's
 * own `finishedWhen` replaces the preset's reading, so it shows nothing about the state before the event.
 */
function isNewFinish(reading: Reading, connection: Connection, now: number): boolean {
  if (!connection.lookUp || connection.repeatedFinish === 'allow') return true;
  if (connection.finishedWhen) return false;
  const finishedAt = toTime(reading.finishedAt);
  const isRecent = finishedAt !== undefined && Math.abs(now - finishedAt) <= JUST_FINISHED_MS;
  return reading.provesChange === true || isRecent;
}

/** Adds the earliest time that the event or its signature gives. */
function withTime(close: RequestedClose, reading: Reading, signed: number | undefined): RequestedClose {
  if (close.sharedId === undefined) return close;
  const times = [toTime(reading.happenedAt), toTime(reading.finishedAt), signed];
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? close : { ...close, happenedAt: new Date(Math.min(...known)).toISOString() };
}

/** The latest close of each conversation. */
function onceEach(closes: RequestedClose[]): RequestedClose[] {
  const known = new Map<string, RequestedClose>();
  for (const close of closes) {
    const { happenedAt = '' } = known.get(keyOf(close)) ?? {};
    if (happenedAt <= (close.happenedAt ?? happenedAt)) known.set(keyOf(close), close);
  }
  return [...known.values()];
}

/**
 * The ids that an event gives by the connection's selector, or else the preset's: shared ids where they are looked up.
 * An id that is not usable is `undefined`.
 */
function idsOf(reading: Reading, connection: Connection, seen: unknown): (Id | undefined)[] {
  const { lookUp, sharedId, conversationId } = connection;
  const expression = lookUp ? sharedId : conversationId;
  const preset = lookUp ? (reading.sharedId ?? reading.crmRef) : reading.conversationId;
  const ids = expression ? selector(expression)(seen) : preset;
  return (Array.isArray(ids) ? ids : [ids]).filter(isGiven).map((id) => (lookUp ? shared(id) : own(id)));
}

function shared(id: unknown): Id | undefined {
  const sharedId = toId(id);
  return sharedId ? { sharedId } : undefined;
}

function own(id: unknown): Id | undefined {
  const conversationId = toConversationId(id);
  return conversationId ? { conversationId } : undefined;
}

function isIgnored(result: RequestedClose | Ignored): result is Ignored {
  return 'reason' in result;
}

function keyOf({ conversationId, sharedId }: RequestedClose): string {
  return conversationId ?? `shared ${sharedId}`;
}

function isFinished(finishedWhen: string, seen: unknown): boolean | IgnoredReason {
  if (finishedWhen === 'always') return true;
  const result = selector(finishedWhen)(seen);
  return typeof result === 'boolean' ? result : 'finished_not_boolean';
}

function references(reading: Reading | undefined): References {
  const crmRef = toId(reading?.crmRef);
  const deliveryId = toId(reading?.deliveryId);
  return { ...(crmRef && { crmRef }), ...(deliveryId && { deliveryId }) };
}
