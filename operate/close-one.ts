import { randomUUID } from 'node:crypto';
import { queueCloses } from '../functions/close-queue.ts';
import { toConversationId } from '../functions/conversation-id.ts';
import type { Aws } from './aws.ts';
import type { Deployment } from './deployment.ts';
import { OperatorError } from './error.ts';
import { followCloses } from './follow.ts';
import type { LoggedLine } from './lines.ts';
import { requireName } from './project.ts';
import type { Surroundings } from './surroundings.ts';

const FOLLOW_MS = 60_000;

export type Closed = {
  requestId: string;
  conversationId: string;
  /** The newest line of the close; absent if none came in time. */
  line?: LoggedLine;
};

type Parts = Pick<Aws, 'logs' | 'sqs'> & Pick<Surroundings, 'now' | 'progress' | 'signal' | 'sleep'>;

/**
 * Queues a close as an operator, and follows it for a minute. It takes the way of every close, so it is retried and
 * logged like one.
 *
 * @param id the conversation's id, or its address in Agent Studio
 * @throws {OperatorError} when the project is unknown, or the id cannot be one
 */
export async function closeOne(
  project: string,
  id: string,
  deployment: Deployment,
  parts: Parts,
): Promise<Closed> {
  const conversationId = checkClose(project, id, deployment);
  const requestId = randomUUID();
  const from = parts.now();
  const receivedAt = new Date(from).toISOString();
  const request = { v: 1, requestId, source: 'operator', project, conversationId, receivedAt } as const;
  await queueCloses(parts.sqs, deployment.outputs.CloseQueueUrl, [request]);
  const groups = [deployment.logGroups.close];
  const [line] = await followCloses(requestId, 1, { groups, from, timeoutMs: FOLLOW_MS }, parts);
  return { requestId, conversationId, ...(line && { line }) };
}

/**
 * @returns the conversation's id
 * @throws {OperatorError} used wrongly: the project is unknown, or the id cannot be one
 */
export function checkClose(project: string, id: string, deployment: Deployment): string {
  requireName('projects', project, deployment);
  const conversationId = toConversationId(id);
  if (conversationId !== undefined) return conversationId;
  throw new OperatorError(
    `${JSON.stringify(id)} is not a conversation id: write an id such as CONV-1234567890, or the address of the conversation in Agent Studio.`,
    2,
  );
}
