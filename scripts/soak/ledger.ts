import type { Schedule } from './schedule.ts';
import { HOUR, MINUTE } from './schedule.ts';

// What is counted, from outside: what the CRMs were answered, what PolyAI's stand-in was asked and has done,
// and what lies in the queues. Nothing here reads a line that the program wrote.

type Chat = {
  id: string;
  project: string;
  sharedId?: string;
  openedAt: number;
  /** A genuine request for it was sent, and the first one that a CRM was answered 200 for. */
  askedAt?: number;
  acknowledgedAt?: number;
  closedAt?: number;
  calls: number;
  /** Calls that were answered otherwise than by a final answer, or not at all. */
  failures: number;
  /** What a worker was told that ends the matter, and for which request. */
  told: { answer: FinalAnswer; requestId: string }[];
  deadLetters: DeadLetter[];
  /** PolyAI always gives this chat such an answer. */
  refusedAs?: string;
};

export type FinalAnswer = 'closed' | 'over' | 'not_found' | 'rejected';

type DeadLetter = { requestId: string; outcome?: string; reason?: string; receivedAt: number; at: number };

export type Ledger = ReturnType<typeof createLedger>;

export type Report = {
  closes: number;
  acknowledged: number;
  /** Deliveries whose sender gave up without ever being answered 200. */
  neverAcknowledged: number;
  forgeries: number;
  lost: string[];
  wronglyClosed: string[];
  forgeriesAccepted: number;
  conflictingFinals: string[];
  unexplainedDeadLetters: string[];
  deadLetters: Record<string, number>;
  /** Of chats that were closed all the same, by another request for them or in spite of what PolyAI answered. */
  needlessDeadLetters: number;
  closed: number;
  calls: number;
  callsPerClose: number;
  mostCalls: number;
  /** From the end of a trouble to the last closure of what waited for it, and of the middle one; minutes. */
  recoveries: { trouble: string; count: number; medianMin: number; lastMin: number }[];
};

export function createLedger(schedule: Schedule, now: () => number) {
  const chats = new Map<string, Chat>();
  const byShared = new Map<string, Chat[]>();
  const wronglyClosed: string[] = [];
  const unknownDeadLetters: string[] = [];
  const recoveries = new Map<string, { trouble: string; waits: number[] }>();
  const seen = { calls: 0, forgeries: 0, forgeriesAccepted: 0, neverAcknowledged: 0 };

  /** A chat that a shared id may name: the one that was the newest when the request was made. */
  function ofShared(sharedId: string, at: number): Chat | undefined {
    return byShared.get(sharedId)?.findLast(({ openedAt }) => openedAt <= at) ?? byShared.get(sharedId)?.[0];
  }

  function noteRecovery(chat: Chat): void {
    // What PolyAI never confirms is closed by chance, if at all.
    if (chat.refusedAs) return;
    const { acknowledgedAt = now(), project } = chat;
    const over = schedule.windows.filter(
      (window) =>
        (window.project === undefined || window.project === project) &&
        window.to - window.from >= 10 * MINUTE &&
        window.from <= acknowledgedAt &&
        acknowledgedAt < window.to &&
        window.to <= now() &&
        ['outage', 'revoked', 'storm', 'event_source_off'].includes(window.trouble),
    );
    for (const window of over) {
      const key = `${window.trouble}${window.project ? ` of ${window.project}` : ''}, ${((window.to - window.from) / HOUR).toFixed(1)} h, from hour ${((window.from - (schedule.windows[0]?.from ?? 0)) / HOUR).toFixed(0)}`;
      const entry = recoveries.get(key) ?? { trouble: key, waits: [] };
      entry.waits.push(now() - window.to);
      recoveries.set(key, entry);
    }
  }

  return {
    opened(
      id: string,
      project: string,
      { sharedId, refusedAs }: { sharedId?: string; refusedAs?: string } = {},
    ) {
      const chat: Chat = {
        id,
        project,
        openedAt: now(),
        calls: 0,
        failures: 0,
        told: [],
        deadLetters: [],
        ...(sharedId && { sharedId }),
        ...(refusedAs && { refusedAs }),
      };
      chats.set(id, chat);
      if (sharedId) byShared.set(sharedId, [...(byShared.get(sharedId) ?? []), chat]);
    },
    asked(id: string) {
      const chat = chats.get(id);
      if (chat) chat.askedAt ??= now();
    },
    acknowledged(id: string) {
      const chat = chats.get(id);
      if (chat) chat.acknowledgedAt ??= now();
    },
    gaveUp() {
      seen.neverAcknowledged += 1;
    },
    forged(wasAccepted: boolean) {
      seen.forgeries += 1;
      if (wasAccepted) seen.forgeriesAccepted += 1;
    },
    refusedAs: (id: string) => chats.get(id)?.refusedAs,
    /** The stand-in was called; whether the chat is open after that. */
    called(id: string, isOpen: boolean) {
      seen.calls += 1;
      const chat = chats.get(id);
      if (!chat) return;
      chat.calls += 1;
      if (isOpen || chat.closedAt !== undefined) return;
      chat.closedAt = now();
      if (chat.askedAt === undefined) wronglyClosed.push(`${chat.id} of ${chat.project}`);
      noteRecovery(chat);
    },
    lookedUp() {
      seen.calls += 1;
    },
    /** A worker that lived was given this answer, or none. */
    told(id: string, requestId: string, answer: FinalAnswer | undefined) {
      const chat = chats.get(id);
      if (answer) chat?.told.push({ answer, requestId });
      else if (chat) chat.failures += 1;
    },
    lookUpFailed(sharedId: string) {
      const chat = ofShared(sharedId, now());
      if (chat) chat.failures += 1;
    },
    deadLettered(body: string, { outcome, reason }: { outcome?: string; reason?: string }) {
      const { conversationId, sharedId, receivedAt, requestId } = readMessage(body);
      const at = Date.parse(receivedAt);
      const chat = conversationId ? chats.get(conversationId) : ofShared(sharedId ?? '', at);
      if (!chat) {
        unknownDeadLetters.push(`${outcome}: of no chat that was asked for`);
        return;
      }
      const letter = { requestId, receivedAt: at, at: now() };
      chat.deadLetters.push({ ...letter, ...(outcome && { outcome }), ...(reason && { reason }) });
    },
    /** @param isOpen as PolyAI's stand-in knows */
    report(isOpen: (id: string) => boolean): Report {
      const all = [...chats.values()];
      const asked = all.filter(({ askedAt }) => askedAt !== undefined);
      const acknowledged = asked.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined);
      const isFinal = ({ id, told, deadLetters }: Chat) =>
        !isOpen(id) || told.length > 0 || deadLetters.length > 0;
      const letters = asked.flatMap((chat) => chat.deadLetters.map((letter) => ({ chat, letter })));
      const deadLetters: Record<string, number> = {};
      for (const { letter } of letters) {
        const outcome = letter.outcome ?? 'none';
        deadLetters[outcome] = (deadLetters[outcome] ?? 0) + 1;
      }
      const closed = asked.filter(({ id }) => !isOpen(id)).length;
      return {
        closes: asked.length,
        acknowledged: acknowledged.length,
        neverAcknowledged: seen.neverAcknowledged,
        forgeries: seen.forgeries,
        forgeriesAccepted: seen.forgeriesAccepted,
        lost: acknowledged.filter((chat) => !isFinal(chat)).map(describe),
        wronglyClosed,
        conflictingFinals: asked.filter(isConflicting).map(describe),
        unexplainedDeadLetters: [
          ...unknownDeadLetters,
          ...letters
            .filter(({ chat, letter }) => !isExplained(schedule, chat, letter))
            .map(({ chat, letter }) => `${letter.outcome}: ${letter.reason} (${describe(chat)})`),
        ],
        deadLetters,
        needlessDeadLetters: letters.filter(({ chat }) => !isOpen(chat.id)).length,
        closed,
        calls: seen.calls,
        callsPerClose: seen.calls / Math.max(1, asked.length),
        mostCalls: all.reduce((most, { calls }) => Math.max(most, calls), 0),
        recoveries: [...recoveries.values()].map(({ trouble, waits }) => {
          const sorted = waits.sort((a, b) => a - b);
          return {
            trouble,
            count: sorted.length,
            medianMin: (sorted[sorted.length >> 1] ?? 0) / MINUTE,
            lastMin: (sorted.at(-1) ?? 0) / MINUTE,
          };
        }),
      };
    },
  };
}

