import { valueAt } from '../../functions/json.ts';
import type { Deployment } from '../deployment.ts';
import { explain } from '../error.ts';
import type { Span } from '../lines.ts';
import { listOpenChats } from '../open-chats.ts';
import { OVER } from './causes.ts';
import type { JudgedChat, Why, WhyParts } from './why.ts';

/** What PolyAI's own list says of a chat. The list lags, so a difference of a few minutes means nothing. */
export type PolyAIView = { listedAsOpen: boolean | null; sentence: string };

const LAG = 'PolyAI’s list lags behind, so ask again in a few minutes.';

/** Compares each chat of a conversation with PolyAI's list of open chats. A list that cannot be read is said, not thrown. */
export async function askPolyAI(
  { chats }: Why,
  deployment: Deployment,
  span: Span,
  parts: WhyParts & Parameters<typeof listOpenChats>[3],
): Promise<Map<JudgedChat, PolyAIView>> {
  const lists = new Map<string, Promise<Set<unknown> | string>>();
  const listOf = (project: string) => {
    const known = lists.get(project) ?? openIds(project, deployment, span, parts);
    lists.set(project, known);
    return known;
  };
  const views = new Map<JudgedChat, PolyAIView>();
  for (const chat of chats) {
    const project = projectOf(chat, deployment);
    if (chat.conversationId === undefined || project === undefined) continue;
    views.set(chat, compare(chat, await listOf(project)));
  }
  return views;
}

/** @returns the ids of the open chats, or why there are none */
async function openIds(
  project: string,
  deployment: Deployment,
  span: Span,
  parts: Parameters<typeof listOpenChats>[3],
): Promise<Set<unknown> | string> {
  try {
    const chats = await listOpenChats(project, deployment, span, parts);
    return new Set(chats.map((chat) => valueAt(chat, 'id')));
  } catch (error) {
    const text = explain(error);
    if (text === undefined) throw error;
    return text;
  }
}

function compare({ conversationId, verdict }: JudgedChat, list: Set<unknown> | string): PolyAIView {
  if (typeof list === 'string') return { listedAsOpen: null, sentence: list };
  const listedAsOpen = list.has(conversationId);
  const isOver = OVER.includes(verdict.cause);
  if (listedAsOpen === !isOver) {
    return {
      listedAsOpen,
      sentence: listedAsOpen ? 'PolyAI lists it as open too.' : 'PolyAI does not list it as open either.',
    };
  }
  return {
    listedAsOpen,
    sentence: listedAsOpen
      ? `The adapter says that it is over, and PolyAI still lists it as open. ${LAG}`
      : `PolyAI does not list it as open: it has ended there, or began before this time. ${LAG}`,
  };
}

/** The project of a chat: that of its closes, or else of the connection that delivered. */
function projectOf({ timeline }: JudgedChat, { configuration }: Deployment): string | undefined {
  const named = timeline.findLast(({ project }) => typeof project === 'string')?.project;
  const connection = timeline.findLast((line) => typeof line.connection === 'string')?.connection;
  return typeof named === 'string' ? named : configuration.connections[String(connection)]?.polyai;
}
