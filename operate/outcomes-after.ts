import type { Aws } from './aws.ts';
import { followLines } from './follow.ts';
import type { LoggedLine } from './lines.ts';
import type { Surroundings } from './surroundings.ts';

/** More closes than this take longer than anybody waits. */
const MAX_FOLLOWED = 1000;
const FOLLOW_MS = 60_000;

type Parts = Pick<Aws, 'logs'> & Pick<Surroundings, 'now' | 'progress' | 'signal' | 'sleep'>;

/**
 * Waits, for a minute at most, until each of the closes has been tried.
 *
 * @param ids conversations, or shared ids of look-ups
 * @param from when the first was queued, in Unix milliseconds
 * @returns how many have each outcome by then; `undefined` if there are too many to wait for
 */
export async function outcomesAfter(
  ids: readonly string[],
  group: string,
  from: number,
  parts: Parts,
): Promise<Record<string, number> | undefined> {
  // A look-up that found its conversation is followed by the close of that conversation.
  const wanted = new Map(ids.map((id) => [id, id]));
  const { size } = wanted;
  if (size === 0 || size > MAX_FOLLOWED) return undefined;
  const newest = new Map<string, LoggedLine>();
  const follow = { groups: [group], texts: [], from, timeoutMs: FOLLOW_MS };
  for await (const line of followLines(follow, parts)) {
    if (line.type !== 'close' || Date.parse(line.at) < from) continue;
    const { conversation_id, shared_id, outcome } = line;
    const id = wanted.get(String(conversation_id)) ?? wanted.get(String(shared_id));
    if (id === undefined) continue;
    if (outcome === 'resolved') wanted.set(String(conversation_id), id);
    else newest.set(id, line);
    parts.progress(`Waiting for the outcomes: ${newest.size} of ${size}`);
    if (newest.size === size) break;
  }
  const outcomes: Record<string, number> = {};
  for (const { outcome, final } of newest.values()) {
    const name = final ? String(outcome) : `${outcome}, tried again`;
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  }
  const missing = size - newest.size;
  return { ...outcomes, ...(missing > 0 && { 'not tried yet': missing }) };
}

/** The outcomes in words, the most frequent first. */
export function outcomesText(outcomes: Record<string, number>): string {
  const sorted = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  return sorted.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}
