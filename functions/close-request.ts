import { isId } from './conversation-id.ts';
import { ChatCloserError } from './error.ts';

/** The message on the close queue and its dead-letter queue. Absent fields are left out and never null. */
export type CloseRequest = {
  v: 1;
  /** Id of the delivery, event or run that asked for the close; also PolyAI's correlation id. */
  requestId: string;
  source: 'webhook' | 'event' | 'cleanup' | 'operator';
  project: string;
  connection?: string;
  crm?: string;
  /** A request has exactly one of `conversationId` and `sharedId`. */
  conversationId?: string;
  sharedId?: string;
  /** Id of the CRM's ticket or case. */
  crmRef?: string;
  /** The CRM's own delivery or event id. */
  deliveryId?: string;
  /** ISO 8601, UTC. */
  receivedAt: string;
  /** ISO 8601, UTC. Only from cleanup: the close is dropped without a dead letter after this time. */
  expiresAt?: string;
  /** ISO 8601, UTC. Only from an operator: the time limits of a look-up count from here instead of `receivedAt`. */
  lookUpFrom?: string;
  /** ISO 8601, UTC. Only in a close that was sent back: when it was first taken off the queue. */
  triedSince?: string;
  /** ISO 8601, UTC. Only in a close that was sent back: it is not attempted before this time. */
  notBefore?: string;
  /** Only from the canary: the close is attempted once and never dead-lettered. Its lines have this mark, too. */
  canary?: true;
};

const SOURCES = ['webhook', 'event', 'cleanup', 'operator'];
const REQUIRED = ['requestId', 'source', 'project', 'receivedAt'] as const;
const OPTIONAL = [
  'connection',
  'crm',
  'conversationId',
  'sharedId',
  'crmRef',
  'deliveryId',
  'expiresAt',
  'lookUpFrom',
  'triedSince',
  'notBefore',
] as const;
const TIMES = ['receivedAt', 'expiresAt', 'lookUpFrom', 'triedSince', 'notBefore'] as const;

/** A message is not a close request. */
export class NotACloseRequest extends ChatCloserError {
  override name = 'NotACloseRequest';
}

/** A message has a newer version than this bundle knows; most likely a deployment is in progress. */
export class UnknownVersion extends ChatCloserError {
  override name = 'UnknownVersion';
}

/**
 * Parses the body of a queue message. Unknown fields are dropped.
 *
 * @throws {NotACloseRequest} with the name of the first wrong field, never its value
 * @throws {UnknownVersion} when `v` is a whole number above 1
 */
export function parseCloseRequest(text: string): CloseRequest {
  const message = parseObject(text);
  if (Number.isSafeInteger(message.v) && (message.v as number) > 1) {
    throw new UnknownVersion(`message version ${message.v} is newer than this function`);
  }
  if (message.v !== 1) throw new NotACloseRequest('v is not 1');
  for (const field of REQUIRED) {
    if (!isId(message[field])) throw new NotACloseRequest(`${field} is missing or not an id`);
  }
  for (const field of OPTIONAL) {
    if (message[field] !== undefined && !isId(message[field])) {
      throw new NotACloseRequest(`${field} is not an id`);
    }
  }
  if (!SOURCES.includes(message.source as string)) throw new NotACloseRequest('source is unknown');
  if ((message.conversationId === undefined) === (message.sharedId === undefined)) {
    throw new NotACloseRequest('not exactly one of conversationId and sharedId');
  }
  for (const field of TIMES) {
    if (message[field] !== undefined && Number.isNaN(Date.parse(message[field] as string))) {
      throw new NotACloseRequest(`${field} is not a time`);
    }
  }
  if (message.canary !== undefined && message.canary !== true) {
    throw new NotACloseRequest('canary is not true');
  }
  const known = ['v', ...REQUIRED, ...OPTIONAL, 'canary'];
  return Object.fromEntries(Object.entries(message).filter(([key]) => known.includes(key))) as CloseRequest;
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new NotACloseRequest('the message is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new NotACloseRequest('the message is not a JSON object');
  }
  return value as Record<string, unknown>;
}
