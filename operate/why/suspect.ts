import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import type { Aws } from '../aws.ts';
import type { Deployment } from '../deployment.ts';
import { type LoggedLine, type Span, searchLines } from '../lines.ts';
import type { Surroundings } from '../surroundings.ts';

/** The connection that should probably have delivered, and what happened to its deliveries meanwhile. */
export type Suspect = {
  connection: string;
  /** The most frequent refusal. */
  cause: string;
  /** How many of its deliveries were refused. */
  refused: number;
  /** ISO 8601, UTC: the first refusal after the last delivery that was not refused. */
  since: string;
  lastAccepted?: string;
  /** When its secret was changed, if that was within an hour before the first refusal. */
  secretChangedAt?: string;
};

const HOUR_MS = 3_600_000;

type Parts = Pick<Aws, 'logs' | 'secretsManager'> & Pick<Surroundings, 'progress' | 'signal'>;

/** @returns the connection with the most refused deliveries in the span; `undefined` if nothing was refused */
export async function findSuspect(
  deployment: Deployment,
  span: Span,
  parts: Parts,
): Promise<Suspect | undefined> {
  const { receive, event } = deployment.logGroups;
  const groups = [receive, event];
  const { lines } = await searchLines({ ...span, groups, texts: ['refused'] }, parts);
  const refused = lines.filter(isRefused);
  const connection = mostFrequent(refused.map((line) => String(line.connection)));
  if (connection === undefined) return undefined;
  const lastAccepted = await findLast(connection, groups, span, parts);
  const own = refused.filter((line) => line.connection === connection);
  const recent = own.filter(({ at }) => lastAccepted === undefined || at > lastAccepted);
  const counted = recent.length > 0 ? recent : own;
  const since = counted[0]?.at ?? '';
  const secretChangedAt = await changeBefore(since, deployment.secrets.connections[connection], parts);
  return {
    connection,
    cause: mostFrequent(counted.map((line) => String(line.refused))) ?? '',
    refused: counted.length,
    since,
    ...(lastAccepted !== undefined && { lastAccepted }),
    ...(secretChangedAt !== undefined && { secretChangedAt }),
  };
}

function isRefused({ type, refused, connection, canary }: LoggedLine): boolean {
  return type === 'delivery' && typeof refused === 'string' && typeof connection === 'string' && !canary;
}

/** Looks back in growing steps, because a busy connection has its last delivery a moment ago. */
async function findLast(
  connection: string,
  groups: (string | undefined)[],
  { from, to }: Span,
  parts: Parts,
): Promise<string | undefined> {
  let end = to;
  for (let step = HOUR_MS; end > from; step *= 6) {
    const start = Math.max(from, end - step);
    const { lines } = await searchLines({ from: start, to: end, groups, texts: [connection] }, parts);
    const last = lines.findLast(
      (line) => line.type === 'delivery' && line.connection === connection && line.refused === undefined,
    );
    if (last) return last.at;
    end = start;
  }
  return undefined;
}

/** When a secret was changed, if that was at most an hour before the time. Not being allowed to look is no error. */
async function changeBefore(time: string, SecretId: string | undefined, { secretsManager }: Parts) {
  if (SecretId === undefined || time === '') return undefined;
  try {
    const { LastChangedDate } = await secretsManager.send(new DescribeSecretCommand({ SecretId }));
    const before = Date.parse(time) - Number(LastChangedDate ?? Number.NaN);
    return before >= 0 && before <= HOUR_MS ? LastChangedDate?.toISOString() : undefined;
  } catch {
    return undefined;
  }
}

export function mostFrequent(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
