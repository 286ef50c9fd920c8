import { createHash } from 'node:crypto';
import type { Connection } from '../connections.ts';
import { isGiven } from '../conversation-id.ts';
import type { Crm } from '../crm/crm.ts';
import type { Content } from '../delivery.ts';
import type { Identity } from '../schemes/scheme.ts';
import type { Finding } from './read-delivery.ts';

/** A signed time may lie 5 minutes ahead and 5 minutes back, so a delivery can be repeated for 10. */
const REMEMBERED_MS = 600_000;
/** About 2 MB. */
const MAX_REMEMBERED = 10_000;

/** The delivery whose closes are on the queue, and whether that is an earlier one. */
export type Queued = { requestId: string; repeated: boolean };

export type ReplayMemory = {
  /**
   * Queues what a delivery asks for, unless the same delivery was queued in the last ten minutes or is being
   * queued now. A failure is not remembered; those that wait for the same call share it.
   *
   * @param key of `deliveryKey`
   * @param queue resolves once SQS has confirmed everything
   * @throws what `queue` throws
   */
  once(key: string, requestId: string, queue: () => Promise<void>): Promise<Queued>;
};

/**
 * The verified deliveries that this container has queued, so that one that was captured cannot fill the queue.
 * It holds at most 10,000; the oldest goes first.
 *
 * @param now Unix milliseconds
 */
export function createReplayMemory(now: () => number): ReplayMemory {
  const queued = new Map<string, { requestId: string; until: number }>();
  const underWay = new Map<string, Promise<string>>();

  async function first(key: string, requestId: string, queue: () => Promise<void>): Promise<string> {
    await queue();
    queued.delete(key);
    queued.set(key, { requestId, until: now() + REMEMBERED_MS });
    const [oldest] = queued.keys();
    if (queued.size > MAX_REMEMBERED && oldest !== undefined) queued.delete(oldest);
    return requestId;
  }

  return {
    async once(key, requestId, queue) {
      const known = queued.get(key);
      if (known && now() < known.until) return { requestId: known.requestId, repeated: true };
      const other = underWay.get(key);
      if (other) return { requestId: await other, repeated: true };
      const own = first(key, requestId, queue).finally(() => underWay.delete(key));
      underWay.set(key, own);
      return { requestId: await own, repeated: false };
    },
  };
}

/**
 * What two deliveries must share to be one: the connection, what the proof covers, and the ids that were read,
 * because some proofs leave out where those are. A header that is not signed does not count: whoever repeats a
 * delivery could change it.
 */
export function deliveryKey(connection: string, identity: Identity, findings: readonly Finding[]): string {
  const ids = findings.map(({ conversationId, sharedId }) => [conversationId, sharedId]);
  return createHash('sha256')
    .update(`${JSON.stringify([connection, identity.moment, ids])}\n`)
    .update(identity.content)
    .digest('base64');
}

/**
 * Whether two finishes of one ticket can never be the same delivery. A conversation ends once. A ticket that is
 * looked up may be finished twice within minutes, with another chat: only a signed time or id, or one of each
 * event in the body, tells the two apart.
 */
export function isTellingApart(crm: Crm, connection: Connection, content: Content): boolean {
  if (!connection.lookUp) return true;
  const readings = crm.read({ body: content.body, headers: {}, query: {} }, connection);
  return readings.every(({ deliveryId, happenedAt, finishedAt }) =>
    [deliveryId, happenedAt, finishedAt].some(isGiven),
  );
}
