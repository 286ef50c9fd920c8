import { judgeRefusal } from '../close/outcome.ts';
import type { CleanupProject } from '../connections.ts';
import { valueAt } from '../json.ts';
import { correlationIdOf, describeFailure, parseSecretKey, pathOf, readAnswer, readJson } from '../polyai.ts';
import { parseSecret } from '../secrets.ts';

/** PolyAI allows more, but every chat on a page comes with its transcript, which is not used here. */
export const PAGE_SIZE = 100;
const MAX_PAGE_BYTES = 20 * 1024 * 1024;
const MAX_CURSOR_LENGTH = 4096;

/** Selects one page of the chats that started between two times, in Unix milliseconds. */
export type PageQuery = { from: number; to: number; cursor?: string };

/** A page of unvalidated chats, or why there is none and whether a retry may help. */
export type ListAnswer =
  | { conversations: unknown[]; cursor?: string }
  | { failure: string; kind: 'passing' | 'unauthorized' | 'lasting'; retryAfterMs?: number };

type ListCall = {
  project: CleanupProject;
  apiKey: string;
  requestId: string;
  fetch: typeof globalThis.fetch;
  /** Timeout for the whole attempt, including the body. */
  timeoutMs: number;
};

/**
 * Reads the key that lists conversations from a project's secret: `conversationsApiKey` if it is there, because
 * PolyAI's self-serve keys do not close chats, or else `apiKey`.
 *
 * @throws {SecretNotReady} with the field and the fix, never the value
 */
export function readListKey(text: string): string {
  const { conversationsApiKey, apiKey } = parseSecret(text);
  return conversationsApiKey
    ? parseSecretKey('conversationsApiKey', conversationsApiKey)
    : parseSecretKey('apiKey', apiKey);
}

/**
 * Requests one page of the chats that are in progress from PolyAI, once:
 * `GET {baseUrl}/v3/{accountId}/{projectId}/conversations`. Redirects are not followed, because the key must not
 * go to another host. Never throws.
 *
 * @see https://docs.poly.ai/api-reference/conversations/introduction
 */
export async function listConversations(call: ListCall, query: PageQuery): Promise<ListAnswer> {
  const { project, apiKey, requestId, fetch, timeoutMs } = call;
  const search = new URLSearchParams({
    in_progress: 'true',
    client_env: project.clientEnv,
    start_time: new Date(query.from).toISOString(),
    end_time: new Date(query.to).toISOString(),
    limit: String(PAGE_SIZE),
    ...(query.cursor !== undefined && { cursor: query.cursor }),
  });
  try {
    const response = await fetch(`${project.baseUrl}/${pathOf(project, 'v3')}/conversations?${search}`, {
      headers: {
        'x-api-key': apiKey,
        Accept: 'application/json',
        'X-PolyAI-Correlation-Id': correlationIdOf(requestId),
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 200) return readPage(await readJson(response, MAX_PAGE_BYTES));
    return readRefusal(response.status, response.headers, await readJson(response));
  } catch (error) {
    return { failure: describeFailure(error, timeoutMs), kind: 'passing' };
  }
}

/** A page without a cursor is the last one. Some of PolyAI's samples show a bare list without an object around it. */
function readPage(json: unknown): ListAnswer {
  const conversations = Array.isArray(json) ? json : valueAt(json, 'conversations');
  const cursor = (Array.isArray(json) ? undefined : valueAt(json, 'cursor')) ?? '';
  if (!Array.isArray(conversations)) return malformed('no list of conversations in it, or more than 20 MB');
  if (typeof cursor !== 'string' || cursor.length > MAX_CURSOR_LENGTH) return malformed('an unusable cursor');
  return { conversations, ...(cursor && { cursor }) };
}

function malformed(why: string): ListAnswer {
  return { failure: `PolyAI answered 200 with ${why}`, kind: 'lasting' };
}

function readRefusal(status: number, headers: Headers, json: unknown): ListAnswer {
  const answer = readAnswer(status, headers, json);
  const { errorCode = '', retryAfterMs } = 'status' in answer ? answer : {};
  const failure = `PolyAI answered ${status}${errorCode && ` ${errorCode}`} to the list of conversations`;
  if (status < 300) return { failure, kind: 'lasting' };
  const outcome = judgeRefusal(status, errorCode);
  if (outcome === 'unauthorized') return { failure, kind: 'unauthorized' };
  const isPassing = outcome === 'throttled' || outcome === 'unavailable';
  return {
    failure,
    kind: isPassing ? 'passing' : 'lasting',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
