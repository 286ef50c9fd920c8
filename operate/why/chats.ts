import type { LoggedLine } from '../lines.ts';
import { idsOf, names } from './ids.ts';

/** A chat that an id leads to, with every line about it in the order of their times. */
export type Chat = {
  conversationId?: string;
  /** Set while the conversation of a look-up is not known. */
  sharedId?: string;
  /** The CRM's ticket or case. */
  crmRef?: string;
  lines: LoggedLine[];
};

/** The ids to search for next: those of the chats, and those of the requests that asked for them. */
export function relatedIds(lines: readonly LoggedLine[], id: string): string[] {
  const about = lines.filter((line) => names(line, id));
  const isTicket = about.some((line) => idsOf(line).tickets.includes(id));
  const related = about.flatMap((line) => {
    const { conversations, shared, tickets, requests } = idsOf(line);
    // A batch names many chats. Only its own tells which of them a ticket has, so a batch is not followed.
    const isBatch = conversations.length + shared.length > 1 && !requests.includes(id);
    if (isBatch) return [id];
    return [...conversations, ...shared, ...(isTicket ? tickets : []), ...requests];
  });
  return [...new Set([id, ...related])];
}

/**
 * Groups lines by chat. A look-up that found its conversation is one chat with it. A delivery without any id of a chat
 * belongs to its ticket, and without a ticket to its request.
 *
 * @param id what was asked for: only chats that a line connects with it are returned
 */
export function chatsOf(lines: readonly LoggedLine[], id: string): Chat[] {
  const resolved = resolutionsOf(lines);
  const chats = new Map<string, Chat>();
  const related = relatedIds(lines, id);
  for (const line of lines) {
    if (!related.some((each) => names(line, each))) continue;
    for (const { key, ...chat } of keysOf(line, resolved)) {
      const known = chats.get(key) ?? { ...chat, lines: [] };
      chats.set(key, { ...chat, ...known, lines: [...known.lines, line] });
    }
  }
  const all = [...chats.values()].filter((chat) => isWanted(chat, id));
  return mergeTickets(all);
}

type Key = { key: string } & Omit<Chat, 'lines'>;

/** Which conversation each shared id led to. */
function resolutionsOf(lines: readonly LoggedLine[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { type, shared_id, conversation_id } of lines) {
    if (type !== 'close' || typeof conversation_id !== 'string' || typeof shared_id !== 'string') continue;
    found.set(shared_id, conversation_id);
  }
  return found;
}

function keysOf(line: LoggedLine, resolved: Map<string, string>): Key[] {
  const { conversations, shared, tickets, requests } = idsOf(line);
  const crmRef = tickets.length === 1 ? { crmRef: tickets[0] as string } : {};
  const ofConversation = (conversationId: string): Key => ({
    key: `c ${conversationId}`,
    conversationId,
    ...crmRef,
  });
  const ofShared = shared.map((sharedId): Key => {
    const conversationId = resolved.get(sharedId);
    return conversationId === undefined
      ? { key: `s ${sharedId}`, sharedId, ...crmRef }
      : ofConversation(conversationId);
  });
  // A look-up that found its conversation names it twice.
  const keys = new Map([...conversations.map(ofConversation), ...ofShared].map((each) => [each.key, each]));
  if (keys.size > 0) return [...keys.values()];
  const [ticket] = tickets;
  if (ticket !== undefined) return [{ key: `t ${ticket}`, crmRef: ticket }];
  return requests.map((request) => ({ key: `r ${request}` }));
}

/** Of a batch only the chats that were asked for. */
function isWanted(chat: Chat, id: string): boolean {
  if (chat.conversationId === id || chat.sharedId === id || chat.crmRef === id) return true;
  return chat.lines.some((line) => {
    const { requests, deliveries, correlations, shared, tickets, conversations } = idsOf(line);
    if ([...requests, ...deliveries, ...correlations].includes(id)) return true;
    // A line about this chat alone connects it with its ticket or shared id.
    return conversations.length <= 1 && [...shared, ...tickets].includes(id);
  });
}

/** A delivery that names only the ticket, such as an update without the field, belongs to the ticket's chats. */
function mergeTickets(chats: readonly Chat[]): Chat[] {
  const isBare = (chat: Chat) => chat.conversationId === undefined && chat.sharedId === undefined;
  const full = chats.filter((chat) => !isBare(chat));
  const bare = chats.filter(isBare);
  if (full.length === 0) return bare;
  return full.map((chat) => {
    const own = bare.filter(({ crmRef }) => crmRef !== undefined && crmRef === chat.crmRef);
    const lines = [...chat.lines, ...own.flatMap((each) => each.lines)];
    return { ...chat, lines: lines.sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at))) };
  });
}
