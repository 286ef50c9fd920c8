import { judgeChat, type SkipReason } from '../functions/cleanup/stale.ts';
import { valueAt } from '../functions/json.ts';
import type { Deployment } from './deployment.ts';
import type { Span } from './lines.ts';
import { listedProject, listOpenChats } from './open-chats.ts';

/** A chat that PolyAI lists as open, and what the cleanup thinks of it. */
export type OpenChat = {
  conversationId: string;
  channel?: string;
  /** As PolyAI writes it. */
  startedAt?: string;
  /** `stale`: the cleanup would take it. `no_cleanup`: the project has none. Otherwise why it would not. */
  cleanup: 'stale' | 'no_cleanup' | 'outside_lookback' | SkipReason;
};

/**
 * Lists the chats that PolyAI has as open, the oldest first. Nothing of what was said in them is kept.
 *
 * @throws {OperatorError} when the project is unknown, its secret is not ready, or PolyAI does not give the list
 */
export async function openChats(
  name: string,
  deployment: Deployment,
  span: Span,
  parts: Parameters<typeof listOpenChats>[3],
): Promise<OpenChat[]> {
  const project = listedProject(name, deployment);
  const hasCleanup = deployment.configuration.projects[name]?.cleanup !== undefined;
  const now = parts.now();
  const chats = (await listOpenChats(name, deployment, span, parts)).flatMap((chat): OpenChat[] => {
    const { id, isOpen, openSince = now, skip } = judgeChat(chat, project, now);
    // A list that lags has chats that are over, and PolyAI may list those of another environment.
    if (!isOpen && skip !== 'unusable_id') return [];
    const isOutside = skip === undefined && openSince < now - project.cleanup.lookbackMs;
    const cleanup = hasCleanup ? (isOutside ? 'outside_lookback' : (skip ?? 'stale')) : 'no_cleanup';
    return [{ conversationId: id || '(unusable)', ...textsOf(chat), cleanup }];
  });
  return chats.sort((a, b) => timeOf(a) - timeOf(b));
}

function textsOf(chat: unknown): Pick<OpenChat, 'channel' | 'startedAt'> {
  const [channel, startedAt] = [valueAt(chat, 'channel'), valueAt(chat, 'started_at')];
  return {
    ...(typeof channel === 'string' && { channel }),
    ...(typeof startedAt === 'string' && { startedAt }),
  };
}

/** A chat whose start cannot be read comes last. */
function timeOf({ startedAt = '' }: OpenChat): number {
  const time = Date.parse(startedAt);
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}
