import {
  type Ask,
  type Chat,
  createAsks,
  type FinalAnswer,
  isBelieved,
  isEnded,
  type Message,
  mayBeGone,
  readMessage,
} from './asks.ts';
import {
  describe,
  describeChat,
  isConflicting,
  isExplained,
  isLateCopy,
  isServedLookUp,
  noteCall,
} from './explain.ts';
import { createRecoveries, type Recovery } from './recoveries.ts';
import { HOUR, type Schedule } from './schedule.ts';

// Counts from outside: the answers to the CRMs, the calls to PolyAI's stand-in and its chats, and the messages in the
// queues. Nothing here reads a line that the program wrote.

/** A deleted message may come back within the visibility time-out. */
const OVER_AFTER_MS = 3 * HOUR;
/** No CRM delivers again so late. */
const FORGOTTEN_AFTER_MS = 30 * HOUR;

export type Ledger = ReturnType<typeof createLedger>;

export type Report = {
  closes: number;
  acknowledged: number;
  /** Closes that were acknowledged, counted by chat and request id. */
  requests: number;
  /** Deliveries whose sender gave up without an answer 200. */
  neverAcknowledged: number;
  forgeries: number;
  /** Acknowledged requests that have not ended. */
  lost: string[];
  /** Messages that were deleted before their request ended. */
  deletedEarly: string[];
  wronglyClosed: string[];
  /** Calls about a chat or a ticket that the request did not name. */
  wronglyCalled: string[];
  forgeriesAccepted: number;
  conflictingFinals: string[];
  unexplainedDeadLetters: string[];
  deadLetters: Record<string, number>;
  /** Dead letters of chats that were closed anyway: by another request, or despite PolyAI's answer. */
  needlessDeadLetters: number;
  /** Dead letters of requests that had ended before and were delivered again. */
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
  let past = judgeAsks(schedule, [], () => false);
  let pastChats = countChats([], () => false);
  let idleAt = 0;
  const seen = { calls: 0, forgeries: 0, forgeriesAccepted: 0, neverAcknowledged: 0 };

  function askOf({ requestId, conversationId, sharedId }: Partial<Message>): Ask | undefined {
    if (requestId === undefined || (conversationId ?? sharedId) === undefined) return undefined;
    return asks.find(requestId, (chat) =>
      conversationId === undefined ? chat.sharedId === sharedId : chat.id === conversationId,
    );
  }

  /** The requests for those ids that the run has opened. */
  function asksOf(requestId: string, ids: readonly string[]): Ask[] {
    return ids.flatMap((id) => {
      const chat = chats.get(id);
      if (!chat) return [];
      chat.namedAt = now();
      return [asks.of(requestId, chat)];
    });
  }

  function fail(ask: Ask): void {
    ask.failures += 1;
    ask.failedAt = now();
  }

  return {
    opened(id: string, project: string, more: Pick<Chat, 'sharedId' | 'refusedAs' | 'isNeverStored'> = {}) {
      chats.set(id, { id, project, openedAt: now(), namedAt: now(), calls: 0, ...more });
    },
    asked(id: string) {
      const chat = chats.get(id);
      if (chat) chat.askedAt ??= now();
    },
    /** A valid delivery is sent. This is not called when its id is known only from the answer. */
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
    /**
     * The stand-in was called.
     *
     * @param isOpen whether the chat is still open
     * @param requestId without it, any request for the chat counts
     */
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
    /** A living worker received this answer, or none. @param waitMs the wait that the answer asked for */
    answered(id: string, requestId: string, answer: FinalAnswer | undefined, waitMs = 0) {
      const [ask] = asksOf(requestId, [id]);
      if (!ask) return;
      noteCall(schedule, ask, now(), waitMs);
      if (answer) ask.heard.push({ answer, at: now() });
      else fail(ask);
    },
    /** A living worker received this answer to a look-up: there is a chat, there is none, or any other answer. */
    lookUpAnswered(sharedId: string, requestId: string, answer: 'found' | 'none' | undefined, waitMs = 0) {
      const ask = askOf({ requestId, sharedId });
      if (!ask) return;
      noteCall(schedule, ask, now(), waitMs);
      if (answer === undefined) fail(ask);
      if (answer === 'none') ask.hasNone ||= isBelieved(ask.chat.askedAt ?? 0, now());
    },
    /** A message was sent to the close queue, or came back after its deletion. */
    queued(body: string) {
      const ask = askOf(readMessage(body));
      if (ask) ask.onQueue += 1;
    },
    /** A message was received from the close queue. */
    received(body: string) {
      const message = readMessage(body);
      const ask = askOf(message);
      if (!ask) return;
      ask.receipts = [...ask.receipts.slice(-1), now()];
      ask.firstReceiptAt ??= now();
      ask.busySince = idleAt;
      ask.wasServed ||= isServedLookUp(schedule, message, now());
      if (message.conversationId !== undefined) ask.firstReceivedAt ??= now();
    },
    /** No message waits for a worker. */
    idle() {
      idleAt = now();
    },
    /** A fault of AWS that the soak made kept these messages from being worked on. */
    hindered(bodies: readonly string[]) {
      for (const body of bodies) {
        const ask = askOf(readMessage(body));
        if (!ask) continue;
        noteCall(schedule, ask, now(), 0);
        ask.hinderedAt = now();
      }
    },
    /** A message was deleted from the close queue. */
    deleted(body: string) {
      const message = readMessage(body);
      const ask = askOf(message);
      if (ask) ask.onQueue -= 1;
      if (ask && mayBeGone(ask)) return;
      deletedEarly.push(ask ? describe(ask) : `request ${message.requestId}, which nobody sent`);
    },
    deadLettered(body: string, { outcome, reason }: { outcome?: string; reason?: string }) {
      const message = readMessage(body);
      const chat = chats.get(message.conversationId ?? '');
      const ask = askOf(message) ?? (chat && asks.of(message.requestId, chat));
      if (!ask) {
        unknownDeadLetters.push(`${outcome}: no request asked for this chat`);
        return;
      }
      const letter = {
        receivedAt: Date.parse(message.receivedAt),
        at: now(),
        busySince: ask.busySince,
      };
      ask.letters.push({ ...letter, ...(outcome && { outcome }), ...(reason && { reason }) });
    },
    /**
     * Judges what is over and forgets it, so that a run needs memory only for what is under way.
     *
     * @param forget called with each chat that is forgotten
     */
    forgetOver(isOpen: (id: string) => boolean, forget: (id: string, sharedId?: string) => void): void {
      const over = asks.removeOver((ask) => isOver(ask, now()));
      past = addUp(past, judgeAsks(schedule, over, isOpen));
      const named = new Set(asks.all().map(({ chat }) => chat));
      const done = [...chats.values()].filter(
        (chat) => chat.namedAt < now() - FORGOTTEN_AFTER_MS && !named.has(chat),
      );
      pastChats = addUpChats(pastChats, countChats(done, isOpen));
      for (const { id, sharedId } of done) {
        chats.delete(id);
        forget(id, sharedId);
      }
    },
    /** @param isOpen whether the chat is open at PolyAI's stand-in */
    report(isOpen: (id: string) => boolean): Report {
      const counted = addUpChats(pastChats, countChats([...chats.values()], isOpen));
      const judged = addUp(past, judgeAsks(schedule, asks.all(), isOpen));
      return {
        ...counted,
        ...judged,
        unexplainedDeadLetters: [...unknownDeadLetters, ...judged.unexplainedDeadLetters],
        ...seen,
        callsPerClose: seen.calls / Math.max(1, counted.closes),
        deletedEarly,
        wronglyClosed,
        wronglyCalled,
        recoveries: recoveries.report(),
      };
    },
  };
}

