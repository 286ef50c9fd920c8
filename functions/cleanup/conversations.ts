import { judgeRefusal } from '../close/outcome.ts';
import type { ListedProject } from '../connections.ts';
import { at } from '../crm/crm.ts';
import { correlationIdOf, describeFailure, parseSecretKey, pathOf, readAnswer, readJson } from '../polyai.ts';
import { parseSecret } from '../secrets.ts';

/** PolyAI allows more, but a page carries transcripts, which nothing here wants. */
export const PAGE_SIZE = 100;
const MAX_PAGE_BYTES = 20 * 1024 * 1024;
const MAX_CURSOR_LENGTH = 4096;

/** One page of chats that were started between two times, in Unix milliseconds. */
export type PageQuery = { from: number; to: number; cursor?: string };

/** A page; of the chats in it nothing is known yet. Or why there is none, and whether asking again may help. */
export type ListAnswer =
  | { conversations: unknown[]; cursor?: string }
  | { failure: string; kind: 'passing' | 'unauthorized' | 'lasting'; retryAfterMs?: number };

type Listing = {
  project: ListedProject;
  apiKey: string;
  requestId: string;
  fetch: typeof globalThis.fetch;
  /** Of the whole attempt, the body included. */
  timeoutMs: number;
};

/**
 * The key that lists conversations: one of its own, because PolyAI's self-serve keys do not close chats.
 *
 * @throws {SecretNotReady} naming the field and the mend, never the value
 */
export function readListKey(text: string): string {
  const { conversationsApiKey, apiKey } = parseSecret(text);
  return conversationsApiKey
    ? parseSecretKey('conversationsApiKey', conversationsApiKey)
    : parseSecretKey('apiKey', apiKey);
}

/**
 * Asks PolyAI, once, for a page of the chats that are in progress:
 * `GET {baseUrl}/v3/{accountId}/{projectId}/conversations`. Redirects are not followed, because the key goes to
 * no other host. Never throws.
 *
 * @see https://docs.poly.ai/api-reference/conversations/introduction
 */
export async function listConversations(listing: Listing, query: PageQuery): Promise<ListAnswer> {
  const { project, apiKey, requestId, fetch, timeoutMs } = listing;
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

/** A page without a cursor is the last one. Some of PolyAI's samples show the list alone, without an object. */
function readPage(json: unknown): ListAnswer {
  const conversations = Array.isArray(json) ? json : at(json, 'conversations');
  const cursor = (Array.isArray(json) ? undefined : at(json, 'cursor')) ?? '';
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
