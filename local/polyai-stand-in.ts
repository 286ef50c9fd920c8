import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createPolyAIApi, type Keys, type Listed, parseObject } from './polyai-api.ts';

export type { Keys, Listed } from './polyai-api.ts';

/** A request as it arrived. The lower-cased headers contain the keys: never show them. */
export type Call = {
  /** Unix milliseconds. */
  at: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  /** The status of the answer; 0 if there was none. */
  status: number;
  /** The body of the answer before it is encoded. */
  answer?: unknown;
};

/** A chat that the stand-in remembers. `startedAt` is in Unix milliseconds. */
export type OpenedChat = { conversationId: string; open: boolean; startedAt: number; channel: string };

/**
 * What happens to a call instead of the normal answer. With `status`, this is the answer and no chat changes. Without
 * it, the normal answer is given and its chat is closed: only the transport differs.
 */
export type Behaviour = {
  status?: number;
  /** A string or bytes are sent unchanged, everything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Delay before the status line. */
  delayMs?: number;
  /** Delay between the two halves of the body. */
  bodyDelayMs?: number;
  /** Resets the connection, before or after the chat is closed. */
  reset?: 'before' | 'after';
  /** Sends half of the body, then ends the connection. */
  truncate?: boolean;
  /** Pads the body with spaces, which do not change JSON. */
  padToBytes?: number;
  gzip?: boolean;
  /** Never answers. */
  hang?: boolean;
};

export type PolyAIStandIn = {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** Every request since the start, oldest first. */
  calls: Call[];
  /** The keys that it accepts. They may be replaced at any time. */
  keys: Keys;
  /** Opens a chat. Without a project, every project may close it. @returns its conversation id */
  openChat(project?: { accountId: string; projectId: string }, listed?: Partial<Listed>): string;
  /** Every chat that was opened, oldest first. */
  chats(): OpenedChat[];
  isOpen(conversationId: string): boolean;
  /** Drops a chat and its shared id, as if there had never been one. */
  forget(conversationId: string, sharedId?: string): void;
  /** Stores a ticket's id with a conversation, as the agent does. The newest conversation counts. */
  share(sharedId: string, conversationId: string): void;
  /** Is asked about every call from now on. When it returns `undefined`, the normal answer is given. */
  behave(
    next: ((call: { conversationId?: string; path: string }) => Behaviour | undefined) | undefined,
  ): void;
  onCall(listener: (call: Call) => void): void;
  close(): Promise<void>;
};

/**
 * Starts a PolyAI on loopback. It has the Chat API's create, respond and close, and the list of conversations, and
 * remembers its chats. A closed chat cannot be closed or continued again.
 *
 * @see https://docs.poly.ai/api-reference/chat/introduction
 */
export async function startPolyAI(options: { port?: number; keys?: Keys } = {}): Promise<PolyAIStandIn> {
  const api = createPolyAIApi(() => standIn.keys);
  const listeners: ((call: Call) => void)[] = [];
  const stopped = new AbortController();
  let next: Parameters<PolyAIStandIn['behave']>[0];

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');

  const standIn: PolyAIStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    keys: options.keys ?? { apiKey: `key-${randomUUID()}`, token: `token-${randomUUID()}` },
    openChat: api.openChat,
    chats: api.chats,
    isOpen: api.isOpen,
    forget: api.forget,
    share: api.share,
    behave: (behaviour) => {
      next = behaviour;
    },
    onCall: (listener) => {
      listeners.push(listener);
    },
    close: async () => {
      stopped.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return standIn;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const body = await readText(request);
    const { method = '', url: path = '' } = request;
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([key, value]) => [key, `${value}`]),
    );
    const { conversation_id: conversationId } = parseObject(body) ?? {};
    const behaviour = next?.({ path, ...(typeof conversationId === 'string' && { conversationId }) }) ?? {};
    const isLost = behaviour.hang || behaviour.reset !== undefined;
    const scripted = behaviour.status !== undefined || behaviour.hang || behaviour.reset === 'before';
    const normal = scripted ? undefined : api.answer(method, path, headers, body);
    const { status = 0, ...rest } = normal ?? behaviour;
    const call = {
      at,
      method,
      path,
      headers,
      body,
      status: isLost ? 0 : status,
      answer: isLost ? undefined : rest.body,
    };
    standIn.calls.push(call);
    for (const listener of listeners) listener(call);
    if (behaviour.hang) return;
    if (behaviour.reset) request.socket.resetAndDestroy();
    else await send(response, { ...behaviour, ...rest, status }, headers['x-polyai-correlation-id']);
  }

  async function send(
    response: ServerResponse,
    behaviour: Behaviour & { status: number },
    correlationId: string = randomUUID(),
  ): Promise<void> {
    const { status, delayMs, bodyDelayMs, truncate, gzip, headers } = behaviour;
    const bytes = encode(behaviour, correlationId);
    const half = bytes.length >> 1;
    if (delayMs) await wait(delayMs, undefined, { signal: stopped.signal });
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': bytes.length,
      'x-polyai-correlation-id': correlationId,
      ...(gzip && { 'content-encoding': 'gzip' }),
      ...headers,
    });
    response.flushHeaders();
    response.write(bytes.subarray(0, half));
    if (bodyDelayMs) await wait(bodyDelayMs, undefined, { signal: stopped.signal });
    if (truncate) response.destroy();
    else response.end(bytes.subarray(half));
  }
}

function encode({ body, padToBytes = 0, gzip }: Behaviour, correlationId: string): Buffer {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const text = isRaw ? body : (JSON.stringify(withErrorId(body, correlationId)) ?? '');
  const bytes = Buffer.from(text);
  const padded = Buffer.concat([bytes, Buffer.alloc(Math.max(0, padToBytes - bytes.length), ' ')]);
  return gzip ? gzipSync(padded) : padded;
}

function withErrorId(body: unknown, correlationId: string): unknown {
  const isError = typeof body === 'object' && body !== null && 'error_code' in body && !('error_id' in body);
  return isError ? { ...body, error_id: correlationId } : body;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
