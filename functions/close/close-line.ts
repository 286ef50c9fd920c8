import type { SQSRecord } from 'aws-lambda';
import type { CloseRequest } from '../close-request.ts';
import type { Project } from '../connections.ts';
import type { CloseLine, CloseResult } from '../line.ts';
import type { PolyAIAnswer } from '../polyai.ts';
import { MINUTE_MS } from '../time.ts';
import { isHealthy } from './canary-health.ts';
import { triedForMs } from './close-message.ts';
import { type Judgement, OUTCOMES } from './outcome.ts';

/** The result of one attempt, with PolyAI's answer if PolyAI was called. Times are Unix milliseconds. */
export type Attempt = Judgement & {
  answer?: PolyAIAnswer;
  startedAt: number;
  endedAt: number;
  /** Whether an earlier call may have closed the chat and no later call has shown whether it did. */
  isInDoubt?: boolean;
};

/** The parts of a message that its line shows, as far as it could be read. */
type LoggedMessage = { record: SQSRecord; request?: CloseRequest; project?: Project | undefined };

/** A close that is not finished is late from this time on, counted from its first attempt. */
const LATE_AFTER_MS = 15 * MINUTE_MS;

/** PolyAI's answer, if one arrived. */
export function answered({ answer }: Attempt) {
  return answer && 'status' in answer ? answer : undefined;
}

/**
 * The log line of one attempt, with the fields of functions/line.ts.
 *
 * @param final whether the message is finished; otherwise the next attempt is in `nextTryInSeconds`
 */
export function closeLine(
  { record, request, project }: LoggedMessage,
  attempt: Attempt,
  { final, nextTryInSeconds }: { final: boolean; nextTryInSeconds?: number },
): CloseLine {
  const answer = answered(attempt);
  return {
    type: 'close',
    request_id: request?.requestId,
    outcome: attempt.outcome,
    result: resultOf(attempt, final),
    final,
    late: Number(!final && triedForMs({ record, request }, attempt.endedAt) >= LATE_AFTER_MS),
    reason: attempt.reason,
    connection: request?.connection,
    crm: request?.crm,
    project: request?.project,
    region: project?.region,
    conversation_id: request?.conversationId ?? answer?.conversationId,
    shared_id: request?.sharedId,
    crm_ref: request?.crmRef,
    delivery_id: request?.deliveryId,
    source: request?.source,
    receives: Number(record.attributes.ApproximateReceiveCount),
    age_ms: ageMs(record, request, attempt.endedAt),
    polyai_status: answer?.status,
    polyai_error_code: answer?.errorCode,
    polyai_correlation_id: answer?.correlationId,
    received_at: request?.receivedAt,
    took_ms: attempt.endedAt - attempt.startedAt,
    next_try_in_s: nextTryInSeconds,
    ...(request?.canary && canaryFields(record, attempt, final)),
  };
}

function resultOf({ outcome }: Attempt, final: boolean): CloseResult {
  if (!final) return 'waiting';
  if (outcome === 'closed') return 'closed';
  return OUTCOMES[outcome].next === 'done' ? 'over' : 'given_up';
}

/** What tells the canary's lines apart, whether its chain works, and the time that its message waited in the queue. */
function canaryFields(record: SQSRecord, { outcome, answer, startedAt }: Attempt, final: boolean) {
  return {
    canary: true,
    healthy: final ? Number(isHealthy(outcome, answer)) : undefined,
    queued_ms: sinceSentMs(record, startedAt),
  };
}

/** Milliseconds since the CRM's delivery or event; since the message was sent, if it cannot be read. */
function ageMs(record: SQSRecord, request: CloseRequest | undefined, now: number): number {
  return request ? Math.max(0, now - Date.parse(request.receivedAt)) : sinceSentMs(record, now);
}

/** Milliseconds since a message was sent to this queue. Clocks may differ, but the result is never negative. */
function sinceSentMs(record: SQSRecord, now: number): number {
  return Math.max(0, now - Number(record.attributes.SentTimestamp));
}
