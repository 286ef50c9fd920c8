import type { Connection } from '../connections.ts';
import type { Line } from '../log.ts';
import type { RefusalCode } from '../refusal.ts';
import type { ReadResult } from './read-delivery.ts';

type DeliveryResult = {
  requestId: string;
  name: string;
  connection: Connection | undefined;
  /** Absent if the delivery was refused before it was read. */
  read: ReadResult | undefined;
  /** The HTTP status; absent for an event of a bus. */
  answer?: number | undefined;
  refused: RefusalCode | undefined;
  /** Whether it repeats an earlier delivery, whose closes are already queued. */
  repeated?: boolean | undefined;
  tookMs: number;
};

/** The log line of one delivery or event. docs/operations.md describes its fields. */
export function deliveryLine({
  requestId,
  name,
  connection,
  read,
  answer,
  refused,
  repeated,
  tookMs,
}: DeliveryResult): Line {
  return {
    type: 'delivery',
    request_id: requestId,
    connection: connection && name,
    crm: connection?.crm,
    delivery_id: read?.deliveryId,
    answer,
    accepted: refused ? undefined : repeated ? 0 : read?.closes.length,
    ignored: read?.ignored,
    refused,
    repeated,
    conversation_ids: read?.closes.flatMap(({ conversationId }) => conversationId ?? []),
    shared_ids: connection?.lookUp && read?.closes.flatMap(({ sharedId }) => sharedId ?? []),
    crm_ref: read?.crmRef,
    took_ms: tookMs,
    canary: connection?.canary,
  };
}
