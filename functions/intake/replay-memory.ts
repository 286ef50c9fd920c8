import { createHash } from 'node:crypto';
import type { Connection } from '../connections.ts';
import { isGiven } from '../conversation-id.ts';
import type { Crm } from '../crm/crm.ts';
import type { Content } from '../delivery.ts';
import type { Identity } from '../schemes/scheme.ts';
import { MINUTE_MS } from '../time.ts';
import type { RequestedClose } from './read-delivery.ts';

/** A signed time may be 5 minutes ahead or 5 minutes ago, so a delivery can be repeated for 10 minutes. */
const REMEMBERED_MS = 10 * MINUTE_MS;
/** Takes about 2 MB of memory. */
const MAX_REMEMBERED = 10_000;

/** The delivery whose closes are on the queue, and whether it is an earlier one than the delivery at hand. */
export type Queued = { requestId: string; repeated: boolean };

export type ReplayMemory = {
  /**
   * Queues the closes of a delivery, unless the same delivery was queued in the last ten minutes or is being
   * queued now. A failure is not remembered, but deliveries that wait for the same call share it.
   *
   * @param key the result of `deliveryKey`
   * @param queue resolves once SQS has confirmed everything
   * @throws what `queue` throws
   */
  once(key: string, requestId: string, queue: () => Promise<void>): Promise<Queued>;
};

/**
 * Remembers the verified deliveries that this container has queued, so that nobody can fill the queue by
 * repeating a captured one. It holds at most 10,000 and forgets the oldest first.
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
 * Two deliveries with the same key are the same delivery. The key covers the connection, what the signature
 * covers, and the ids that were read, because some signatures leave out the place of the ids. A header that is not
 * signed does not count: somebody who repeats a delivery could change it.
 */
export function deliveryKey(
  connection: string,
  identity: Identity,
  closes: readonly RequestedClose[],
): string {
  const ids = closes.map(({ conversationId, sharedId }) => [conversationId, sharedId]);
  return createHash('sha256')
    .update(`${JSON.stringify([connection, identity.moment, ids])}\n`)
    .update(identity.content)
    .digest('base64');
}

/**
 * Whether the body tells two finishes of one ticket apart, so that a delivery with the same key is a repeat. A
 * conversation ends only once. A ticket that is looked up may be finished twice within minutes, with another chat
 * each time: then every event in the body needs its own id or time.
 */
export function distinguishesFinishes(crm: Crm, connection: Connection, content: Content): boolean {
  if (!connection.lookUp) return true;
  const readings = crm.read({ body: content.body, headers: {}, query: {} }, connection);
  return readings.every(({ deliveryId, happenedAt, finishedAt }) =>
    [deliveryId, happenedAt, finishedAt].some(isGiven),
  );
}
