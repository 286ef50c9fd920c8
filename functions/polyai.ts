import type { Project } from './connections.ts';
import { isGiven, toId } from './conversation-id.ts';
import { readStoredValues } from './secret-value.ts';
import { parseSecret, SecretNotReady } from './secrets.ts';
import { SECOND_MS } from './time.ts';

/** Timeout for the whole attempt, from the first byte sent to the last byte read. */
export const ATTEMPT_TIMEOUT_MS = 10 * SECOND_MS;
const MAX_BODY_BYTES = 64 * 1024;

/** `handoffApiKey` is for looking shared ids up, if that needs its own key. */
export type ProjectKeys = { apiKey: string; token: string; handoffApiKey?: string };

/** PolyAI's answer, or why there is none. It keeps only the fields that PolyAI's documentation names. */
export type PolyAIAnswer =
  | {
      status: number;
      /** The `success` of a close. */
      success: boolean;
      /** The conversation that a look-up found. */
      conversationId?: string;
      /** Whether a look-up found no conversation. */
      isEmpty?: boolean;
      errorCode?: string;
      correlationId?: string;
      retryAfterMs?: number;
    }
  /** With `neverSent` there was no connection, so PolyAI cannot have acted. Without it, PolyAI may have acted. */
  | { failure: string; neverSent?: true };

/**
 * Reads the keys from the text of a project's secret.
 *
 * @throws {SecretNotReady} with the field and the fix, never the value
 */
export function readProjectKeys(text: string): ProjectKeys {
  const { apiKey, token, handoffApiKey } = parseSecret(text);
  return {
    apiKey: parseSecretKey('apiKey', apiKey),
    token: parseSecretKey('token', token),
    ...(handoffApiKey ? { handoffApiKey: parseSecretKey('handoffApiKey', handoffApiKey) } : {}),
  };
}

/**
 * Reads one key from a field of a project's secret.
 *
 * @throws {SecretNotReady} with the field and the fix, never the value
 */
export function parseSecretKey(field: string, value: unknown): string {
  const [stored = '', ...more] = typeof value === 'string' ? readStoredValues(field, value) : [];
  if (stored === '') throw new SecretNotReady(`"${field}" is empty or missing: fill it in`);
  if (more.length > 0) throw new SecretNotReady(`"${field}" is a list: store the one value that is valid`);
  if (!/^[\x21-\x7e]+$/.test(stored)) {
    throw new SecretNotReady(
      `"${field}" has white space or characters that an HTTP header cannot carry: store it as issued`,
    );
  }
  return stored;
}

/** What every call to PolyAI needs. */
export type PolyAICall = {
  project: Project;
  keys: ProjectKeys;
  /** Sent as PolyAI's correlation id, so that both sides can name the attempt. */
  requestId: string;
  fetch: typeof globalThis.fetch;
  /** Timeout for the whole attempt; the default is ten seconds. */
  timeoutMs?: number;
  /** Unix milliseconds; needed for a `Retry-After` that is a date. */
  now?: () => number;
};

/**
 * Asks PolyAI to close a chat, once: `PUT {baseUrl}/{version}/{accountId}/{projectId}/chat/close`. Never throws.
 *
 * @see https://docs.poly.ai/api-reference/chat/endpoint/close-a-chat
 */
export async function closeChat(call: PolyAICall, conversationId: string): Promise<PolyAIAnswer> {
  const { project, keys } = call;
  return exchange(call, `${pathOf(project, project.version)}/chat/close`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json', 'X-API-KEY': keys.apiKey, 'X-TOKEN': keys.token },
    body: JSON.stringify({ conversation_id: conversationId }),
  });
}

/**
 * Asks PolyAI once which conversation the agent has stored under a shared id:
 * `GET {baseUrl}/v1/{accountId}/{projectId}/handoff_state?shared_id=…`. Never throws.
 *
 * @see https://docs.poly.ai/api-reference/handoff/introduction
 */
