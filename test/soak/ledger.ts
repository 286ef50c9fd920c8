import {
  type Ask,
  type Chat,
  createAsks,
  type FinalAnswer,
  isBelieved,
  isEnded,
  type Message,
  mayBeDeleted,
  readMessage,
} from './asks.ts';
import { describe, describeChat, isConflicting, isExplained, isLateCopy } from './explain.ts';
import { createRecoveries, type Recovery } from './recoveries.ts';
import type { Schedule } from './schedule.ts';

// What is counted, from outside: what the CRMs were answered, what PolyAI's stand-in was asked and has done,
// and what is in the queues. Nothing here reads a line that the program wrote.

export type Ledger = ReturnType<typeof createLedger>;

export type Report = {
  closes: number;
  acknowledged: number;
  /** Chats of all the deliveries that were answered 200, under the request ids of the answers. */
  requests: number;
  /** Deliveries whose sender gave up without ever being answered 200. */
  neverAcknowledged: number;
  forgeries: number;
  /** Requests that were acknowledged and have no end. */
  lost: string[];
  /** Messages that were deleted before their request had its end. */
  deletedEarly: string[];
  wronglyClosed: string[];
  /** Calls for a chat or a ticket that the request did not name. */
  wronglyCalled: string[];
  forgeriesAccepted: number;
  conflictingFinals: string[];
  unexplainedDeadLetters: string[];
  deadLetters: Record<string, number>;
  /** Of chats that were closed all the same, by another request for them or in spite of what PolyAI answered. */
  needlessDeadLetters: number;
  /** Of requests that had an end before, and were handed out again. */
  lateCopies: number;
  closed: number;
  calls: number;
  callsPerClose: number;
  mostCalls: number;
  recoveries: Recovery[];
};

