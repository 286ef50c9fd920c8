import { randomInt, randomUUID } from 'node:crypto';

/** `conversationsApiKey` is for listing conversations, if that needs its own key. */
export type Keys = { apiKey: string; token: string; conversationsApiKey?: string };

/** A chat in the list of conversations. */
export type Listed = {
  conversationId: string;
  channel: string;
  environment: string;
  /** Unix milliseconds. */
  startedAt: number;
  /** Of any type, because PolyAI's may be missing or empty. */
  turns: unknown;
};

type Chat = Omit<Listed, 'conversationId'> & { open: boolean; owner?: string };
export type Answer = { status: number; body: unknown; headers?: Record<string, string> };

const ROUTES: Record<string, string> = { close: 'PUT', create: 'POST', respond: 'POST' };

export type PolyAIApi = ReturnType<typeof createPolyAIApi>;

/**
 * The answers of PolyAI's APIs over chats that it remembers. It knows nothing of HTTP and of faults on the way.
 *
 * @param keys the keys that it accepts now
 */
export function createPolyAIApi(keys: () => Keys) {
  const chats = new Map<string, Chat>();
  const shared = new Map<string, string>();

  return {
    answer,
    openChat: (project: { accountId: string; projectId: string } | undefined, listed?: Partial<Listed>) =>
      openChat(project && owner(project.accountId, project.projectId), listed),
    chats: () =>
      [...chats].map(([conversationId, { open, startedAt, channel }]) => ({
        conversationId,
        open,
        startedAt,
        channel,
      })),
    isOpen: (conversationId: string) => chats.get(conversationId)?.open ?? false,
    /** Drops a chat and its shared id, as if there had never been one. */
    forget: (conversationId: string, sharedId = '') => {
      chats.delete(conversationId);
      if (shared.get(sharedId) === conversationId) shared.delete(sharedId);
    },
    share: (sharedId: string, conversationId: string) => {
      shared.set(sharedId, conversationId);
    },
  };

  /** Gives the normal answer and applies its effect. */
  function answer(method: string, path: string, headers: Record<string, string>, body: string): Answer {
    if (/^\/v1\/[^/?]+\/[^/?]+\/handoff_state\?/.test(path)) return lookUp(method, path, headers);
    if (/^\/v3\/[^/?]+\/[^/?]+\/conversations(\?|$)/.test(path)) return list(method, path, headers);
    const [, accountId = '', projectId = '', operation = ''] =
      /^\/[^/?]+\/([^/?]+)\/([^/?]+)\/chat\/([^/?]+)$/.exec(path) ?? [];
    const allow = Object.hasOwn(ROUTES, operation) ? ROUTES[operation] : undefined;
    if (!allow) return { status: 404, body: { message: 'no such route' } };
    if (method !== allow)
      return { ...refusal(405, 'METHOD_NOT_ALLOWED', `use ${allow}`), headers: { allow } };
    if (headers['x-api-key'] !== keys().apiKey || headers['x-token'] !== keys().token) {
      return refusal(401, 'AUTH_USER_INVALID_TOKEN', 'the API key or the connector token is not valid');
    }
    if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) {
      return refusal(415, 'SCHEMA_VALIDATION_FAILED', 'the content type is not application/json');
    }
    const message = parseObject(body);
    if (!message) return refusal(400, 'SCHEMA_VALIDATION_FAILED', 'the body is not a JSON object');
    const project = owner(accountId, projectId);
    if (operation === 'create') {
      return {
        status: 200,
        body: { conversation_id: openChat(project), response: 'Hello, how can I help?' },
      };
    }
    return converse(operation, project, message.conversation_id);
  }

  /** The hand-off API, whose errors have only a message. */
  function lookUp(method: string, path: string, headers: Record<string, string>): Answer {
    if (method !== 'GET')
      return { status: 405, body: { error_message: 'use GET' }, headers: { allow: 'GET' } };
    if (headers['x-api-key'] !== keys().apiKey) {
      return { status: 401, body: { error_message: 'the API key is not valid' } };
    }
    const sharedId = new URL(path, 'http://127.0.0.1').searchParams.get('shared_id') ?? '';
    const id = shared.get(sharedId);
    return id === undefined
      ? { status: 404, body: { error_message: 'there is no such state' } }
      : { status: 200, body: { id, shared_id: sharedId, data: {} } };
  }

  /** The Conversations API, newest first (its order is not documented). Both ends of a time span are included. */
  function list(method: string, path: string, headers: Record<string, string>): Answer {
    if (method !== 'GET')
      return { ...refusal(405, 'METHOD_NOT_ALLOWED', 'use GET'), headers: { allow: 'GET' } };
    if (headers['x-api-key'] !== (keys().conversationsApiKey ?? keys().apiKey)) {
      return refusal(401, 'AUTH_USER_INVALID_TOKEN', 'the API key is not valid');
    }
    const { pathname, searchParams } = new URL(path, 'http://127.0.0.1');
    const [, , accountId = '', projectId = ''] = pathname.split('/');
    const parameter = (name: string) => searchParams.get(name) ?? undefined;
    const limit = Number(parameter('limit') ?? 1000);
    const [from, to] = [
      Date.parse(parameter('start_time') ?? '0000-01-01'),
      Date.parse(parameter('end_time') ?? '9999-12-31'),
    ];
    const cursor = parameter('cursor');
    const after = cursor === undefined ? undefined : readCursor(cursor);
    if (!(limit >= 1 && limit <= 1000) || Number.isNaN(from) || Number.isNaN(to) || after === null) {
      return refusal(400, 'CONVERSATIONS_VALIDATION_FAILED', 'a parameter is not valid');
    }
    const project = owner(accountId, projectId);
    const matching = [...chats]
      .map(([id, chat]) => ({ id, ...chat }))
      .filter((chat) => chat.owner === undefined || chat.owner === project)
      .filter(
        ({ open }) => parameter('in_progress') === undefined || String(open) === parameter('in_progress'),
      )
      .filter(({ environment }) => environment === (parameter('client_env') ?? 'live'))
      .filter(({ startedAt }) => startedAt >= from && startedAt <= to)
      .sort((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? -1 : 1));
    const rest = matching.filter(
      ({ startedAt, id }) =>
        !after || startedAt < after.startedAt || (startedAt === after.startedAt && id > after.id),
    );
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    return {
      status: 200,
      body: {
        conversations: page.map((chat) => summaryOf(chat, accountId, projectId)),
        cursor: last && rest.length > limit ? writeCursor(last) : null,
      },
    };
  }

  function converse(operation: string, project: string, conversationId: unknown): Answer {
    if (typeof conversationId !== 'string' || conversationId === '') {
      return refusal(400, 'CONVERSATIONS_VALIDATION_FAILED', 'conversation_id is missing or not a string');
    }
    const chat = chats.get(conversationId);
    if (!chat || (chat.owner !== undefined && chat.owner !== project)) {
      return refusal(404, 'CONVERSATIONS_NOT_FOUND', 'there is no such conversation');
    }
    if (!chat.open) return refusal(410, 'CHAT_CONVERSATION_ENDED', 'the conversation is over');
    if (operation === 'respond') {
      const body = { conversation_id: conversationId, response: 'I see.', end_conversation: false };
      return { status: 200, body };
    }
    chat.open = false;
    return { status: 200, body: { success: true } };
  }

  function openChat(project: string | undefined, listed: Partial<Listed> = {}): string {
    const { conversationId = makeConversationId(), ...rest } = listed;
    const defaults = { channel: 'CHAT', environment: 'live', startedAt: Date.now(), turns: [] };
    chats.set(conversationId, {
      open: true,
      ...(project !== undefined && { owner: project }),
      ...defaults,
      ...rest,
    });
    return conversationId;
  }
}

