import type { Project } from './connections.ts';
import { isGiven, toId } from './conversation-id.ts';
import { readStoredValues } from './secret-value.ts';
import { parseSecret, SecretNotReady } from './secrets.ts';

/** Of one attempt, from the first byte sent to the last one read. */
export const ATTEMPT_TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 64 * 1024;

/** `handoffApiKey` looks shared ids up where that needs a key of its own. */
export type ProjectKeys = { apiKey: string; token: string; handoffApiKey?: string };

/** What came back, or that nothing did. Of a body only what the contracts name is kept. */
export type PolyAIAnswer =
  | {
      status: number;
      /** Of a close. */
      success: boolean;
      /** Of a look-up: the conversation, or that there is none. */
      conversationId?: string;
      isEmpty?: boolean;
      errorCode?: string;
      correlationId?: string;
      retryAfterMs?: number;
    }
  /** `neverSent`: there was no connection, so PolyAI cannot have acted. Without it, PolyAI may have. */
  | { failure: string; neverSent?: true };

/**
 * The keys in a project's secret.
 *
 * @throws {SecretNotReady} naming the field and the mend, never the value
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
 * One key of a project's secret.
 *
 * @throws {SecretNotReady} naming the field and the mend, never the value
 */
export function parseSecretKey(field: string, value: unknown): string {
  const [stored = '', ...more] = typeof value === 'string' ? readStoredValues(field, value) : [];
  if (stored === '') throw new SecretNotReady(`"${field}" is empty or missing: fill it in`);
  if (more.length > 0) throw new SecretNotReady(`"${field}" is a list: store the one value that is valid`);
  if (!/^[\x21-\x7e]+$/.test(stored)) {
    throw new SecretNotReady(
      `"${field}" has white space or characters that no HTTP header carries: store it as issued`,
    );
  }
  return stored;
}

/** What a call needs besides what it asks. */
export type Calling = {
  project: Project;
  keys: ProjectKeys;
  /** Sent as PolyAI's correlation id, so that both sides can name the attempt. */
  requestId: string;
  fetch: typeof globalThis.fetch;
  /** Of the whole attempt; ten seconds unless told otherwise. */
  timeoutMs?: number;
  /** Unix milliseconds, for a `Retry-After` that is a date. */
  now?: () => number;
};

/**
 * Asks PolyAI to close a chat, once: `PUT {baseUrl}/{version}/{accountId}/{projectId}/chat/close`. Never throws.
 *
 * @see https://docs.poly.ai/api-reference/chat/endpoint/close-a-chat
 */
export async function closeChat(calling: Calling, conversationId: string): Promise<PolyAIAnswer> {
  const { project, keys } = calling;
  return exchange(calling, `${pathOf(project, project.version)}/chat/close`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json', 'X-API-KEY': keys.apiKey, 'X-TOKEN': keys.token },
    body: JSON.stringify({ conversation_id: conversationId }),
  });
}

/**
 * Asks PolyAI, once, which conversation the agent has stored under a shared id:
 * `GET {baseUrl}/v1/{accountId}/{projectId}/handoff_state?shared_id=…`. Never throws.
 *
 * @see https://docs.poly.ai/api-reference/handoff/introduction
 */
export async function lookUpConversation(calling: Calling, sharedId: string): Promise<PolyAIAnswer> {
  const { project, keys } = calling;
  const path = `${pathOf(project, 'v1')}/handoff_state?shared_id=${encodeURIComponent(sharedId)}`;
  return exchange(calling, path, {
    method: 'GET',
    headers: { 'X-API-KEY': keys.handoffApiKey ?? keys.apiKey },
  });
}

/** The part of the path that names the project, each segment encoded. */
export function pathOf({ accountId, projectId }: Project, version: string): string {
  return [version, accountId, projectId].map(encodeURIComponent).join('/');
}

/** Redirects are not followed, because the keys go to no other host. */
async function exchange(
  { project, requestId, fetch, timeoutMs = ATTEMPT_TIMEOUT_MS, now = Date.now }: Calling,
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

/** Our id of a call as a header can carry it. */
export function correlationIdOf(requestId: string): string {
  return requestId.replace(/[^\x21-\x7e]/g, '?');
}

/** The body as JSON; `undefined` when it is too large or something else. */
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

/** Errors come in three shapes: `error_code` beside the message, `error: { code }`, and a message alone. */
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

/** Seconds, or a date. @see https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Why no answer came, without anything of what was sent. */
export function describeFailure(error: unknown, timeoutMs: number): string {
  const { name = 'Error', cause } = (error ?? {}) as { name?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return `no answer from PolyAI within ${timeoutMs / 1000} s`;
  return `the connection to PolyAI failed: ${cause?.code ?? name}`;
}

/** What Node.js and undici call a connection that was never made. */
const NO_CONNECTION = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];

/** Whether the request cannot have arrived. A reset, a time-out and every unknown error may come after it did. */
function wasNeverSent(error: unknown): boolean {
  const { cause } = (error ?? {}) as { cause?: { code?: string } };
  return cause?.code !== undefined && NO_CONNECTION.includes(cause.code);
}
