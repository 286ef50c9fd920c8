import { RESOLVED_WITHIN_MS } from '../../functions/close/look-up.ts';
import { GIVE_UP_AFTER_MS, OUTCOMES, type Outcome } from '../../functions/close/outcome.ts';
import type { LoggedLine } from '../lines.ts';
import type { Trouble } from './trouble.ts';

const CLI = 'npx --no chat-closer';
const MINUTE_MS = 60_000;
/** Retries that take less time than this are the ordinary course. */
const ORDINARY_MS = 15 * MINUTE_MS;

const NONE: Partial<LoggedLine> = {};

/** The newest line of each chat, with the first line of its present run of attempts. */
type Attempts = { first: LoggedLine; newest: LoggedLine };

/**
 * The closes that wait for another try, by project and outcome. One that heals by itself is a trouble only when it has
 * waited for 15 minutes.
 *
 * @param now Unix milliseconds
 */
export function waitingCloses(lines: readonly LoggedLine[], now: number): Trouble[] {
  const waiting = [...attemptsByChat(lines).values()].filter(({ newest }) => newest.final !== true);
  const groups = Map.groupBy(
    waiting,
    ({ newest }) => `${newest.project} ${newest.outcome} ${isLookUp(newest)}`,
  );
  return [...groups.values()].flatMap((group) => {
    const since = group.map(({ first }) => first.at).sort()[0] ?? '';
    const newest = group[0]?.newest ?? NONE;
    const { project, outcome, reason } = newest;
    const rule = OUTCOMES[outcome as Outcome];
    if (!rule || (!rule.needsAction && now - Date.parse(since) < ORDINARY_MS)) return [];
    const givenUpAfterMs = isLookUp(newest) ? RESOLVED_WITHIN_MS : GIVE_UP_AFTER_MS;
    const healsUntil = new Date(Date.parse(since) + givenUpAfterMs).toISOString();
    return [waitingTrouble(outcome as Outcome, String(project), group.length, since, healsUntil, reason)];
  });
}

/** A shared id is resolved soon or never, so such a close is given up much earlier. */
function isLookUp({ shared_id, conversation_id }: Partial<LoggedLine>): boolean {
  return shared_id !== undefined && conversation_id === undefined;
}

function waitingTrouble(
  outcome: Outcome,
  project: string,
  chats: number,
  since: string,
  healsUntil: string,
  reason: unknown,
): Trouble {
  const why = typeof reason === 'string' ? ` (${reason})` : '';
  const heals = OUTCOMES[outcome].needsAction
    ? `If it is fixed by ${healsUntil}, no redrive is needed.`
    : `If it ends by ${healsUntil}, no redrive is needed.`;
  return {
    cause: outcome as Trouble['cause'],
    project,
    chats,
    since,
    healsUntil,
    sentence: `${count(chats)} of ${project} ${chats === 1 ? 'waits' : 'wait'} since ${since} with ${outcome}${why}. ${heals}`,
    next: NEXT[outcome]?.(project) ?? `${CLI} doctor`,
  };
}

const NEXT: Partial<Record<Outcome, (project: string) => string>> = {
  unauthorized: (project) => `Store keys that PolyAI accepts: ${CLI} secret set ${project}`,
  misdirected: (project) => `Correct region, account or project of ${project}: ${CLI} doctor`,
  unknown_target: () => 'Deploy the project again that the closes name',
  unavailable: () => 'Wait. If it lasts, ask PolyAI',
  throttled: () => 'Wait: PolyAI limits the calls',
};

/** Many chats that PolyAI does not know mean a wrong region or project, and not many chats that ended. */
export function unknownChats(lines: readonly LoggedLine[], threshold: number): Trouble[] {
  const over = [...attemptsByChat(lines).values()].filter(({ newest }) => newest.outcome === 'not_found');
  const groups = Map.groupBy(over, ({ newest }) => String(newest.project));
  return [...groups].flatMap(([project, group]) => {
    if (group.length < threshold) return [];
    const since = group.map(({ newest }) => newest.at).sort()[0] ?? '';
    return [
      {
        cause: 'not_found',
        project,
        chats: group.length,
        since,
        sentence: `PolyAI does not know ${count(group.length)} of ${project} since ${since}. Region, account or project may be wrong.`,
        next: `${CLI} doctor, then ${CLI} replay --outcome not_found --project ${project} --since 24h`,
      },
    ];
  });
}

/** @returns the attempts on each chat since its last final outcome, or that outcome */
function attemptsByChat(lines: readonly LoggedLine[]): Map<string, Attempts> {
  const chats = new Map<string, Attempts>();
  for (const line of lines) {
    if (line.type !== 'close' || line.canary) continue;
    const key = `${line.project} ${line.conversation_id ?? line.shared_id ?? line.request_id}`;
    const known = chats.get(key);
    const goesOn = known && known.newest.final !== true;
    chats.set(key, { first: goesOn ? known.first : line, newest: line });
  }
  return chats;
}

export function count(chats: number): string {
  return `${chats} ${chats === 1 ? 'chat' : 'chats'}`;
}
