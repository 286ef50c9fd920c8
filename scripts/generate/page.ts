import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Crm } from '../../functions/crm/crm.ts';
import { DocumentError } from './document-error.ts';

const GROUPS = ['webhook', 'bus', 'any'] as const;

/** The tables of docs/crm/README.md: vendors' webhooks, event buses, anything else. */
export type Group = (typeof GROUPS)[number];

/** The cells of the tables, as every page states them for its CRM. Links are relative to the page. */
const ALWAYS = ['proof', 'finished', 'id', 'carries'] as const;
/** Stated where the preset takes `lookUp`. */
const WITH_LOOK_UP = ['shared', 'change', 'time'] as const;

export type Fact = (typeof ALWAYS)[number] | (typeof WITH_LOOK_UP)[number] | 'secret';

/** A preset with what its page says about it. */
export type Page = {
  crm: string;
  preset: Crm;
  /** Relative to the root. */
  file: string;
  text: string;
  title: string;
  group: Group;
  facts: Partial<Record<Fact, string>>;
};

/**
 * Reads docs/crm/<crm>.md. Its facts are in a comment at its top, `key: value` on each line: GitHub would show
 * YAML front matter as a table.
 *
 * @throws {DocumentError} when there is no page, or with everything that is wrong with it
 */
export function readPage(root: string, crm: string, preset: Crm): Page {
  const file = `docs/crm/${crm}.md`;
  const path = join(root, file);
  if (!existsSync(path)) throw new DocumentError(`${file} is missing. CONTRIBUTING.md says what it holds.`);
  const text = readFileSync(path, 'utf8');
  const { group, ...facts } = readFacts(file, text);
  const [, title = ''] = /^# (.+)$/m.exec(text) ?? [];
  const problems = [
    ...(title === '' ? ['has no title. Add a line that begins with "# ".'] : []),
    ...factProblems(facts, preset),
    ...groupProblems(group, preset),
  ];
  if (problems.length > 0) throw new DocumentError(problems.map((each) => `${file} ${each}`).join('\n'));
  return { crm, preset, file, text, title, group: group as Group, facts };
}

function factProblems(facts: Record<string, string>, preset: Crm): string[] {
  const needed = [
    ...ALWAYS,
    ...(preset.takes.includes('lookUp') ? WITH_LOOK_UP : []),
    ...(preset.vendorIssuesSecret ? ['secret'] : []),
  ];
  const missing = needed.filter((fact) => !facts[fact]);
  const unknown = Object.keys(facts).filter((fact) => !needed.includes(fact));
  return [
    ...missing.map((fact) => `lacks the fact "${fact}".`),
    ...unknown.map((fact) => `has a fact "${fact}" that no table shows for this preset.`),
  ];
}

function groupProblems(group: string | undefined, { bus }: Crm): string[] {
  if (!GROUPS.some((each) => each === group)) return [`must have a group among ${GROUPS.join(', ')}.`];
  return (group === 'bus') === (bus !== undefined)
    ? []
    : ['must have the group "bus" if its preset has a bus, and only then.'];
}

/**
 * The schemes among which a connection of this preset may choose by `verify`.
 *
 * @param chosen the schemes that `verify` offers
 */
export function choicesOf({ preset }: Page, chosen: readonly string[]): readonly string[] {
  return preset.takes.includes('verify') ? (preset.schemes ?? chosen) : [];
}

function readFacts(file: string, text: string): Record<string, string> {
  const [, lines] = /^<!-- facts\n([\s\S]*?)^-->$/m.exec(text) ?? [];
  if (lines === undefined || !text.startsWith('<!-- facts\n')) {
    throw new DocumentError(`${file} must begin with its facts, in a comment that opens with "<!-- facts".`);
  }
  const pairs = lines
    .trim()
    .split('\n')
    .map((line) => /^([a-z]+): (.+)$/.exec(line) ?? [line]);
  return Object.fromEntries(
    pairs.map(([line, key, value]) => {
      if (!key || !value) throw new DocumentError(`${file}: "${line}" is not a fact. Write "key: value".`);
      return [key, value];
    }),
  );
}
