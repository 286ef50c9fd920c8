/** What a table tells of one close or message. */
export type Row = {
  outcome: string;
  project: string;
  reason: string;
  /** Unix milliseconds. */
  at: number;
  connection: string;
  /** The CRM's ticket or case. */
  ticket: string;
  /** The conversation's id, or the shared id of a look-up. */
  conversation: string;
  /** What is special about it. */
  note?: string;
};

const UNITS: [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
];

type Group = Pick<Row, 'outcome' | 'project' | 'reason' | 'at'> & { count: number };

/** How many there are of each kind, the most frequent first, one line each. */
export function tabulate(rows: readonly Row[], now: number): string {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const { outcome, project, note = '' } = row;
    const reason = `${reasonOf(row)}${note && ` (${note})`}`;
    const key = JSON.stringify([outcome, project, reason]);
    const group = groups.get(key) ?? { outcome, project, reason, at: row.at, count: 0 };
    groups.set(key, { ...group, count: group.count + 1, at: Math.min(group.at, row.at) });
  }
  const lines = [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ count, outcome, project, reason, at }) => [
      String(count),
      ageOf(now - at),
      printable(outcome),
      printable(project),
      printable(reason),
    ]);
  return align([['count', 'oldest', 'outcome', 'project', 'reason'], ...lines], 2);
}

/** One line each, the oldest first; times in UTC. */
export function list(rows: readonly Row[]): string {
  const lines = [...rows]
    .sort((a, b) => a.at - b.at)
    .map(({ at, connection, ticket, conversation, outcome, note }) => [
      `${new Date(at).toISOString().slice(0, 19)}Z`,
      printable(connection),
      printable(ticket),
      printable(`${conversation}${note ? ` (${note})` : ''}`),
      printable(outcome),
    ]);
  return align([['time', 'connection', 'ticket', 'conversation', 'outcome'], ...lines], 0);
}

/** Without the hours, which differ between closes that were given up for the same reason. */
function reasonOf({ reason }: Row): string {
  return reason.replace(/^given up after [\d.]+ h: /, 'given up: ');
}

export function ageOf(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? ['m', 60_000];
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}

/** What others wrote must not command the terminal. */
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
