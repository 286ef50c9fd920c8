import { isId } from './conversation-id.ts';

/** The one message on the close queue and its dead-letter queue. Absent fields are left out, never null. */
export type CloseRequest = {
  v: 1;
  /** Of the delivery, event or run that asked; also PolyAI's correlation id. */
  requestId: string;
  source: 'webhook' | 'event' | 'cleanup' | 'operator';
  project: string;
  connection?: string;
  crm?: string;
  /** Exactly one of `conversationId` and `sharedId`. */
  conversationId?: string;
  sharedId?: string;
  /** The CRM's ticket or case. */
  crmRef?: string;
  /** The CRM's own delivery or event id. */
  deliveryId?: string;
  /** ISO 8601, UTC. */
  receivedAt: string;
  /** ISO 8601, UTC. Cleanup's: give up quietly after this. */
  expiresAt?: string;
  /** ISO 8601, UTC. An operator's: the shared id may be resolved as if it had been received only then. */
  lookUpFrom?: string;
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
] as const;

export class NotACloseRequest extends Error {
  override name = 'NotACloseRequest';
}

/** A message of a version that this bundle does not know: a deployment under way, most likely. */
export class UnknownVersion extends Error {
  override name = 'UnknownVersion';
}

/**
 * Reads a queue message. Fields that it does not know are dropped.
 *
 * @throws {NotACloseRequest} naming the first field at fault, never its value
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
    if (message[field] !== undefined && !isId(message[field]))
      throw new NotACloseRequest(`${field} is not an id`);
  }
  if (!SOURCES.includes(message.source as string)) throw new NotACloseRequest('source is unknown');
  if ((message.conversationId === undefined) === (message.sharedId === undefined)) {
    throw new NotACloseRequest('not exactly one of conversationId and sharedId');
  }
  for (const field of ['receivedAt', 'expiresAt', 'lookUpFrom'] as const) {
    if (message[field] !== undefined && Number.isNaN(Date.parse(message[field] as string))) {
      throw new NotACloseRequest(`${field} is not a time`);
    }
  }
  const known = ['v', ...REQUIRED, ...OPTIONAL];
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
