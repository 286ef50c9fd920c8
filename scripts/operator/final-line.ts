import { type CloseRequest, NotACloseRequest, parseCloseRequest } from '../../functions/close-request.ts';
import type { Options } from './options.ts';
import type { Row } from './table.ts';

/** A final `close` line of the outcome log, as far as it is needed to ask for the close again. */
export type FinalLine = Row & {
  /** Of PolyAI's, or the ticket's. */
  id: string;
  line: Record<string, unknown>;
};

type Filter = Pick<Options, 'outcomes' | 'projects'>;

/** CloudWatch's own filter; an emulator may not know it, so that what it gives is filtered again. */
export function filterPattern(outcomes: readonly string[]): string {
  const either = outcomes.map((outcome) => `($.outcome = "${outcome}")`).join(' || ');
  return `{ ($.type = "close") && ($.final IS TRUE) && (${either}) }`;
}

/**
 * @param at when it was logged, Unix milliseconds
 * @returns `undefined` for everything that was not asked for
 */
export function readFinalLine(
  message: string,
  at: number,
  { outcomes, projects }: Filter,
): FinalLine | undefined {
  const line = parse(message);
  if (line?.type !== 'close' || line.final !== true || !outcomes.includes(String(line.outcome)))
    return undefined;
  const project = text(line.project) ?? '-';
  if (projects.length > 0 && !projects.includes(project)) return undefined;
  const isLookUp = line.conversation_id === undefined && line.shared_id !== undefined;
  return {
    id: text(line.conversation_id) ?? text(line.shared_id) ?? '',
    outcome: String(line.outcome),
    project,
    reason: text(line.reason) ?? '-',
    at,
    line,
    ...(isLookUp && { note: 'look-up of a shared id' }),
  };
}

/** Each conversation once, by the newest of its lines; of what has no id, every line. */
export function newestOfEach(lines: readonly FinalLine[]): FinalLine[] {
  const newest = new Map<unknown, FinalLine>();
  for (const each of lines) {
    const key = each.id ? JSON.stringify([each.project, each.note, each.id]) : each;
    const known = newest.get(key);
    if (!known || known.at <= each.at) newest.set(key, each);
  }
  return [...newest.values()];
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