function describe({ id, project, calls, told, deadLetters, acknowledgedAt, closedAt }: Chat): string {
  const time = (at: number | undefined) => (at === undefined ? 'never' : new Date(at).toISOString());
  const letters = deadLetters.map(({ outcome, at, requestId }) => `${outcome} ${requestId} at ${time(at)}`);
  return `${id} of ${project}, acknowledged ${time(acknowledgedAt)}, closed ${time(closedAt)}, ${calls} calls, told ${told.map(({ answer, requestId }) => `${answer} ${requestId}`)}, dead letters ${letters}`;
}

/**
 * Two ends of one request. A repeat that says "already over" contradicts nothing, and neither does a shared id
 * that was not resolved in time: it says nothing about the chat. What else is dead-lettered beside a chat which
 * a worker knew was closed does.
 */
function isConflicting({ told, deadLetters }: Chat): boolean {
  return told.some(({ answer, requestId }) => {
    if (answer !== 'closed' && answer !== 'over') return false;
    const others = told.filter((each) => each.requestId === requestId);
    const letters = deadLetters.filter((each) => each.requestId === requestId);
    return (
      others.some((each) => each.answer === 'not_found' || each.answer === 'rejected') ||
      letters.some(({ outcome }) => outcome !== 'look_up_expired')
    );
  });
}

/** Whether the faults that were made account for a dead letter. */
function isExplained(schedule: Schedule, chat: Chat, { outcome, reason = '', receivedAt, at }: DeadLetter) {
  if (!outcome || !reason) return false;
  if (outcome === 'rejected')
    return chat.refusedAs === 'rejected' && chat.told.some(({ answer }) => answer === 'rejected');
  if (outcome === 'look_up_expired') {
    const expiresAt = receivedAt + 15 * MINUTE;
    return chat.failures > 0 || schedule.troubledMs(receivedAt, expiresAt, chat.project) > 0;
  }
  // Never confirmed, whatever the last answer was; or else the troubles must have lasted as long as the promise says that they may.
  if (chat.refusedAs === 'unconfirmed') return true;
  return schedule.troubledMs(at - 26 * HOUR, at, chat.project) >= 24 * HOUR;
}

type Message = { conversationId?: string; sharedId?: string; receivedAt: string; requestId: string };

function readMessage(body: string): Message {
  try {
    return JSON.parse(body);
  } catch {
    return { receivedAt: '', requestId: '' };
  }
}
