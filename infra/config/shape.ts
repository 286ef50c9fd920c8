import type { z } from 'zod';
import { type Fault, type Path, pathTo, quote, suggest } from './fault.ts';
import type { Params } from './rule.ts';
import { type Configuration, schemaFor } from './schema.ts';

type Issue = z.core.$ZodIssue;
type Shape = {
  /** Absent if there are faults. */
  configuration?: Configuration;
  faults: Fault[];
};

/**
 * Checks a file against the schema and its rules.
 *
 * @param stackName the names of the secrets that the stack makes begin with it
 */
export function checkShape(value: unknown, stackName: string): Shape {
  const { success, data, error } = schemaFor(stackName).safeParse(value);
  if (success) return { configuration: data, faults: [] };
  const meant = new Set(error.issues.flatMap(meantBy));
  // A misspelt key is one fault: the right one is not missing as well.
  const issues = error.issues.filter(
    (issue) => !(isMissing(issue, value) && meant.has(pathTo(...issue.path))),
  );
  return { faults: issues.map((issue) => faultOf(issue, value)) };
}

function faultOf(issue: Issue, root: unknown): Fault {
  const path = pathTo(...issue.path);
  const value = valueAt(root, issue.path);
  switch (issue.code) {
    case 'custom':
      return { path, problem: issue.message, fix: String(paramsOf(issue).fix) };
    case 'invalid_value':
      return choiceFault(path, value, issue.values.map(String));
    case 'invalid_union':
      return choiceFault(path, value, ('options' in issue ? issue.options : []).map(String));
    case 'invalid_type':
      return { path, problem: typeProblem(value, issue.expected), fix: issue.message };
    default:
      return { path, problem: 'is not valid', fix: issue.message };
  }
}

function choiceFault(path: string, value: unknown, choices: string[]): Fault {
  const problem =
    typeof value === 'string' ? `is ${quote(value)}, which is unknown` : typeProblem(value, 'string');
  return { path, problem, fix: suggest(value, choices) };
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

function isMissing(issue: Issue, root: unknown): boolean {
  return issue.code === 'custom'
    ? paramsOf(issue).isMissing === true
    : valueAt(root, issue.path) === undefined;
}

/** The path of the key that an unknown one was most likely meant to be. */
function meantBy(issue: Issue): string[] {
  const { meant } = paramsOf(issue);
  return meant === undefined ? [] : [pathTo(...issue.path.slice(0, -1), meant)];
}

function paramsOf(issue: Issue): Partial<Params> {
  return issue.code === 'custom' ? (issue.params ?? {}) : {};
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
