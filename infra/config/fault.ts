import { distance } from 'fastest-levenshtein';

/** What is wrong with a value, without its place in the file. */
export type Problem = {
  /** The rest of a sentence that begins with the path. */
  problem: string;
  /** What to do about it: a sentence, whose full stop may be left out. */
  fix: string;
};

/** What is wrong with the file, and where. */
export type Fault = Problem & {
  /** As in `connections.zendesk-support.crm`; empty for the file as a whole. */
  path: string;
};

/** The keys and positions that lead to a value. */
export type Path = readonly PropertyKey[];

/** All faults of a configuration, as a message to print as it is. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
  readonly faults: Fault[];

  /** @param file as it was given, so that the reader recognises it */
  constructor(file: string, faults: Fault[]) {
    const lines = faults.map(
      ({ path, problem, fix }) =>
        `  ${path || 'the file'} ${problem}. ${fix}${/[.?!]$/.test(fix) ? '' : '.'}`,
    );
    super([`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${file}:`, ...lines].join('\n'));
    this.faults = faults;
  }
}

/** A path as a reader would write it. A name with other characters than letters, digits, _, $ and - is quoted. */
export function pathTo(...segments: Path): string {
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
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const short = text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text;
  // A terminal obeys these control characters, and JSON does not escape them.
  return JSON.stringify(short).replace(/[\u007f-\u009f]/g, '');
}

const FEW = 8;

/** The fix for an unknown word: the likely one, and the other choices if there are few. */
export function suggest(word: unknown, known: readonly string[]): string {
  const meant = typeof word === 'string' ? nearest(word, known) : undefined;
  const choices = `Choose from ${known.map(quote).join(', ')}`;
  if (meant === undefined) return choices;
  return `Did you mean ${quote(meant)}?${known.length > FEW ? '' : ` ${choices}`}`;
}

/** The known word that is at most `allowed` typing mistakes away, whatever its case. */
export function nearest(
  word: string,
  known: readonly string[],
  allowed = Math.ceil(word.length / 3),
): string | undefined {
  const [best] = known
    .map((each) => ({ each, edits: distance(word.toLowerCase(), each.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return best && best.edits <= allowed ? best.each : undefined;
}
