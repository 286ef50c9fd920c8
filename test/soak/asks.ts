import { MINUTE, SECOND } from './schedule.ts';

export type Chat = {
  id: string;
  project: string;
  sharedId?: string;
  openedAt: number;
  /** When the first valid request for it was sent, and when the first one was answered 200. */
  askedAt?: number;
  acknowledgedAt?: number;
  closedAt?: number;
  /** When a request last named it. */
  namedAt: number;
  calls: number;
  /** PolyAI always gives this kind of answer for the chat. */
  refusedAs?: string;
  /** The agent never stores its shared id. */
  isNeverStored?: boolean;
};

/** An answer of PolyAI that ends a request. `rejected` ends it only together with a dead letter. */
export type FinalAnswer = 'closed' | 'over' | 'not_found' | 'rejected';

export type DeadLetter = {
  outcome?: string;
  reason?: string;
  receivedAt: number;
  at: number;
  /** When last no message had waited for a worker, at the receipt that led to it. */
  busySince: number;
};

/** One chat of one delivery, under the request id of the CRM's answer. Times are Unix milliseconds. */
export type Ask = {
  requestId: string;
  chat: Chat;
  /** When the delivery was sent. `undefined`: no delivery had this request id. */
  sentAt?: number;
  isAcknowledged: boolean;
  heard: { answer: FinalAnswer; at: number }[];
  letters: DeadLetter[];
  /** Calls of this request without a final answer. */
  failures: number;
  /** The last of them. */
  failedAt?: number;
  /** The last call, and until when its answer asked to wait. */
  calledAt?: number;
  waitsUntil: number;
  /** The longest time between two calls in which nothing was wrong and no answer had asked to wait, in milliseconds. */
  longestPause: number;
  /** When AWS last kept this request from being worked on, by a fault that the soak made for its own message. */
  hinderedAt?: number;
  /** The first receipt of the message with the conversation's own id. */
  firstReceivedAt?: number;
  /** The first and the last two receipts of any of its messages. */
  firstReceiptAt?: number;
  receipts: number[];
  /** When last no message had waited for a worker, at the last receipt. */
  busySince: number;
  /** Whether a worker held its look-up in time while PolyAI served the project. */
  wasServed?: boolean;
  /** Its messages on the close queue: one, more if it was duplicated, and one more while it is sent back. */
  onQueue: number;
  /** PolyAI answered that there is no chat, late enough to be believed. */
  hasNone: boolean;
};

/** The fields of a message on the close queue that the counting needs. */
export type Message = {
  requestId: string;
  project: string;
  conversationId?: string;
  sharedId?: string;
  receivedAt: string;
};

/** Clocks differ by up to 2 s in each direction. */
export const SKEW_MS = 5 * SECOND;
const AWAITED_MS = 2 * MINUTE;
/** A little longer than the worker's time-out. */
const INVOCATION_MS = 31 * SECOND;

export function createAsks() {
  const byRequest = new Map<string, Ask[]>();

  return {
    all: () => [...byRequest.values()].flat(),
    /** Removes the requests for which `isOver` is true, and returns them. */
    removeOver(isOver: (ask: Ask) => boolean): Ask[] {
      const removed: Ask[] = [];
      for (const [requestId, asks] of byRequest) {
        const left = asks.filter((ask) => !isOver(ask));
        if (left.length === asks.length) continue;
        removed.push(...asks.filter((ask) => !left.includes(ask)));
        if (left.length > 0) byRequest.set(requestId, left);
        else byRequest.delete(requestId);
      }
      return removed;
    },
    find: (requestId: string, isMeant: (chat: Chat) => boolean) =>
      byRequest.get(requestId)?.find(({ chat }) => isMeant(chat)),
    /** Finds the request, or creates it. */
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
        waitsUntil: 0,
        longestPause: 0,
        receipts: [],
        busySince: 0,
        onQueue: 0,
        hasNone: false,
      };
      byRequest.set(requestId, [...asks, ask]);
      return ask;
    },
  };
}

/** When a worker received the answer that the chat is closed, over or unknown. */
export function endHeardAt({ heard }: Ask): number | undefined {
  return heard.find(({ answer }) => answer !== 'rejected')?.at;
}

/** Whether the request has ended: by a final answer, a dead letter, or because there is no chat to close. */
export function isEnded(ask: Ask): boolean {
  const hasNone = ask.hasNone && ask.chat.isNeverStored === true;
  return endHeardAt(ask) !== undefined || ask.letters.length > 0 || hasNone;
}

/** Whether a message of the request may have been deleted: another one is left, or the request has ended. */
export function mayBeGone(ask: Ask): boolean {
  return ask.onQueue > 0 || isEnded(ask);
}

/** Whether a message of the request was received again after its first end. */
export function cameAgain({ heard, letters, receipts }: Ask): boolean {
  const first = Math.min(...[...heard, ...letters].map(({ at }) => at));
  // The receipt that led to that end may be as old as an invocation is long. A later receipt is another one.
  return receipts.length > 1 && (receipts.at(-2) ?? 0) > first - INVOCATION_MS;
}

/** Whether the answer "there is no chat" is late enough to be believed. */
export function isBelieved(receivedAt: number, now: number): boolean {
  return now - receivedAt >= AWAITED_MS - SKEW_MS;
}

export function readMessage(body: string): Message {
  try {
    return JSON.parse(body);
  } catch {
    return { receivedAt: '', requestId: '', project: '' };
  }
}
