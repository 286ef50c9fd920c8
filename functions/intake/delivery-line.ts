import type { Connection } from '../connections.ts';
import type { Line } from '../log.ts';
import type { RefusalCode } from '../refusal.ts';
import type { Demand } from './read-delivery.ts';

type Delivered = {
  requestId: string;
  name: string;
  connection: Connection | undefined;
  /** What could be read of it. */
  demand: Demand | undefined;
  /** The HTTP status; a bus is not answered. */
  answer?: number;
  refused: RefusalCode | undefined;
  /** Whether its closes were queued for an earlier delivery, which it repeats. */
  repeated?: boolean | undefined;
  /** Milliseconds. */
  took: number;
};

/** The line of one delivery or event; its fields are fixed in docs/operations.md. */
export function deliveryLine({
  requestId,
  name,
  connection,
  demand,
  answer,
  refused,
  repeated,
  took,
}: Delivered): Line {
  return {
    type: 'delivery',
    request_id: requestId,
    connection: connection && name,
    crm: connection?.crm,
    delivery_id: demand?.deliveryId,
    answer,
    accepted: refused ? undefined : repeated ? 0 : demand?.findings.length,
    ignored: demand?.ignored,
    refused,
    repeated,
    conversation_ids: demand?.findings.flatMap(({ conversationId }) => conversationId ?? []),
    shared_ids: connection?.lookUp && demand?.findings.flatMap(({ sharedId }) => sharedId ?? []),
    crm_ref: demand?.crmRef,
    took_ms: took,
  };
}
