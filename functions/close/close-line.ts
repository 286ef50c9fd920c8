import type { SQSRecord } from 'aws-lambda';
import type { CloseRequest } from '../close-request.ts';
import type { Project } from '../connections.ts';
import type { Line } from '../log.ts';
import { withMetrics } from '../metrics.ts';
import type { PolyAIAnswer } from '../polyai.ts';
import { isHealthy } from './canary-health.ts';
import type { Judgement } from './outcome.ts';

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

/** PolyAI's answer, if one arrived. */
export function answered({ answer }: Attempt) {
  return answer && 'status' in answer ? answer : undefined;
}

/**
 * The log line of one attempt. docs/operations.md describes its fields.
 *
 * @param final whether the message is finished; otherwise the next attempt is in `nextTryInSeconds`
 */
export function closeLine(
  { record, request, project }: LoggedMessage,
  attempt: Attempt,
  { final, nextTryInSeconds }: { final: boolean; nextTryInSeconds?: number },
): Line {
  const answer = answered(attempt);
  const line: Line = {
    type: 'close',
    request_id: request?.requestId,
    outcome: attempt.outcome,
    final,
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
    age_ms: ageMs(record, attempt.endedAt),
    polyai_status: answer?.status,
    polyai_error_code: answer?.errorCode,
    polyai_correlation_id: answer?.correlationId,
    received_at: request?.receivedAt,
    took_ms: attempt.endedAt - attempt.startedAt,
    next_try_in_s: nextTryInSeconds,
    ...(request?.canary && canaryFields(record, attempt, final)),
  };
  return withMetrics(line, attempt.outcome, request?.project);
}

/** What tells the canary's lines apart, whether its chain works, and the time that its message waited in the queue. */
function canaryFields(record: SQSRecord, { outcome, answer, startedAt }: Attempt, final: boolean) {
  return {
    canary: true,
    healthy: final ? Number(isHealthy(outcome, answer)) : undefined,
    queued_ms: ageMs(record, startedAt),
  };
}

/** Milliseconds since a message was sent to this queue. Clocks may differ, but the result is never negative. */
function ageMs(record: SQSRecord, now: number): number {
  return Math.max(0, now - Number(record.attributes.SentTimestamp));
}

/**
 * Milliseconds since a message was first taken off its queue. The time before that does not count: a
 * queue that nobody reads is no reason to give a close up.
 */
export function triedForMs({ attributes }: SQSRecord, now: number): number {
  return Math.max(0, now - Number(attributes.ApproximateFirstReceiveTimestamp ?? attributes.SentTimestamp));
}
