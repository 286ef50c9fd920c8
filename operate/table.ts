/** What a table shows about one close or message. */
export type Row = {
  outcome: string;
  project: string;
  reason: string;
  /** Unix milliseconds: when the outcome was logged, or the message was dead-lettered. */
  loggedAt: number;
  connection: string;
  /** The CRM's ticket or case. */
  ticket: string;
  /** The conversation's id, or the shared id of a look-up. */
  conversation: string;
  /** Anything special about it. */
  note?: string;
};

const UNITS: [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
];

type Group = Pick<Row, 'outcome' | 'project' | 'reason'> & { count: number; oldestAt: number };

/**
 * Counts the rows of each kind: one line a kind, the most frequent first.
 *
 * @param now Unix milliseconds
 */
export function tabulate(rows: readonly Row[], now: number): string {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const { outcome, project, note = '' } = row;
    const reason = `${reasonOf(row)}${note && ` (${note})`}`;
    const key = JSON.stringify([outcome, project, reason]);
    const group = groups.get(key) ?? { outcome, project, reason, oldestAt: row.loggedAt, count: 0 };
    const oldestAt = Math.min(group.oldestAt, row.loggedAt);
    groups.set(key, { ...group, count: group.count + 1, oldestAt });
  }
  const lines = [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ count, outcome, project, reason, oldestAt }) => [
      String(count),
      ageOf(now - oldestAt),
      printable(outcome),
      printable(project),
      printable(reason),
    ]);
  return align([['count', 'oldest', 'outcome', 'project', 'reason'], ...lines], 2);
}

/** One line for each row, the oldest first. Times are in UTC. */
export function list(rows: readonly Row[]): string {
  const lines = [...rows]
    .sort((a, b) => a.loggedAt - b.loggedAt)
    .map(({ loggedAt, connection, ticket, conversation, outcome, note }) => [
      `${new Date(loggedAt).toISOString().slice(0, 19)}Z`,
      printable(connection),
      printable(ticket),
      printable(`${conversation}${note ? ` (${note})` : ''}`),
      printable(outcome),
    ]);
  return align([['time', 'connection', 'ticket', 'conversation', 'outcome'], ...lines], 0);
}

/** Leaves out the hours, so that closes that were given up for the same reason are counted together. */
function reasonOf({ reason }: Row): string {
  return reason.replace(/^given up after [\d.]+ h: /, 'given up: ');
}

/** An age in its largest whole unit: `3 d`, `5 h`, `0 m`. */
export function ageOf(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? ['m', 60_000];
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}

/** Replaces control characters, because this text comes from others and a terminal would obey it. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?').slice(0, 200);
}

/** @param numbers how many columns, from the left, hold numbers */
function align(lines: string[][], numbers: number): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column < numbers ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n');
}
