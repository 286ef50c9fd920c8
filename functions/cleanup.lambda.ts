import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import * as configured from '#configured';
import { secrets, sqs } from './aws.ts';
import { type ListAnswer, listConversations, type PageQuery, readListKey } from './cleanup/conversations.ts';
import { createSample } from './cleanup/sample.ts';
import { judgeChat, type SkipReason } from './cleanup/stale.ts';
import { WalkStopped, walkPages, windowsBetween } from './cleanup/walk.ts';
import { queueCloses } from './close-queue.ts';
import type { CloseRequest } from './close-request.ts';
import type { ListedProject } from './connections.ts';
import { at } from './crm/crm.ts';
import { ENVIRONMENT } from './environment.ts';
import { faultLine, type Line, writeLine } from './log.ts';
import { CLEANUP_COMPLETE, withRunMetrics } from './metrics.ts';
import { SecretNotReady, type SecretReader, SecretUnavailable } from './secrets.ts';

export type CleanupParts = {
  projects: Record<string, ListedProject>;
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

type Clock = Pick<Context, 'getRemainingTimeInMillis' | 'awsRequestId'>;
type Run = { requestId: string; name: string; project: ListedProject; startedAt: number };

/** What a run has found. */
type Found = {
  open: number;
  stale: number;
  skipped: Partial<Record<SkipReason, number>>;
  /** Unix milliseconds; infinite where nothing is. */
  oldestOpen: number;
  pages: number;
  ids: string[];
};

/** What a run tells; the same as its line. */
export type Summary = Record<string, unknown> & { complete: boolean };

/** The schedule names a project that this bundle does not know. */
export class UnknownProject extends Error {
  override name = 'UnknownProject';
}

/** Far more than a project ever has open; what a run remembers is bounded by it. */
const MAX_CHATS = 200_000;
/** Ten batches of ten side by side. */
const QUEUED_AT_ONCE = 100;
/** For queuing what was found and telling of it: so much anyhow, and so much for each close. */
const SETTLE_MS = 15_000;
const SETTLE_MS_PER_CLOSE = 1;
/** What one call of `queue` may take, with the SDK's second attempt. */
const QUEUE_MS = 7000;

/**
 * The net under the webhooks: lists a project's chats that are still open and queues a close for those in which
 * nothing has happened for long. It stops in time, and what it has found by then it queues.
 */
export function createCleanup(parts: CleanupParts) {
  const { projects, secrets, queue, writeLine, now } = parts;

  /** @throws {UnknownProject} and nothing else: whatever stops a run is in its line */
  return async function cleanup(event: unknown, context: Clock): Promise<Summary> {
    const name = at(event, 'project');
    const requestId = context.awsRequestId;
    if (typeof name !== 'string' || !Object.hasOwn(projects, name)) {
      const error = new UnknownProject('the schedule names no project that has a cleanup in this deployment');
      writeLine(faultLine(requestId, 'cleanup: project', error));
      throw error;
    }
    const run = { requestId, name, project: projects[name] as ListedProject, startedAt: now() };
    const found: Found = { open: 0, stale: 0, skipped: {}, oldestOpen: Infinity, pages: 0, ids: [] };
    const stopped = await search(run, found, stopAt(run, context));
    const { queued, fault } = run.project.cleanup.dryRun
      ? { queued: 0 }
      : await queueAll(run, found.ids, context);
    return tell(run, found, queued, stopped ?? fault);
  };

  /** Before the function's own end, with time to queue; and before the next run, so that no two overlap. */
  function stopAt({ project, startedAt }: Run, context: Clock): number {
    const { maxCloses, periodMs } = project.cleanup;
    const settle = SETTLE_MS + SETTLE_MS_PER_CLOSE * maxCloses;
    return startedAt + Math.min(periodMs, context.getRemainingTimeInMillis() - settle);
  }

  /** Fills in what it finds. @returns why it ended before the list did, if so */
  async function search(run: Run, found: Found, until: number): Promise<string | undefined> {
    const { project, startedAt, requestId } = run;
    const { idleForMs, lookbackMs, maxCloses } = project.cleanup;
    const sample = createSample<string>(maxCloses, parts.random);
    found.ids = sample.items;
    const seen = new Set<string>();
    const windows = windowsBetween(startedAt - lookbackMs, startedAt - idleForMs);
    try {
      const list = await openList(run);
      for await (const chats of walkPages({ ...parts, list, stopAt: until }, windows)) {
        found.pages += 1;
        for (const chat of chats) count(chat, run, found, seen, sample.add);
        if (seen.size > MAX_CHATS) throw new WalkStopped(`there are more than ${MAX_CHATS} chats`, true);
      }
      return undefined;
    } catch (error) {
      const isOwn = error instanceof WalkStopped;
      if (!isOwn || error.needsAction) writeLine(faultLine(requestId, whereOf(error), error));
      return isOwn || isOfSecret(error) ? (error as Error).message : 'something unexpected: see the fault';
    }
  }

  /** A chat may be on two pages, because windows share their ends and the list changes meanwhile: it counts once. */
  function count(
    chat: unknown,
    { project }: Run,
    found: Found,
    seen: Set<string>,
    add: (id: string) => void,
  ): void {
    const { id, isOpen, openSince = Infinity, skip } = judgeChat(chat, project, now());
    if (id && seen.has(id)) return;
    if (id) seen.add(id);
    if (isOpen) found.open += 1;
    found.oldestOpen = Math.min(openSince, found.oldestOpen);
    if (skip) found.skipped[skip] = (found.skipped[skip] ?? 0) + 1;
    else {
      found.stale += 1;
      add(id);
    }
  }

  /** The list with the project's key, which is read again when PolyAI refuses it. */
  async function openList({ project, requestId }: Run) {
    let seen = await secrets.read(project.secretId);
    const ask = (query: PageQuery, timeoutMs: number) => {
      const apiKey = keyOf(project, seen);
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

  /** Asks for what was found, as long as there is time. @returns how many SQS has confirmed, and why not all */
  async function queueAll(
    run: Run,
    ids: readonly string[],
    context: Clock,
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

  function tell(run: Run, found: Found, queued: number, reason: string | undefined): Summary {
    const { name, project, requestId, startedAt } = run;
    const { open, stale, skipped, oldestOpen, pages, ids } = found;
    const { dryRun } = project.cleanup;
    const complete = reason === undefined;
    const oldest = Number.isFinite(oldestOpen) ? oldestOpen : undefined;
    const summary: Summary = {
      request_id: requestId,
      project: name,
      dry_run: dryRun,
      complete,
      reason,
      open,
      stale,
      queued,
      would_queue: dryRun ? ids.length : undefined,
      skipped,
      oldest_open_at: oldest === undefined ? undefined : new Date(oldest).toISOString(),
      pages,
      took_ms: now() - startedAt,
    };
    const counts = {
      [CLEANUP_COMPLETE]: Number(complete),
      CleanupDryRun: Number(dryRun),
      CleanupOpen: open,
      CleanupStale: stale,
      CleanupQueued: queued,
      CleanupSkipped: Object.values(skipped).reduce((sum, each) => sum + each, 0),
      CleanupPages: pages,
    };
    writeLine(
      withRunMetrics({ type: 'cleanup', ...summary }, name, counts, ageOf(oldest, startedAt, complete)),
    );
    return summary;
  }
}

/** In seconds. Only a complete run can tell that nothing is open. */
function ageOf(oldest: number | undefined, now: number, complete: boolean): number | undefined {
  if (oldest === undefined) return complete ? 0 : undefined;
  return Math.max(0, Math.round((now - oldest) / 1000));
}

function keyOf({ secretId }: ListedProject, secret: string): string {
  try {
    return readListKey(secret);
  } catch (error) {
    if (!(error instanceof SecretNotReady)) throw error;
    throw new SecretNotReady(`secret ${secretId} is not ready: ${error.message}`);
  }
}

function isOfSecret(error: unknown): boolean {
  return error instanceof SecretUnavailable || error instanceof SecretNotReady;
}

function whereOf(error: unknown): string {
  if (isOfSecret(error)) return 'cleanup: secret';
  return error instanceof WalkStopped ? 'cleanup: list' : 'cleanup';
}

export const handler = createCleanup({
  projects: configured.listedProjects,
  secrets,
  queue: (requests) => queueCloses(sqs, process.env[ENVIRONMENT.closeQueueUrl] ?? '', requests),
  fetch,
  writeLine,
  now: Date.now,
  sleep: (ms) => sleep(ms),
  random: Math.random,
});
