export type Fault = {
  /** Where in the file, as `connections.zendesk-support.crm`; empty for the file as a whole. */
  path: string;
  /** The rest of a sentence that begins with the path. */
  problem: string;
  /** What to do about it: a sentence, whose full stop may be left out. */
  mend: string;
};

/** A fault of a value that does not know where it stands. */
export type Finding = Omit<Fault, 'path'>;

export type Path = readonly PropertyKey[];

/** Everything that is wrong with a configuration, as a message to print as it is. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
  readonly faults: Fault[];

  /** @param file as it was given, so that the reader recognises it */
  constructor(file: string, faults: Fault[]) {
    const lines = faults.map(
      ({ path, problem, mend }) =>
        `  ${path || 'the file'} ${problem}. ${mend}${/[.?!]$/.test(mend) ? '' : '.'}`,
    );
    super([`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${file}:`, ...lines].join('\n'));
    this.faults = faults;
  }
}

/** A path as a reader would write it; a name that is not plain stands in brackets and quotes. */
export function pathOf(...segments: Path): string {
  const parts = segments.map((segment) =>
    typeof segment === 'number'
      ? `[${segment}]`
      : /^[\w$-]+$/.test(String(segment))
        ? `.${String(segment)}`
        : `[${quote(segment)}]`,
  );
  return parts.join('').replace(/^\./, '');
}

const QUOTED_LENGTH = 60;

/** A value of the file as a message shows it: short, on one line, without control characters. */
export function quote(value: unknown): string {
  const text = String(value);
  const short = text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text;
  // A terminal would obey these.
  return JSON.stringify(short).replace(/[\u007f-\u009f]/g, '');
}

const FEW = 8;

/** The mend for a word that is none of the known ones: the likely one, and the others where they are few. */
export function suggest(word: unknown, known: readonly string[]): string {
  const meant = typeof word === 'string' ? nearest(word, known) : undefined;
  const choices = known.map(quote).join(', ');
  if (meant === undefined) return `Choose from ${choices}`;
  return `Did you mean ${quote(meant)}?${known.length > FEW ? '' : ` Known here: ${choices}`}`;
}

/** The known word that is a typing mistake or two away (at most `allowed`, in any case), if one is. */
export function nearest(
  word: string,
  known: readonly string[],
  allowed = Math.ceil(word.length / 3),
): string | undefined {
  const near = known
    .filter((each) => Math.abs(each.length - word.length) <= allowed)
    .map((each) => ({ each, edits: countEdits(word.toLowerCase(), each.toLowerCase()) }))
    .filter(({ edits }) => edits <= allowed);
  return near.sort((a, b) => a.edits - b.edits)[0]?.each;
}

/** Levenshtein's distance, one row at a time. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const kept = at(row, column - 1) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(kept, at(row, column) + 1, at(next, column - 1) + 1));
    }
    row = next;
  }
  return at(row, to.length);
}

function at(row: number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
