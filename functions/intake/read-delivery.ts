import type { Connection } from '../connections.ts';
import { isGiven, toConversationId, toId } from '../conversation-id.ts';
import type { Crm, IgnoredReason, Reading } from '../crm/crm.ts';
import type { Content } from '../delivery.ts';
import { signedAt, toTime } from './event-time.ts';
import { selector } from './selector.ts';

/** The CRM's own names for what a delivery is about, where they can travel. */
type References = { crmRef?: string; deliveryId?: string };

/** A close that a delivery asks for, by exactly one of the conversation's id and one that it shares with the CRM. */
export type Finding = References & {
  conversationId?: string;
  sharedId?: string;
  /** ISO 8601, UTC. Of a shared id: when its event happened, where a verified part of the delivery says so. */
  happenedAt?: string;
};

/**
 * What a delivery asks for, and what in it asks for nothing; the references are those of its first event, and
 * `happenedAt` is the earliest of its findings'.
 */
export type Demand = References & { findings: Finding[]; ignored: IgnoredReason[]; happenedAt?: string };

/** The fields of a close on the queue that come from a finding. */
type Asked = Omit<Finding, 'happenedAt'> & { receivedAt: string };

/** So many conversations, and no more, can one delivery or event close. */
export const MAX_CLOSES = 100;

/** So old may the end of a conversation be for its event to count as the one that ended it. */
const JUST_FINISHED_MS = 5 * 60_000;

/** A list of more reasons would tell nobody more, and an answer has its limits. */
const MAX_IGNORED = 100;

/**
 * What a genuine delivery asks for: the preset's reading, with the connection's own selectors in its place
 * where it has them. Each conversation once.
 *
 * @param content of a webhook; or an event of a bus as its `body`
 * @param now Unix milliseconds
 */
export function readDelivery(
  crm: Pick<Crm, 'read' | 'bus'>,
  connection: Connection,
  content: Content,
  now: number = Date.now(),
): Demand {
  const signed = signedAt(connection.verify, content.headers);
  const readings = crm.read(content, connection);
  const results = readings.flatMap((reading) => {
    const ofBatch = 'event' in reading ? { ...content, body: reading.event } : content;
    const found = readEvent(reading, connection, crm.bus ? content.body : ofBatch, now);
    return found.map((each) => (typeof each === 'string' ? each : withTime(each, reading, signed)));
  });
  const findings = onceEach(results.filter((result) => typeof result !== 'string'));
  const [happenedAt] = findings.flatMap((finding) => finding.happenedAt ?? []).sort();
  return {
    ...references(readings[0]),
    ...(happenedAt && { happenedAt }),
    findings,
    ignored: results.filter((result) => typeof result === 'string').slice(0, MAX_IGNORED),
  };
}

/**
 * A finding as a close on the queue has it. A look-up counts its minutes from the event itself, so that a late
 * repeat of an old finish does not find a newer chat.
 *
 * @param now Unix milliseconds
 */
export function ask({ happenedAt, ...finding }: Finding, now: number): Asked {
  const time = happenedAt === undefined ? now : Math.min(now, Date.parse(happenedAt));
  return { ...finding, receivedAt: new Date(time).toISOString() };
}

/** @param seen what the connection's selectors see */
function readEvent(
  reading: Reading,
  connection: Connection,
  seen: unknown,
  now: number,
): (Finding | IgnoredReason)[] {
  const finished = connection.finishedWhen ? isFinished(connection.finishedWhen, seen) : reading.finished;
  if (finished !== true) return [finished === false ? 'not_finished' : finished];
  if (!isNewFinish(reading, connection, now)) return ['not_finished'];
  const own = references(reading);
  return connection.lookUp
    ? toFindings(connection.sharedId, reading.sharedId ?? reading.crmRef, seen, (id) => {
        const sharedId = toId(id);
        return sharedId && { ...own, sharedId };
      })
    : toFindings(connection.conversationId, reading.conversationId, seen, (id) => {
        const conversationId = toConversationId(id);
        return conversationId && { ...own, conversationId };
      });
}

/**
 * Whether nothing was finished before. Only a look-up asks: a second finish of a ticket closes a conversation's
 * own id once more, which is harmless, but a shared id may name a newer chat by then. A selector of the
 * connection's own decides alone, so it proves nothing of what was before.
 */
function isNewFinish(reading: Reading, connection: Connection, now: number): boolean {
  if (!connection.lookUp || connection.repeatedFinish === 'allow') return true;
  if (connection.finishedWhen) return false;
  const finishedAt = toTime(reading.finishedAt);
  const isRecent = finishedAt !== undefined && Math.abs(now - finishedAt) <= JUST_FINISHED_MS;
  return reading.provesChange === true || isRecent;
}

/** The earliest time that the event or its signature has. */
function withTime(finding: Finding, reading: Reading, signed: number | undefined): Finding {
  if (finding.sharedId === undefined) return finding;
  const times = [toTime(reading.happenedAt), toTime(reading.finishedAt), signed];
  const known = times.filter((time) => time !== undefined);
  return known.length === 0
    ? finding
    : { ...finding, happenedAt: new Date(Math.min(...known)).toISOString() };
}

/** The latest finding of each conversation. */
function onceEach(findings: Finding[]): Finding[] {
  const known = new Map<string, Finding>();
  for (const finding of findings) {
    const { happenedAt = '' } = known.get(keyOf(finding)) ?? {};
    if (happenedAt <= (finding.happenedAt ?? happenedAt)) known.set(keyOf(finding), finding);
  }
  return [...known.values()];
}

/** The ids that the connection's selector gives, or the preset's, each as a finding where it can be one. */
function toFindings(
  expression: string | undefined,
  preset: unknown,
  seen: unknown,
  toFinding: (id: unknown) => Finding | '' | undefined,
): (Finding | IgnoredReason)[] {
  const ids = expression ? selector(expression)(seen) : preset;
  const given = (Array.isArray(ids) ? ids : [ids]).filter(isGiven);
  if (given.length === 0) return ['no_conversation_id'];
  return given.map((id) => toFinding(id) || 'unusable_conversation_id');
}

function keyOf({ conversationId, sharedId }: Finding): string {
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