/** A chat as the list shows it, with its transcript. */
function summaryOf(chat: Chat & { id: string }, accountId: string, projectId: string) {
  const { id, open, channel, environment, startedAt, turns } = chat;
  return {
    id,
    account_id: accountId,
    project_id: projectId,
    environment,
    started_at: new Date(startedAt).toISOString(),
    channel,
    in_progress: open,
    from_number: '+441632960000',
    turns,
  };
}

function writeCursor({ startedAt, id }: { startedAt: number; id: string }): string {
  return Buffer.from(JSON.stringify([startedAt, id])).toString('base64url');
}

function readCursor(cursor: string): { startedAt: number; id: string } | null {
  try {
    const [startedAt, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return typeof startedAt === 'number' && typeof id === 'string' ? { startedAt, id } : null;
  } catch {
    return null;
  }
}

function owner(accountId: string, projectId: string): string {
  return `${decodeURIComponent(accountId)}/${decodeURIComponent(projectId)}`;
}

/** Chats of all stand-ins of this process. */
let opened = 0;

/** Makes ids of different forms in turn, because nobody may rely on their form. No two stand-ins share one. */
function makeConversationId(): string {
  const index = opened++;
  const uuid = randomUUID();
  const forms = [
    `CONV-${randomInt(1, 10)}${String(index).padStart(9, '0')}`,
    `WEBCHAT_${uuid.slice(-12)}`,
    `CHAT_${uuid}`,
    uuid,
  ];
  return forms[index % forms.length] ?? uuid;
}

/** An error in the newest of the three shapes that PolyAI has used. `error_id` is added when it is sent. */
function refusal(status: number, code: string, message: string): Answer {
  return {
    status,
    body: { success: false, error: message, error_code: code, error_message: message, data: null },
  };
}

export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