type ChatCounts = Pick<Report, 'closes' | 'acknowledged' | 'closed' | 'mostCalls'>;
type Judged = ReturnType<typeof judgeAsks>;

/** Whether nothing of a request can happen any more: it has ended, and none of its messages is left. */
function isOver(ask: Ask, now: number): boolean {
  const { heard, letters, receipts, sentAt = 0, hinderedAt = 0, calledAt = 0 } = ask;
  const times = [...heard, ...letters].map(({ at }) => at);
  const last = Math.max(sentAt, hinderedAt, calledAt, ...receipts, ...times);
  return ask.onQueue <= 0 && last < now - OVER_AFTER_MS && (isEnded(ask) || !ask.isAcknowledged);
}

function countChats(chats: readonly Chat[], isOpen: (id: string) => boolean): ChatCounts {
  const asked = chats.filter(({ askedAt }) => askedAt !== undefined);
  return {
    closes: asked.length,
    acknowledged: asked.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined).length,
    closed: asked.filter(({ id }) => !isOpen(id)).length,
    mostCalls: chats.reduce((most, { calls }) => Math.max(most, calls), 0),
  };
}

function addUpChats(a: ChatCounts, b: ChatCounts): ChatCounts {
  return {
    closes: a.closes + b.closes,
    acknowledged: a.acknowledged + b.acknowledged,
    closed: a.closed + b.closed,
    mostCalls: Math.max(a.mostCalls, b.mostCalls),
  };
}

function addUp(a: Judged, b: Judged): Judged {
  const deadLetters = { ...a.deadLetters };
  for (const [outcome, count] of Object.entries(b.deadLetters)) {
    deadLetters[outcome] = (deadLetters[outcome] ?? 0) + count;
  }
  return {
    requests: a.requests + b.requests,
    lost: [...a.lost, ...b.lost],
    conflictingFinals: [...a.conflictingFinals, ...b.conflictingFinals],
    unexplainedDeadLetters: [...a.unexplainedDeadLetters, ...b.unexplainedDeadLetters],
    deadLetters,
    needlessDeadLetters: a.needlessDeadLetters + b.needlessDeadLetters,
    lateCopies: a.lateCopies + b.lateCopies,
  };
}

/** What became of every request, and what a run must not have. */
function judgeAsks(schedule: Schedule, asks: readonly Ask[], isOpen: (id: string) => boolean) {
  const acknowledged = asks.filter(({ isAcknowledged }) => isAcknowledged);
  const letters = asks.flatMap((ask) => ask.letters.map((letter) => ({ ask, letter })));
  const deadLetters: Record<string, number> = {};
  for (const { letter } of letters) {
    const outcome = letter.outcome ?? 'none';
    deadLetters[outcome] = (deadLetters[outcome] ?? 0) + 1;
  }
  const unexplained = letters.filter(({ ask, letter }) => !isExplained(schedule, ask, letter));
  return {
    requests: acknowledged.length,
    lost: acknowledged.filter((ask) => !isEnded(ask)).map(describe),
    conflictingFinals: asks.filter(isConflicting).map(describe),
    unexplainedDeadLetters: unexplained.map(
      ({ ask, letter }) => `${letter.outcome}: ${letter.reason} (${describe(ask)})`,
    ),
    deadLetters,
    needlessDeadLetters: letters.filter(({ ask }) => !isOpen(ask.chat.id)).length,
    lateCopies: asks.filter(isLateCopy).length,
  };
}
