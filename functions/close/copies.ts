import type { CloseRequest } from '../close-request.ts';
import { SECOND_MS } from '../time.ts';

/** How many waiting closes a container remembers: a few megabytes. */
const REMEMBERED = 10_000;
/** The clocks of two containers may differ by this much. */
const CLOCKS_DIFFER_MS = 10 * SECOND_MS;

export type Copies = {
  /** Takes a close that SQS has confirmed back on its queue, due at a time in Unix milliseconds. */
  sentBack(request: CloseRequest, dueAt: number): void;
  /** Whether a message may be dropped, because a later copy of its close waits on the queue. */
  isSuperseded(request: CloseRequest): boolean;
};

/**
 * Recognises copies of a close that was sent back. A send that SQS took without an answer, or a crash between the send
 * and the delete, leaves two messages of one close. Without this, each would be sent back, and an hour in which SQS
 * answers half of its calls would multiply every waiting close.
 *
 * It never drops the last copy. A message is dropped only if another one of the same close has a later time that is
 * still to come, and a message is not finished before its time. So the copy with the latest time always stays, also if
 * each of two containers knows only the other's copy.
 *
 * @param now Unix milliseconds
 */
export function createCopies(now: () => number): Copies {
  const dueAts = new Map<string, number>();

  return {
    sentBack(request, dueAt) {
      const key = keyOf(request);
      const latest = Math.max(dueAt, dueAts.get(key) ?? 0);
      dueAts.delete(key);
      dueAts.set(key, latest);
      const oldest = dueAts.keys().next();
      if (dueAts.size > REMEMBERED && !oldest.done) dueAts.delete(oldest.value);
    },
    isSuperseded(request) {
      // A close that was never sent back is new, perhaps by an operator's redrive.
      if (request.notBefore === undefined) return false;
      const dueAt = dueAts.get(keyOf(request));
      const isLater = dueAt !== undefined && dueAt > Date.parse(request.notBefore);
      return isLater && now() < dueAt - CLOCKS_DIFFER_MS;
    },
  };
}

function keyOf({ requestId, conversationId, sharedId }: CloseRequest): string {
  return JSON.stringify([requestId, conversationId, sharedId]);
}
