import { type CloseRequest, NotACloseRequest, parseCloseRequest } from '../functions/close-request.ts';
import type { Row } from './table.ts';

/** The note of a look-up that found no conversation. */
export const LOOK_UP = 'look-up of a shared id';

/** A final `close` line of the outcome log, with what is needed to request the close again. */
export type FinalLine = Row & {
  /** PolyAI's conversation id; for a look-up, the shared id. Empty if the line has neither. */
  id: string;
  line: Record<string, unknown>;
};

/**
 * CloudWatch's filter for the final lines of every outcome. All are needed, because a newer line may overtake one
 * with the requested outcome. An emulator may ignore the filter, so `readFinalLine` checks each line again.
 */
export const FINAL_LINES = '{ ($.type = "close") && ($.final IS TRUE) }';

/**
 * Reads a line of the outcome log.
 *
 * @param loggedAt Unix milliseconds
 * @returns `undefined` for every line that is not a final `close` line, and for the canary's: there is no chat to close
 */
export function readFinalLine(message: string, loggedAt: number): FinalLine | undefined {
  const line = parse(message);
  if (line?.type !== 'close' || line.final !== true || typeof line.outcome !== 'string') return undefined;
  if (line.canary === true) return undefined;
  const isLookUp = line.conversation_id === undefined && line.shared_id !== undefined;
  const id = text(line.conversation_id) ?? text(line.shared_id) ?? '';
  return {
    id,
    outcome: line.outcome,
    project: text(line.project) ?? '-',
    reason: text(line.reason) ?? '-',
    loggedAt,
    connection: text(line.connection) ?? '-',
    ticket: text(line.crm_ref) ?? '-',
    conversation: id || '-',
    line,
    ...(isLookUp && { note: LOOK_UP }),
  };
}

/**
 * Makes a close request of a line, from the operator. It keeps the time of the first receipt.
 *
 * @param now Unix milliseconds
 * @returns `undefined` when the line lacks a field, because the worker could not read its message
 */
export function toCloseRequest(
  { line, note }: FinalLine,
  requestId: string,
  now: number,
): CloseRequest | undefined {
  const request = {
    v: 1,
    requestId,
    source: 'operator',
    project: line.project,
    connection: line.connection,
    crm: line.crm,
    conversationId: line.conversation_id,
    ...(note && { sharedId: line.shared_id, lookUpFrom: new Date(now).toISOString() }),
    crmRef: line.crm_ref,
    deliveryId: line.delivery_id,
    receivedAt: line.received_at,
  };
  try {
    return parseCloseRequest(JSON.stringify(request));
  } catch (error) {
    if (error instanceof NotACloseRequest) return undefined;
    throw error;
  }
}

function parse(message: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(message);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
