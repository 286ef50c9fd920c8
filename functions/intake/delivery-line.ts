import type { Connection } from '../connections.ts';
import type { DeliveryLine, IgnoredPart, DeliveryResult as Result } from '../line.ts';
import type { RefusalCode } from '../refusal.ts';
import type { Ignored, ReadResult } from './read-delivery.ts';

type DeliveryResult = {
  requestId: string;
  name: string;
  connection: Connection | undefined;
  /** Absent if the delivery was refused before it was read, or is a handshake. */
  read: ReadResult | undefined;
  /** The answer to a webhook; absent for an event of a bus. */
  answer?: { status: number | undefined; ms: number };
  refused: RefusalCode | undefined;
  /** Whether it repeats an earlier delivery, whose closes are already queued. */
  repeated?: boolean | undefined;
  tookMs: number;
};

/** The log line of one delivery or event, with the fields of functions/line.ts. */
export function deliveryLine({
  requestId,
  name,
  connection,
  read,
  answer,
  refused,
  repeated,
  tookMs,
}: DeliveryResult): DeliveryLine {
  const isRehearsed = connection?.rehearse === true;
  return {
    type: 'delivery',
    request_id: requestId,
    connection: connection && name,
    crm: connection?.crm,
    delivery_id: read?.deliveryId,
    result: resultOf(read, refused),
    answer: answer?.status,
    answer_ms: answer?.ms,
    accepted: refused ? undefined : repeated || isRehearsed ? read && 0 : read?.closes.length,
    would_close: isRehearsed && !refused ? read?.closes.length : undefined,
    repeated,
    ignored: read?.ignored.map(ignoredPart),
    refused,
    conversation_ids: read?.closes.flatMap(({ conversationId }) => conversationId ?? []),
    shared_ids: connection?.lookUp && read?.closes.flatMap(({ sharedId }) => sharedId ?? []),
    crm_ref: read?.crmRef,
    took_ms: tookMs,
  };
}

function resultOf(read: ReadResult | undefined, refused: RefusalCode | undefined): Result | undefined {
  if (refused) return 'refused';
  return read && (read.closes.length > 0 ? 'accepted' : 'ignored');
}

function ignoredPart({ reason, conversationId, sharedId, crmRef }: Ignored): IgnoredPart {
  return {
    reason,
    ...(conversationId && { conversation_id: conversationId }),
    ...(sharedId && { shared_id: sharedId }),
    ...(crmRef && { crm_ref: crmRef }),
  };
}
