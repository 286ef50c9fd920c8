import type { IgnoredReason } from '../../functions/crm/crm.ts';
import { type ReadResult, readDelivery } from '../../functions/intake/read-delivery.ts';

/** What a delivery asks for, with the reasons alone of what it does not ask for. */
export type ReadReasons = Omit<ReadResult, 'ignored'> & { ignored: IgnoredReason[] };

/** Reads a delivery as the receiver does. read-delivery.test.ts tests the ids of what is ignored. */
export function readReasons(...parameters: Parameters<typeof readDelivery>): ReadReasons {
  const read = readDelivery(...parameters);
  return { ...read, ignored: read.ignored.map(({ reason }) => reason) };
}
