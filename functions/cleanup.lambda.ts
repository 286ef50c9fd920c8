import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import * as configured from '#configured';
import { secrets, sqs } from './aws.ts';
import { type ListAnswer, listConversations, type PageQuery, readListKey } from './cleanup/conversations.ts';
import { type Summary, summarize } from './cleanup/run-line.ts';
import { type Counts, createTally } from './cleanup/tally.ts';
import { WalkStopped, walkPages, windowsBetween } from './cleanup/walk.ts';
import { queueCloses } from './close-queue.ts';
import type { CloseRequest } from './close-request.ts';
import type { CleanupProject } from './connections.ts';
import { ENVIRONMENT } from './environment.ts';
import { ChatCloserError } from './error.ts';
import type { Where } from './fault-places.ts';
import { valueAt } from './json.ts';
import { faultLine, type Line, writeLine } from './log.ts';
import { SecretNotReady, type SecretReader, SecretUnavailable } from './secrets.ts';
import { SECOND_MS } from './time.ts';

export type CleanupParts = {
  projects: Record<string, CleanupProject>;
  secrets: SecretReader;
  /** Resolves once every close is queued. */
  queue: (requests: CloseRequest[]) => Promise<void>;
  fetch: typeof globalThis.fetch;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  /** 0 to 1. */
  random: () => number;
};

type RunContext = Pick<Context, 'getRemainingTimeInMillis' | 'awsRequestId'>;
type Run = { requestId: string; name: string; project: CleanupProject; startedAt: number };

/** The schedule names a project that has no cleanup in this deployment. */
export class UnknownProject extends ChatCloserError {
  override name = 'UnknownProject';
}

/** No project has this many open chats; the limit bounds the memory of a run. */
const MAX_CHATS = 200_000;
/** One call of `queue` sends this many closes: ten batches of ten, side by side. */
const QUEUED_AT_ONCE = 100;
/** Time to queue the closes and to write the line: a fixed part, and a part for each close. */
const SETTLE_MS = 15 * SECOND_MS;
const SETTLE_MS_PER_CLOSE = 1;
/** Time that one call of `queue` may take, including the SDK's second attempt. */
const QUEUE_MS = 7 * SECOND_MS;

/**
 * The safety net behind the webhooks: lists a project's open chats and queues a close for those that have been
 * idle for long. It stops before its time is up, and queues what it has found by then.
 */
