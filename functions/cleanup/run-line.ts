import type { CleanupLine } from '../line.ts';
import { SECOND_MS } from '../time.ts';
import type { Counts } from './tally.ts';

/** The result of a run, with the same fields as its log line. */
export type Summary = Omit<CleanupLine, 'type'>;

export type RunResult = {
  requestId: string;
  /** The project's name. */
  name: string;
  dryRun: boolean;
  counts: Counts;
  /** Closes that SQS has confirmed. */
  queued: number;
  /** Why the run is not complete. */
  reason: string | undefined;
  /** Unix milliseconds. */
  startedAt: number;
  endedAt: number;
};

/** The result of a run in the fields of functions/line.ts. */
export function summarize(result: RunResult): Summary {
  const { requestId, name, dryRun, counts, queued, reason, startedAt, endedAt } = result;
  const { open, stale, skipped, oldestOpen, pages, ids } = counts;
  return {
    request_id: requestId,
    project: name,
    dry_run: dryRun,
    complete: reason === undefined,
    reason,
    open,
    stale,
    queued,
    would_queue: dryRun ? ids.length : undefined,
    skipped,
    oldest_open_at: Number.isFinite(oldestOpen) ? new Date(oldestOpen).toISOString() : undefined,
    oldest_open_s: oldestAgeSeconds(result),
    pages,
    took_ms: endedAt - startedAt,
  };
}

/** Only a complete run can know that no chat is open; the age is then 0. */
function oldestAgeSeconds({ counts, reason, startedAt }: RunResult): number | undefined {
  if (!Number.isFinite(counts.oldestOpen)) return reason === undefined ? 0 : undefined;
  return Math.max(0, Math.round((startedAt - counts.oldestOpen) / SECOND_MS));
}
