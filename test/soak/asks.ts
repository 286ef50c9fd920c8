import { MINUTE, SECOND } from './schedule.ts';

export type Chat = {
  id: string;
  project: string;
  sharedId?: string;
  openedAt: number;
  /** A genuine request for it was sent, and the first one that a CRM was answered 200 for. */
  askedAt?: number;
  acknowledgedAt?: number;
  closedAt?: number;
  calls: number;
  /** PolyAI always gives this chat such an answer. */
  refusedAs?: string;
  /** The agent never stores its shared id. */
  isNeverStored?: boolean;
};

/** What a worker was told that ends a request. `rejected` ends it only with a dead letter. */
export type FinalAnswer = 'closed' | 'over' | 'not_found' | 'rejected';

export type DeadLetter = { outcome?: string; reason?: string; receivedAt: number; at: number };

/** One chat of one delivery, under the request id that the CRM was answered with. Times in Unix milliseconds. */
export type Ask = {
  requestId: string;
  chat: Chat;
  /** When the delivery was sent; nothing where only the program has named it. */
  sentAt?: number;
  isAcknowledged: boolean;
  heard: { answer: FinalAnswer; at: number }[];
  letters: DeadLetter[];
  /** Calls of this request that were answered otherwise than by a final answer, or not at all. */
  failures: number;
  /** The first receipt of the message with the conversation's own id. */
  firstReceivedAt?: number;
  /** The last two receipts of any of its messages. */
  receipts: number[];
  /** The look-up has found the chat, and its close is queued. */
  isContinued: boolean;
  /** The look-up was told that there is no chat, when it was no longer too early to believe it. */
  hasNone: boolean;
};

/** The message on the close queue, as far as the counting needs it. */
export type Message = { requestId: string; conversationId?: string; sharedId?: string; receivedAt: string };

/** Clocks differ by up to 2 s on either side. */
export const SKEW_MS = 5 * SECOND;
const AWAITED_MS = 2 * MINUTE;
/** The worker's time-out, and a little more. */
const INVOCATION_MS = 31 * SECOND;

export function createAsks() {
  const byRequest = new Map<string, Ask[]>();

  return {
    all: () => [...byRequest.values()].flat(),
    find: (requestId: string, isMeant: (chat: Chat) => boolean) =>
      byRequest.get(requestId)?.find(({ chat }) => isMeant(chat)),
    /** Finds it, or begins it. */
    of(requestId: string, chat: Chat): Ask {
      const asks = byRequest.get(requestId) ?? [];
      const known = asks.find((ask) => ask.chat === chat);
      if (known) return known;
      const ask: Ask = {
        requestId,
        chat,
        isAcknowledged: false,
        heard: [],
        letters: [],
        failures: 0,
        receipts: [],
        isContinued: false,
        hasNone: false,
      };
      byRequest.set(requestId, [...asks, ask]);
      return ask;
    },
  };
}

/** When a worker was told that the chat is closed, over or unknown. */
export function endHeardAt({ heard }: Ask): number | undefined {
  return heard.find(({ answer }) => answer !== 'rejected')?.at;
}

/** Whether the request has its end: a final answer that was heard, a dead letter, or no chat to close. */
export function isEnded(ask: Ask): boolean {
  const hasNone = ask.hasNone && ask.chat.isNeverStored === true;
  return endHeardAt(ask) !== undefined || ask.letters.length > 0 || hasNone;
}

/** Whether a message of the request may be deleted now. */
export function mayBeDeleted(ask: Ask, { sharedId }: Message): boolean {
  return isEnded(ask) || (sharedId !== undefined && ask.isContinued);
}

/** Whether a message of the request was handed out again after the request had its first end. */
export function cameAgain({ heard, letters, receipts }: Ask): boolean {
  const first = Math.min(...[...heard, ...letters].map(({ at }) => at));
  // The receipt that led to that end may be as old as an invocation is long; the one after it is another.
  return receipts.length > 1 && (receipts.at(-2) ?? 0) > first - INVOCATION_MS;
}

/** Whether "there is no chat" is said late enough to be believed. */
export function isBelieved(receivedAt: number, now: number): boolean {
  return now - receivedAt >= AWAITED_MS - SKEW_MS;
}

export function readMessage(body: string): Message {
  try {
    return JSON.parse(body);
  } catch {
    return { receivedAt: '', requestId: '' };
  }
}
