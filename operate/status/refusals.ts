import type { LoggedLine } from '../lines.ts';
import { mostFrequent } from '../why/suspect.ts';
import { nextAfterRefusal } from '../why/verdict.ts';
import type { Trouble } from './trouble.ts';

/**
 * The connections that only refuse now: those whose newest delivery was refused. What came before their last good
 * delivery has ended, so it does not count.
 */
export function refusals(lines: readonly LoggedLine[]): Trouble[] {
  const byConnection = Map.groupBy(
    lines.filter(
      ({ type, connection, canary }) => type === 'delivery' && typeof connection === 'string' && !canary,
    ),
    ({ connection }) => String(connection),
  );
  return [...byConnection].flatMap(([connection, deliveries]) => {
    const lastGood = deliveries.findLastIndex(({ refused }) => refused === undefined);
    const refused = deliveries.slice(lastGood + 1);
    return refused.length > 0 ? [refusalTrouble(connection, refused, deliveries[lastGood])] : [];
  });
}

function refusalTrouble(
  connection: string,
  refused: readonly LoggedLine[],
  lastGood: LoggedLine | undefined,
): Trouble {
  const code = mostFrequent(refused.map((line) => String(line.refused))) ?? '';
  const since = refused[0]?.at ?? '';
  const last = lastGood
    ? `Its last good delivery came at ${lastGood.at}.`
    : 'No delivery of it was good in this time.';
  return {
    cause: 'refused',
    connection,
    chats: refused.length,
    since,
    sentence: `Every delivery of ${connection} is refused since ${since}: ${refused.length}, most often with ${code}. ${last}`,
    next: nextAfterRefusal(code, connection),
  };
}
