import { toConversationId } from '../../functions/conversation-id.ts';
import type { Aws } from '../aws.ts';
import type { Deployment } from '../deployment.ts';
import { type LoggedLine, type Span, searchLines } from '../lines.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Verdict } from './causes.ts';
import { type Chat, chatsOf, relatedIds } from './chats.ts';
import { findSuspect, type Suspect } from './suspect.ts';
import { judge, nextAfterRefusal } from './verdict.ts';

/** What `why` found out about an id. */
export type Why = {
  /** The id that was searched for: of an address of Agent Studio its last part. */
  id: string;
  /** ISO 8601, UTC. */
  from: string;
  to: string;
  /** Whether all lines of the span were read. */
  isComplete: boolean;
  /** One for each chat that the id leads to; without any, one that says so. */
  chats: JudgedChat[];
  /** Only when nothing arrived. */
  suspect?: Suspect;
};

export type JudgedChat = Omit<Chat, 'lines'> & { verdict: Verdict; timeline: LoggedLine[] };

export type WhyParts = Pick<Aws, 'logs' | 'secretsManager'> &
  Pick<Surroundings, 'now' | 'progress' | 'signal'>;

/** Ids lead to other ids: a ticket to its chat, the chat to the requests for it. */
const ROUNDS = 3;

/** Finds out why the chats that an id leads to were or were not closed. It reads the logs and changes nothing. */
export async function why(text: string, deployment: Deployment, span: Span, parts: WhyParts): Promise<Why> {
  const id = toConversationId(text) ?? text.trim();
  const { lines, isComplete } = await linesAbout(id, deployment, span, parts);
  const facts = { configuration: deployment.configuration, now: parts.now() };
  const chats = chatsOf(lines, id).map(({ lines: timeline, ...chat }) => ({
    ...chat,
    verdict: judge({ ...chat, lines: timeline }, facts),
    timeline,
  }));
  const found = { id, ...isoSpan(span), isComplete };
  if (chats.length > 0) return { ...found, chats };
  const suspect = await findSuspect(deployment, span, parts);
  const strays = suspect ? 0 : await countStrays(deployment, span, parts);
  return {
    ...found,
    chats: [{ verdict: notArrived(suspect, strays, deployment), timeline: [] }],
    ...(suspect && { suspect }),
  };
}

/** Searches in rounds: every id that a line about the chat names is searched for too. */
async function linesAbout(id: string, { logGroups }: Deployment, span: Span, parts: WhyParts) {
  const groups = [logGroups.receive, logGroups.event, logGroups.close];
  const lines = new Map<string, LoggedLine>();
  const searched = new Set<string>();
  let isComplete = true;
  for (let round = 0; round < ROUNDS; round += 1) {
    const all = [...lines.values()];
    const texts = (round === 0 ? [id] : relatedIds(all, id)).filter((each) => !searched.has(each));
    if (texts.length === 0) break;
    for (const each of texts) searched.add(each);
    const found = await searchLines({ ...span, groups, texts }, parts);
    isComplete &&= found.isComplete;
    for (const line of found.lines) if (!line.canary) lines.set(JSON.stringify(line), line);
  }
  const sorted = [...lines.values()].sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
  return { lines: sorted, isComplete };
}

/** How many deliveries came to an address that names no connection. Strangers try such addresses too. */
async function countStrays({ logGroups }: Deployment, span: Span, parts: WhyParts): Promise<number> {
  const search = { ...span, groups: [logGroups.receive], texts: ['unknown_connection'] };
  const { lines } = await searchLines(search, parts);
  return lines.filter(({ refused }) => refused === 'unknown_connection').length;
}

function isoSpan({ from, to }: Span) {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

function notArrived(suspect: Suspect | undefined, strays: number, { configuration }: Deployment): Verdict {
  const verdict = { cause: 'not_arrived', final: true } as const;
  if (!suspect) {
    const names = Object.keys(configuration.connections);
    const [only] = names.length === 1 ? names : [];
    const astray =
      strays > 0
        ? ` ${strays} ${strays === 1 ? 'delivery' : 'deliveries'} came to an address that names no connection.`
        : '';
    return {
      ...verdict,
      sentence: `Nothing arrived about it, and no connection refused anything.${astray} ${only ?? 'No connection'} ${only ? 'did not send it' : `of this stack sent it (${names.join(', ')})`}, or the CRM filtered it.`,
      next: `Resolve a test ticket and watch: npx --no chat-closer listen${only ? ` ${only}` : ''}`,
    };
  }
  const { connection, cause, refused, since, lastAccepted, secretChangedAt } = suspect;
  const last = lastAccepted
    ? `Its last delivery that was not refused came at ${lastAccepted}.`
    : 'It has had no other delivery in this time.';
  const changed = secretChangedAt ? ` Its secret was changed at ${secretChangedAt}.` : '';
  return {
    ...verdict,
    sentence: `Nothing about it was read. It was probably among the ${refused} deliveries of ${connection} that were refused since ${since}, most often with ${cause}. ${last}${changed}`,
    next: nextAfterRefusal(cause, connection),
  };
}
