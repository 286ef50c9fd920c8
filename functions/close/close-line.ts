import type { SQSRecord } from 'aws-lambda';
import type { CloseRequest } from '../close-request.ts';
import type { Project } from '../connections.ts';
import type { Line } from '../log.ts';
import { withMetrics } from '../metrics.ts';
import type { PolyAIAnswer } from '../polyai.ts';
import type { Judgement } from './outcome.ts';

/** What became of one call, with what PolyAI answered where there was a call. Times in Unix milliseconds. */
export type Attempt = Judgement & {
  answer?: PolyAIAnswer;
  startedAt: number;
  endedAt: number;
  /** An earlier call may have closed the chat, and no later one has shown whether it did. */
  isInDoubt?: boolean;
};

/** PolyAI's answer, where one arrived. */
export function answered({ answer }: Attempt) {
  return answer && 'status' in answer ? answer : undefined;
}

/** The line of one attempt; its fields are fixed in docs/operations.md. */
export function closeLine(
  record: SQSRecord,
  request: CloseRequest | undefined,
  project: Project | undefined,
  attempt: Attempt,
  then: { final: boolean; nextTryInSeconds?: number },
): Line {
  const answer = answered(attempt);
  const line: Line = {
    type: 'close',
    request_id: request?.requestId,
    outcome: attempt.outcome,
    final: then.final,
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
    next_try_in_s: then.nextTryInSeconds,
  };
  return withMetrics(line, attempt.outcome, request?.project);
}

/** How long a message has been waiting, since it was sent to this queue. Clocks may differ; never negative. */
function ageMs(record: SQSRecord, now: number): number {
  return Math.max(0, now - Number(record.attributes.SentTimestamp));
}

/**
 * How long a message has been tried, since it was first taken off its queue. The days that it lay there because
 * nobody took it count for nothing: they are no reason to give it up.
 */
export function triedForMs({ attributes }: SQSRecord, now: number): number {
  return Math.max(0, now - Number(attributes.ApproximateFirstReceiveTimestamp ?? attributes.SentTimestamp));
}
