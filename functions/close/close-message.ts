import type { SQSRecord } from 'aws-lambda';
import { type CloseRequest, parseCloseRequest, UnknownVersion } from '../close-request.ts';
import type { Project } from '../connections.ts';
import type { Judgement } from './outcome.ts';

/** A message whose close can be attempted. */
export type Opened = { record: SQSRecord; request: CloseRequest; project: Project };
/** A message that must not be attempted, and why. */
export type Unopened = {
  record: SQSRecord;
  request?: CloseRequest;
  project?: undefined;
  judgement: Judgement;
};
export type CloseMessage = Opened | Unopened;
/** A message, and its request if it could be read. */
export type Held = { record: SQSRecord; request?: CloseRequest | undefined };

/** Parses a record and finds its project. The result has a judgement if it must not be attempted. */
export function openMessage(record: SQSRecord, projects: Record<string, Project>): CloseMessage {
  let request: CloseRequest;
  try {
    request = parseCloseRequest(record.body);
  } catch (error) {
    const outcome = error instanceof UnknownVersion ? 'unknown_target' : 'rejected';
    return { record, judgement: { outcome, reason: (error as Error).message } };
  }
  const project = Object.hasOwn(projects, request.project) ? projects[request.project] : undefined;
  if (project) return { record, request, project };
  const reason = 'the project is not in this deployment';
  return { record, request, judgement: { outcome: 'unknown_target', reason } };
}

/**
 * Milliseconds since a close was first taken off its queue. The time before that does not count: a queue that nobody
 * reads is no reason to give a close up. A close that was sent back carries this time, because SQS counts the new
 * message from its own first receipt.
 */
export function triedForMs(message: Held, now: number): number {
  return Math.max(0, now - firstReceivedAt(message));
}

/** Unix milliseconds at which a close was first taken off its queue. */
export function firstReceivedAt({ record, request }: Held): number {
  if (request?.triedSince !== undefined) return Date.parse(request.triedSince);
  const { ApproximateFirstReceiveTimestamp, SentTimestamp } = record.attributes;
  return Number(ApproximateFirstReceiveTimestamp ?? SentTimestamp);
}