export function createLedger(schedule: Schedule, now: () => number) {
  const chats = new Map<string, Chat>();
  const asks = createAsks();
  const recoveries = createRecoveries(schedule, now);
  const wronglyClosed: string[] = [];
  const wronglyCalled: string[] = [];
  const deletedEarly: string[] = [];
  const unknownDeadLetters: string[] = [];
  const seen = { calls: 0, forgeries: 0, forgeriesAccepted: 0, neverAcknowledged: 0 };

  function askOf({ requestId, conversationId, sharedId }: Partial<Message>): Ask | undefined {
    if (requestId === undefined || (conversationId ?? sharedId) === undefined) return undefined;
    return asks.find(requestId, (chat) =>
      conversationId === undefined ? chat.sharedId === sharedId : chat.id === conversationId,
    );
  }

  /** Of the ids, those that the run has opened. */
  function asksOf(requestId: string, ids: readonly string[]): Ask[] {
    return ids.flatMap((id) => {
      const chat = chats.get(id);
      return chat ? [asks.of(requestId, chat)] : [];
    });
  }

  return {
    opened(id: string, project: string, more: Pick<Chat, 'sharedId' | 'refusedAs' | 'isNeverStored'> = {}) {
      chats.set(id, { id, project, openedAt: now(), calls: 0, ...more });
    },
    asked(id: string) {
      const chat = chats.get(id);
      if (chat) chat.askedAt ??= now();
    },
    /** A genuine delivery goes out. Where its id is known only from the answer, this is left out. */
    requested(requestId: string, ids: readonly string[]) {
      for (const ask of asksOf(requestId, ids)) ask.sentAt ??= now();
    },
    /** A CRM was answered 200, with this request id. */
    acknowledged(requestId: string, ids: readonly string[]) {
      for (const ask of asksOf(requestId, ids)) {
        ask.isAcknowledged = true;
        ask.chat.acknowledgedAt ??= now();
      }
    },
    gaveUp() {
      seen.neverAcknowledged += 1;
    },
    forged(wasAccepted: boolean) {
      seen.forgeries += 1;
      if (wasAccepted) seen.forgeriesAccepted += 1;
    },
    refusedAs: (id: string) => chats.get(id)?.refusedAs,
    /** The stand-in was called; whether the chat is open after that. Without a request any that was sent will do. */
    called(id: string, isOpen: boolean, requestId?: string) {
      seen.calls += 1;
      const chat = chats.get(id);
      const isAsked =
        requestId === undefined
          ? chat?.askedAt !== undefined
          : askOf({ requestId, conversationId: id })?.sentAt !== undefined;
      if (!isAsked) wronglyCalled.push(`${id} for request ${requestId}`);
      if (!chat) return;
      chat.calls += 1;
      if (isOpen || chat.closedAt !== undefined) return;
      chat.closedAt = now();
      if (!isAsked) wronglyClosed.push(describeChat(chat));
      recoveries.note(chat);
    },
    lookedUp(sharedId: string, requestId: string) {
      seen.calls += 1;
      if (askOf({ requestId, sharedId })?.sentAt === undefined)
        wronglyCalled.push(`ticket ${sharedId} for request ${requestId}`);
    },
    /** A worker that lived was given this answer, or none. */
    told(id: string, requestId: string, answer: FinalAnswer | undefined) {
      const [ask] = asksOf(requestId, [id]);
      if (answer) ask?.heard.push({ answer, at: now() });
      else if (ask) ask.failures += 1;
    },
    /** The same of a look-up: that there is a chat, that there is none, or anything else. */
    lookUpTold(sharedId: string, requestId: string, answer: 'found' | 'none' | undefined) {
      const ask = askOf({ requestId, sharedId });
      if (!ask) return;
      if (answer === undefined) ask.failures += 1;
      if (answer === 'none') ask.hasNone ||= isBelieved(ask.chat.askedAt ?? 0, now());
    },
    /** A message came onto the close queue. */
    queued(body: string) {
      const { requestId, conversationId } = readMessage(body);
      const ask = conversationId && askOf({ requestId, conversationId });
      if (ask) ask.isContinued = true;
    },
    /** The close queue has handed a message out. */
    received(body: string) {
      const message = readMessage(body);
      const ask = askOf(message);
      if (!ask) return;
      ask.receipts = [...ask.receipts.slice(-1), now()];
      if (message.conversationId !== undefined) ask.firstReceivedAt ??= now();
    },
    /** A message was deleted from the close queue. */
    deleted(body: string) {
      const message = readMessage(body);
      const ask = askOf(message);
      if (ask && mayBeDeleted(ask, message)) return;
      deletedEarly.push(ask ? describe(ask) : `request ${message.requestId}, which nobody has made`);
    },
    deadLettered(body: string, { outcome, reason }: { outcome?: string; reason?: string }) {
      const message = readMessage(body);
      const chat = chats.get(message.conversationId ?? '');
      const ask = askOf(message) ?? (chat && asks.of(message.requestId, chat));
      if (!ask) {
        unknownDeadLetters.push(`${outcome}: of no chat that was asked for`);
        return;
      }
      const letter = { receivedAt: Date.parse(message.receivedAt), at: now() };
      ask.letters.push({ ...letter, ...(outcome && { outcome }), ...(reason && { reason }) });
    },
    /** @param isOpen as PolyAI's stand-in knows */
    report(isOpen: (id: string) => boolean): Report {
      const all = [...chats.values()];
      const asked = all.filter(({ askedAt }) => askedAt !== undefined);
      const everyAsk = asks.all();
      const acknowledged = everyAsk.filter(({ isAcknowledged }) => isAcknowledged);
      const letters = everyAsk.flatMap((ask) => ask.letters.map((letter) => ({ ask, letter })));
      const deadLetters: Record<string, number> = {};
      for (const { letter } of letters) {
        const outcome = letter.outcome ?? 'none';
        deadLetters[outcome] = (deadLetters[outcome] ?? 0) + 1;
      }
      return {
        closes: asked.length,
        acknowledged: asked.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined).length,
        requests: acknowledged.length,
        neverAcknowledged: seen.neverAcknowledged,
        forgeries: seen.forgeries,
        forgeriesAccepted: seen.forgeriesAccepted,
        lost: acknowledged.filter((ask) => !isEnded(ask)).map(describe),
        deletedEarly,
        wronglyClosed,
        wronglyCalled,
        conflictingFinals: everyAsk.filter(isConflicting).map(describe),
        unexplainedDeadLetters: [
          ...unknownDeadLetters,
          ...letters
            .filter(({ ask, letter }) => !isExplained(schedule, ask, letter))
            .map(({ ask, letter }) => `${letter.outcome}: ${letter.reason} (${describe(ask)})`),
        ],
        deadLetters,
        needlessDeadLetters: letters.filter(({ ask }) => !isOpen(ask.chat.id)).length,
        lateCopies: everyAsk.filter(isLateCopy).length,
        closed: asked.filter(({ id }) => !isOpen(id)).length,
        calls: seen.calls,
        callsPerClose: seen.calls / Math.max(1, asked.length),
        mostCalls: all.reduce((most, { calls }) => Math.max(most, calls), 0),
        recoveries: recoveries.report(),
      };
    },
  };
}
