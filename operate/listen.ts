import type { Aws } from './aws.ts';
import { readGuide } from './card/guide.ts';
import { refusalWords } from './card/refusal-words.ts';
import type { Deployment } from './deployment.ts';
import { followLines } from './follow.ts';
import type { LoggedLine } from './lines.ts';
import { requireName } from './project.ts';
import type { Surroundings } from './surroundings.ts';

/** The steps of a delivery, in their order. */
export const STEPS = ['arrived', 'verified', 'read', 'finished', 'id', 'queued', 'tried', 'closed'] as const;
export type StepName = (typeof STEPS)[number];

/** What a line says about a delivery. */
export type Heard = {
  /** The last step that the delivery has reached. */
  step: StepName;
  sentence: string;
  /** What is missing; absent if nothing is. */
  missing?: string;
  line: LoggedLine;
};

type Parts = Pick<Aws, 'logs'> & Pick<Surroundings, 'now' | 'progress' | 'signal' | 'sleep'>;

/**
 * Follows the deliveries of a connection, or of all, from now on: each with the step that it has reached and what is
 * missing.
 *
 * @param name absent: every connection
 * @throws {OperatorError} used wrongly: the stack has no such connection
 */
export async function* listen(
  name: string | undefined,
  deployment: Deployment,
  timeoutMs: number,
  parts: Parts,
): AsyncGenerator<Heard> {
  if (name !== undefined) requireName('connections', name, deployment);
  const { receive, event, close } = deployment.logGroups;
  const from = parts.now();
  const texts = name === undefined ? [] : [name];
  for await (const line of followLines({ groups: [receive, event, close], texts, from, timeoutMs }, parts)) {
    const isOwn = name === undefined || line.connection === name;
    if (line.at < new Date(from).toISOString() || line.canary || !isOwn) continue;
    const heard = hear(line, deployment);
    if (heard) yield heard;
  }
}

/** @returns `undefined` for a line that is about no delivery */
export function hear(line: LoggedLine, deployment: Deployment): Heard | undefined {
  if (line.type === 'delivery') return { ...hearDelivery(line, deployment), line };
  if (line.type === 'close') return { ...hearClose(line), line };
  return undefined;
}

/** Refusals of which the proof was already right. */
const AFTER_PROOF = ['body_unreadable', 'sender_mismatch', 'too_many_conversations', 'queue_unavailable'];

function hearDelivery(line: LoggedLine, { configuration }: Deployment): Omit<Heard, 'line'> {
  const { connection, refused, accepted, would_close, ignored, repeated } = line;
  const crm = configuration.connections[String(connection)]?.crm ?? '';
  const who = connection ?? 'An address that is no connection';
  if (typeof refused === 'string') {
    const step = AFTER_PROOF.includes(refused) ? 'verified' : 'arrived';
    return {
      step,
      sentence: `${who}: a delivery was refused.`,
      missing: refusalWords(refused, readGuide(crm).title),
    };
  }
  if (Number(accepted) > 0) return { step: 'queued', sentence: `${who}: ${idsText(line)} queued.` };
  if (repeated === true)
    return { step: 'queued', sentence: `${who}: a repeat of a delivery that is already queued.` };
  if (Number(would_close) > 0) {
    const missing = 'the connection rehearses: remove "rehearse" from the configuration to close chats';
    return { step: 'id', sentence: `${who}: ${idsText(line)} would be closed.`, missing };
  }
  const [part] = Array.isArray(ignored) ? ignored : [];
  const [step, missing] = IGNORED[part?.reason ?? ''] ?? ['read', 'nothing in it asks for a close'];
  return { step, sentence: `${who}: a delivery was verified and ignored.`, missing: `${missing}` };
}

const IGNORED: Record<string, [StepName, string]> = {
  not_finished: ['read', 'the ticket is not finished: see what counts as finished on the card'],
  finished_not_boolean: ['read', 'finishedWhen gives neither true nor false: npx --no chat-closer explain'],
  test_event: ['read', 'it is a test event of the CRM: resolve a real test ticket'],
  message_trimmed: ['read', 'the CRM left the payload out'],
  no_conversation_id: [
    'finished',
    'the field of the conversation id is empty or missing: npx --no chat-closer explain',
  ],
  unusable_conversation_id: [
    'finished',
    'the field holds no usable conversation id: npx --no chat-closer explain',
  ],
};

function idsText({ conversation_ids, shared_ids }: LoggedLine): string {
  return [conversation_ids, shared_ids]
    .flat()
    .filter((id) => typeof id === 'string')
    .join(', ');
}

function hearClose({
  outcome,
  final,
  reason,
  conversation_id,
  shared_id,
  source,
  connection,
  next_try_in_s,
}: LoggedLine): Omit<Heard, 'line'> {
  const id = `${connection ?? source ?? 'operator'}: ${conversation_id ?? shared_id ?? 'a close'}`;
  if (outcome === 'closed') return { step: 'closed', sentence: `${id} is closed.` };
  if (outcome === 'already_ended') return { step: 'closed', sentence: `${id} had already ended.` };
  if (outcome === 'resolved') return { step: 'tried', sentence: `${id}: PolyAI knows its conversation.` };
  const why = reason ? `: ${reason}` : '';
  const next = final ? '' : ` It is tried again in ${next_try_in_s} s.`;
  return { step: 'tried', sentence: `${id} is not closed.${next}`, missing: `${outcome}${why}` };
}