export async function lookUpConversation(call: PolyAICall, sharedId: string): Promise<PolyAIAnswer> {
  const { project, keys } = call;
  const path = `${pathOf(project, 'v1')}/handoff_state?shared_id=${encodeURIComponent(sharedId)}`;
  return exchange(call, path, {
    method: 'GET',
    headers: { 'X-API-KEY': keys.handoffApiKey ?? keys.apiKey },
  });
}

/** The part of a URL's path that names the project. Each segment is encoded. */
export function pathOf({ accountId, projectId }: Project, version: string): string {
  return [version, accountId, projectId].map(encodeURIComponent).join('/');
}

/** Sends one request. Redirects are not followed, because the keys must not go to another host. Never throws. */
async function exchange(
  { project, requestId, fetch, timeoutMs = ATTEMPT_TIMEOUT_MS, now = Date.now }: PolyAICall,
  path: string,
  { headers, ...init }: RequestInit & { headers: Record<string, string> },
): Promise<PolyAIAnswer> {
  try {
    const response = await fetch(`${project.baseUrl}/${path}`, {
      ...init,
      headers: {
        ...headers,
        Accept: 'application/json',
        'X-PolyAI-Correlation-Id': correlationIdOf(requestId),
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return readAnswer(response.status, response.headers, await readJson(response), now());
  } catch (error) {
    return { failure: describeFailure(error, timeoutMs), ...(wasNeverSent(error) && { neverSent: true }) };
  }
}

/** The id of a request in characters that a header can carry. */
export function correlationIdOf(requestId: string): string {
  return requestId.replace(/[^\x21-\x7e]/g, '?');
}

/** The body as JSON; `undefined` when it is too large or not JSON. */
export async function readJson(response: Response, maxBytes: number = MAX_BODY_BYTES): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Picks the documented fields from an answer of PolyAI. Its errors have three shapes: `error_code` beside the message,
 * `error: { code }`, and only a message.
 *
 * @param json the parsed body, whatever it holds
 * @param now Unix milliseconds, for a `Retry-After` that is a date
 */
export function readAnswer(
  status: number,
  headers: Headers,
  json: unknown,
  now: number = Date.now(),
): PolyAIAnswer {
  const body = asObject(json);
  const error = asObject(body.error);
  const errorCode = pick(/^[\w.-]{1,64}$/, body.error_code, error.code);
  const correlationId = pick(
    /^[\x21-\x7e]{1,128}$/,
    headers.get('x-polyai-correlation-id'),
    body.error_id,
    error.correlation_id,
  );
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), now);
  const conversationId = typeof body.id === 'string' ? toId(body.id) : undefined;
  return {
    status,
    success: body.success === true,
    ...(conversationId && { conversationId }),
    ...(body.id !== undefined && !isGiven(body.id) && { isEmpty: true }),
    ...(errorCode && { errorCode }),
    ...(correlationId && { correlationId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function pick(shape: RegExp, ...candidates: unknown[]): string | undefined {
  return candidates.find((value): value is string => typeof value === 'string' && shape.test(value));
}

/** Parses seconds or a date to milliseconds. @see https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * SECOND_MS : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Why no answer came. It holds nothing of the request. */
export function describeFailure(error: unknown, timeoutMs: number): string {
  const { name = 'Error', cause } = (error ?? {}) as { name?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return `no answer from PolyAI within ${timeoutMs / SECOND_MS} s`;
  return `the connection to PolyAI failed: ${cause?.code ?? name}`;
}

/** The error codes of Node.js and undici for a connection that was never made. */
const NO_CONNECTION = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];

/** Whether the request cannot have arrived. A reset, a timeout or an unknown error may come after it has arrived. */
function wasNeverSent(error: unknown): boolean {
  const { cause } = (error ?? {}) as { cause?: { code?: string } };
  return cause?.code !== undefined && NO_CONNECTION.includes(cause.code);
}
