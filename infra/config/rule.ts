import type { z } from 'zod';
import type { Path, Problem } from './fault.ts';

/** An object of the file, whose values may have any type. */
export type Settings = Readonly<Record<string, unknown>>;

/** A broken rule. */
export type Breach = Problem & {
  /** Where, from the value that the rule is about. */
  path: Path;
  /** Whether a key is missing. A misspelt key that is meant to be it is then the only fault. */
  isMissing?: boolean;
};

/**
 * A rule across the keys of a value. It runs although the value has other faults, so it takes any value and never
 * throws.
 *
 * @param value with defaults filled in and unknown keys left out, if it has the right type
 * @param faulty the keys below which a fault is known already
 */
export type Rule = (value: unknown, faulty: ReadonlySet<PropertyKey>) => Breach[];

/** Adds rules to a type. zod runs a check with `when` even if the shape has faults. */
export function ruled<Type extends z.ZodType>(type: Type, ...rules: Rule[]): Type {
  return type.superRefine(
    (value, context) => {
      const faulty = new Set(context.issues.flatMap(({ path = [] }) => path.slice(0, 1)));
      for (const breach of rules.flatMap((rule) => rule(value, faulty))) {
        context.addIssue(issueOf(breach));
      }
    },
    { when: () => true },
  );
}

/** What an issue of a rule carries besides its message. */
export type Params = Pick<Breach, 'fix' | 'isMissing'> & {
  /** The key that an unknown one was most likely meant to be. */
  meant?: string | undefined;
};

/** A problem as zod reports it; its message is the problem. */
export function issueOf({ problem, fix, path, isMissing = false, meant }: Breach & Pick<Params, 'meant'>): {
  code: 'custom';
  message: string;
  path: PropertyKey[];
  params: Params;
} {
  return { code: 'custom', message: problem, path: [...path], params: { fix, isMissing, meant } };
}

export function isObject(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The keys of a value; none if it is not an object. */
export function settingsOf(value: unknown): Settings {
  return isObject(value) ? value : {};
}
