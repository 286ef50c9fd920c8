import { type CloseRequest, NotACloseRequest, parseCloseRequest } from '../functions/close-request.ts';
import type { Row } from './table.ts';

/** The note of a look-up that has found no conversation. */
export const LOOK_UP = 'look-up of a shared id';

/** A final `close` line of the outcome log, as far as it is needed to ask for the close again. */
export type FinalLine = Row & {
  /** Of PolyAI's, or the ticket's. */
  id: string;
  line: Record<string, unknown>;
};

/**
 * CloudWatch's own filter for the final lines of every outcome, because a newer one may contradict the one that
 * was asked for. An emulator may not know it, so that what it gives is filtered again.
 */
export const FINAL_LINES = '{ ($.type = "close") && ($.final IS TRUE) }';

/**
 * @param at when it was logged, Unix milliseconds
 * @returns `undefined` for every other line
 */
export function readFinalLine(message: string, at: number): FinalLine | undefined {
  const line = parse(message);
  if (line?.type !== 'close' || line.final !== true || typeof line.outcome !== 'string') return undefined;
  const isLookUp = line.conversation_id === undefined && line.shared_id !== undefined;
  const id = text(line.conversation_id) ?? text(line.shared_id) ?? '';
  return {
    id,
    outcome: line.outcome,
    project: text(line.project) ?? '-',
    reason: text(line.reason) ?? '-',
    at,
    connection: text(line.connection) ?? '-',
    ticket: text(line.crm_ref) ?? '-',
    conversation: id || '-',
    line,
    ...(isLookUp && { note: LOOK_UP }),
  };
}

/**
 * The close that a line tells of, asked for by the operator now. When it was first received stays as it was.
 *
 * @returns `undefined` where the line does not say enough: its message could not be read
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