export function createCleanup(parts: CleanupParts) {
  const { projects, secrets, queue, writeLine, now } = parts;

  /** @throws {UnknownProject} and nothing else; a run's log line says why it stopped */
  return async function cleanup(event: unknown, context: RunContext): Promise<Summary> {
    const run = startRun(event, context);
    const { requestId, name, startedAt } = run;
    const { dryRun } = run.project.cleanup;
    const { counts, stopped } = await search(run, stopAt(run, context));
    const { queued, fault } = dryRun ? { queued: 0 } : await queueAll(run, counts.ids, context);
    const reason = stopped ?? fault;
    const result = { requestId, name, dryRun, counts, queued, reason, startedAt, endedAt: now() };
    const summary = summarize(result);
    writeLine({ type: 'cleanup', ...summary });
    return summary;
  };

  function startRun(event: unknown, { awsRequestId: requestId }: RunContext): Run {
    const name = valueAt(event, 'project');
    const project = typeof name === 'string' && Object.hasOwn(projects, name) ? projects[name] : undefined;
    if (typeof name === 'string' && project) return { requestId, name, project, startedAt: now() };
    const error = new UnknownProject('the schedule names no project that has a cleanup in this deployment');
    writeLine(faultLine(requestId, 'cleanup: project', error));
    throw error;
  }

  /** Unix milliseconds; early enough to queue the closes, and before the next run starts, so that two never overlap. */
  function stopAt({ project, startedAt }: Run, context: RunContext): number {
    const { maxCloses, periodMs } = project.cleanup;
    const settle = SETTLE_MS + SETTLE_MS_PER_CLOSE * maxCloses;
    return startedAt + Math.min(periodMs, context.getRemainingTimeInMillis() - settle);
  }

  /** Returns what it found, and why it stopped before the end of the list, if it did. Never throws. */
  async function search(run: Run, until: number): Promise<{ counts: Counts; stopped?: string }> {
    const { project, startedAt, requestId } = run;
    const { idleForMs, lookbackMs } = project.cleanup;
    const tally = createTally(project, now, parts.random);
    const windows = windowsBetween(startedAt - lookbackMs, startedAt - idleForMs);
    try {
      const list = await openList(run);
      for await (const chats of walkPages({ ...parts, list, stopAt: until }, windows)) {
        tally.addPage(chats);
        if (tally.counts().seen > MAX_CHATS) {
          throw new WalkStopped(`there are more than ${MAX_CHATS} chats`, true);
        }
      }
      return { counts: tally.counts() };
    } catch (error) {
      const isOwn = error instanceof WalkStopped;
      if (!isOwn || error.needsAction) writeLine(faultLine(requestId, whereOf(error), error));
      const stopped = isOwn || isOfSecret(error) ? error.message : 'something unexpected: see the fault';
      return { counts: tally.counts(), stopped };
    }
  }

  /** The list of a project's chats. Its key is read again if PolyAI refuses it. */
  async function openList({ project, requestId }: Run) {
    let seen = await secrets.read(project.secretId);
    const ask = (query: PageQuery, timeoutMs: number) => {
      const apiKey = listKeyOf(project, seen);
      return listConversations({ project, apiKey, requestId, fetch: parts.fetch, timeoutMs }, query);
    };
    return async (query: PageQuery, timeoutMs: number): Promise<ListAnswer> => {
      const answer = await ask(query, timeoutMs);
      if ('conversations' in answer || answer.kind !== 'unauthorized') return answer;
      const changed = await secrets.readAgain(project.secretId, seen);
      if (changed === seen) return answer;
      seen = changed;
      return ask(query, timeoutMs);
    };
  }

  /** Queues closes as long as there is time. Returns how many SQS has confirmed, and why not all. */
  async function queueAll(
    run: Run,
    ids: readonly string[],
    context: RunContext,
  ): Promise<{ queued: number; fault?: string }> {
    let queued = 0;
    try {
      while (queued < ids.length) {
        if (context.getRemainingTimeInMillis() < QUEUE_MS) return { queued, fault: 'the time was up' };
        const some = ids.slice(queued, queued + QUEUED_AT_ONCE);
        await queue(some.map((conversationId) => closeRequest(run, conversationId)));
        queued += some.length;
      }
      return { queued };
    } catch (error) {
      writeLine(faultLine(run.requestId, 'cleanup: queue', error));
      return { queued, fault: 'SQS did not confirm every close' };
    }
  }

  function closeRequest({ requestId, name, project }: Run, conversationId: string): CloseRequest {
    const receivedAt = new Date(now()).toISOString();
    const expiresAt = new Date(now() + project.cleanup.periodMs).toISOString();
    return { v: 1, requestId, source: 'cleanup', project: name, conversationId, receivedAt, expiresAt };
  }
}

function listKeyOf({ secretId }: CleanupProject, secret: string): string {
  try {
    return readListKey(secret);
  } catch (error) {
    if (!(error instanceof SecretNotReady)) throw error;
    throw new SecretNotReady(`secret ${secretId} is not ready: ${error.message}`, { cause: error });
  }
}

function isOfSecret(error: unknown): error is SecretUnavailable | SecretNotReady {
  return error instanceof SecretUnavailable || error instanceof SecretNotReady;
}

function whereOf(error: unknown): Where {
  if (isOfSecret(error)) return 'cleanup: secret';
  return error instanceof WalkStopped ? 'cleanup: list' : 'cleanup';
}

export const handler = createCleanup({
  projects: configured.listedProjects,
  secrets,
  queue: (requests) =>
    queueCloses(sqs, process.env[ENVIRONMENT.closeQueueUrl] ?? '', requests, configured.isShared),
  fetch,
  writeLine,
  now: Date.now,
  sleep: (ms) => sleep(ms),
  random: Math.random,
});
