import type { Connection } from './connections.ts';
import { isGiven, toConversationId, toId } from './conversation-id.ts';
import type { Crm, IgnoredReason, Reading } from './crm/crm.ts';
import type { Content } from './delivery.ts';
import { selector } from './selector.ts';

/** The CRM's own names for what a delivery is about, where they can travel. */
type References = { crmRef?: string; deliveryId?: string };

/** A close that a delivery asks for, by exactly one of the conversation's id and one that it shares with the CRM. */
export type Finding = References & { conversationId?: string; sharedId?: string };

/** What a delivery asks for, and what in it asks for nothing; the references are those of its first event. */
export type Demand = References & { findings: Finding[]; ignored: IgnoredReason[] };

/** So many conversations, and no more, can one delivery or event close. */
export const MAX_CLOSES = 100;

/** A list of more reasons would tell nobody more, and an answer has its limits. */
const MAX_IGNORED = 100;

/**
 * What a genuine delivery asks for: the preset's reading, with the connection's own selectors in its place
 * where it has them. Each conversation once.
 *
 * @param content of a webhook; or an event of a bus as its `body`
 */
export function readDelivery(
  crm: Pick<Crm, 'read' | 'bus'>,
  connection: Connection,
  content: Content,
): Demand {
  const readings = crm.read(content, connection);
  const results = readings.flatMap((reading) => {
    const ofBatch = 'event' in reading ? { ...content, body: reading.event } : content;
    return readEvent(reading, connection, crm.bus ? content.body : ofBatch);
  });
  const findings = results.filter((result) => typeof result !== 'string');
  return {
    ...references(readings[0]),
    findings: [...new Map(findings.map((finding) => [keyOf(finding), finding])).values()],
    ignored: results.filter((result) => typeof result === 'string').slice(0, MAX_IGNORED),
  };
}

/** @param seen what the connection's selectors see */
function readEvent(reading: Reading, connection: Connection, seen: unknown): (Finding | IgnoredReason)[] {
  const finished = connection.finishedWhen ? isFinished(connection.finishedWhen, seen) : reading.finished;
  if (finished !== true) return [finished === false ? 'not_finished' : finished];
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
