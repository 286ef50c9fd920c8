import type { LoggedLine } from '../stack-log.ts';
import type { DeliveryView, Kind, Place } from './view.ts';

export type Request = { url: string; headers: Record<string, string>; body: string };

/** A delivery with everything that is known of it. */
export type Entry = {
  id: string;
  at: number;
  connection: string;
  kind: Kind;
  request?: Request;
  conversationId?: string;
  answer?: { status: number; body: string };
  requestId?: string;
  lines: (LoggedLine & { seenAt: number })[];
};

const KEPT = 200;

export type DeliveryRecord = ReturnType<typeof createRecord>;

/** Remembers the deliveries of this run, and puts each log line to its delivery. @param changed called after a change */
export function createRecord(changed: () => void, now = Date.now) {
  let entries: Entry[] = [];
  let lines = 0;
  let next = 1;

  function add(entry: Omit<Entry, 'id' | 'at' | 'lines'>): Entry {
    const added = { ...entry, id: String(next++), at: now(), lines: [] };
    entries = [added, ...entries].slice(0, KEPT);
    changed();
    return added;
  }

  /** Its line may have come before the answer, as that of an unknown delivery. */
  function answered(entry: Entry, answer: { status: number; body: string }): void {
    entry.answer = answer;
    const requestId = requestIdOf(answer.body);
    if (requestId) entry.requestId = requestId;
    const twin = entries.find((each) => each !== entry && requestId && each.requestId === requestId);
    if (twin) {
      entry.lines.push(...twin.lines);
      entries = entries.filter((each) => each !== twin);
    }
    changed();
  }

  function onLine(line: LoggedLine): void {
    lines += 1;
    const { request_id: requestId, type, connection, project, canary } = line;
    if (typeof requestId === 'string' && (type === 'delivery' || type === 'close') && !canary) {
      const known = entries.find((each) => each.requestId === requestId);
      const owner = known ?? add({ kind: 'outside', connection: String(connection ?? project), requestId });
      owner.lines.push({ ...line, seenAt: now() });
      const conversation = line.conversation_id ?? [line.conversation_ids].flat()[0];
      if (typeof conversation === 'string') owner.conversationId ??= conversation;
    }
    changed();
  }

  return {
    add,
    answered,
    onLine,
    find: (id: string) => entries.find((entry) => entry.id === id),
    all: () => entries,
    countLines: () => lines,
  };
}

/** What the page shows of a delivery. */
export function viewOf(entry: Entry): DeliveryView {
  const { id, at, connection, kind, conversationId, answer, lines } = entry;
  const delivery = lines.find(({ type }) => type === 'delivery');
  const closes = lines.filter(({ type }) => type === 'close');
  const last = closes.at(-1);
  const status = answer?.status ?? (typeof delivery?.answer === 'number' ? delivery.answer : undefined);
  const [ignored] = Array.isArray(delivery?.ignored) ? delivery.ignored : [];
  const ticket = [delivery?.crm_ref, last?.crm_ref].find((each) => typeof each === 'string');
  const result = last?.outcome ?? delivery?.refused ?? ignored?.reason ?? resultOf(answer?.body);
  const wait = Number(last?.next_try_in_s);
  return {
    id,
    at,
    connection,
    kind,
    place: placeOf(last, status, result),
    attempts: closes.length,
    lines: lines.length,
    ...(status !== undefined && { status }),
    ...(conversationId && { conversationId }),
    ...(ticket !== undefined && { ticket: String(ticket) }),
    ...(result !== undefined && { result: String(result) }),
    ...(last && last.final !== true && wait > 0 && { nextTryAt: last.seenAt + wait * 1000 }),
  };
}

function placeOf(last: LoggedLine | undefined, status: number | undefined, result: unknown): Place {
  if (last) return last.final === true ? 'done' : 'waiting';
  if (status === undefined) return 'sending';
  return result === undefined ? 'queue' : 'receiver';
}

/** The receiver's answer says why it refused or ignored a delivery, before the log line comes. */
function resultOf(body = ''): string | undefined {
  const { code, ignored, accepted } = parse(body);
  if (typeof code === 'string') return code;
  const [first] = Array.isArray(ignored) ? ignored : [];
  return accepted === 0 ? (first?.reason ?? 'nothing_to_close') : undefined;
}

function requestIdOf(body: string): string | undefined {
  const { requestId } = parse(body);
  return typeof requestId === 'string' ? requestId : undefined;
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
