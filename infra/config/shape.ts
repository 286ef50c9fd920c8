import type { z } from 'zod';
import { type Fault, nearest, type Path, pathOf, quote, suggest } from './fault.ts';
import { schema } from './schema.ts';

type Issue = z.core.$ZodIssue;
type Shape = {
  /** Absent where the shape has a fault. */
  configuration?: z.output<typeof schema>;
  faults: Fault[];
  /** Paths of the keys that unknown ones were most likely meant to be. */
  meant: string[];
};

/** Checks the shape of the file against the schema, in the words of the schema. */
export function checkShape(value: unknown): Shape {
  const { success, data, error } = schema.safeParse(value);
  if (success) return { configuration: data, faults: [], meant: [] };
  return {
    faults: error.issues.flatMap((issue) => faultsOf(issue, value)),
    meant: error.issues.flatMap(meantBy),
  };
}

function faultsOf(issue: Issue, root: unknown): Fault[] {
  const path = pathOf(...issue.path);
  const value = valueAt(root, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: pathOf(...issue.path, key),
        problem: 'is not a key that is known here',
        mend: mendKey(key, knownKeys(issue)),
      }));
    case 'custom':
      return [{ path, problem: issue.message, mend: String(issue.params?.mend) }];
    case 'invalid_value':
      return [choiceFault(path, value, issue.values.map(String))];
    case 'invalid_union':
      return [choiceFault(path, value, ('options' in issue ? issue.options : []).map(String))];
    case 'invalid_type':
      return [{ path, problem: typeProblem(value, issue.expected), mend: issue.message }];
    default:
      return [{ path, problem: 'cannot be used', mend: issue.message }];
  }
}

function mendKey(key: string, known: string[]): string {
  const meant = nearest(key, known);
  return meant === undefined
    ? `Remove it; known here are ${known.join(', ')}`
    : `Did you mean ${quote(meant)}?`;
}

function choiceFault(path: string, value: unknown, choices: string[]): Fault {
  const problem =
    typeof value === 'string' ? `is ${quote(value)}, which is unknown` : typeProblem(value, 'string');
  return { path, problem, mend: suggest(value, choices) };
}

function typeProblem(value: unknown, expected: string): string {
  if (value === undefined) return 'is missing';
  return `is ${withArticle(nameOfType(value))}, not ${withArticle(expected === 'record' ? 'object' : expected)}`;
}

function nameOfType(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function withArticle(type: string): string {
  return type === 'null' ? type : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

function meantBy(issue: Issue): string[] {
  if (issue.code !== 'unrecognized_keys') return [];
  return issue.keys.map((key) => pathOf(...issue.path, nearest(key, knownKeys(issue)) ?? key));
}

/** The schema's message for an unknown key lists the known ones. */
function knownKeys({ message }: Issue): string[] {
  return message.split(', ');
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
