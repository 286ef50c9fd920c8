import { type Fault, type Path, quote, suggest } from './fault.ts';

export type EventPattern = Record<string, unknown>;
type At = (...path: Path) => string;

const PATTERNS = 'https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html';
/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const MAX_PATTERN_LENGTH = 2048;
/** What every event has; a pattern on anything else matches none. */
const KEYS = [
  'version',
  'id',
  'detail-type',
  'source',
  'account',
  'time',
  'region',
  'resources',
  'detail',
  '$or',
];

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isTextOrCased = (value: unknown) =>
  isText(value) || (isObject(value) && hasOnly(value, ['equals-ignore-case']));

/**
 * The ways to match other than by value, and what each takes.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
const OPERATORS: Record<string, (value: unknown) => boolean> = {
  prefix: isTextOrCased,
  suffix: isTextOrCased,
  'equals-ignore-case': isText,
  wildcard: (value) => isText(value) && !String(value).includes('**'),
  cidr: isText,
  exists: (value) => typeof value === 'boolean',
  numeric: isNumeric,
  'anything-but': isAnythingBut,
};

/** AWS would refuse these patterns too, but only when the stack is deployed; or take them and match nothing. */
export function checkEventPattern(pattern: EventPattern, at: At): Fault[] {
  return [...checkLength(pattern, at), ...checkKeys(pattern, at), ...checkFields(pattern, at)];
}

/** @param at where the text stands that makes it long */
export function checkLength(pattern: EventPattern, at: At): Fault[] {
  const { length } = JSON.stringify(pattern);
  if (length <= MAX_PATTERN_LENGTH) return [];
  const problem = `has ${length} characters, and EventBridge takes ${MAX_PATTERN_LENGTH}`;
  const mend = 'Make it shorter: match fewer values, or by prefix; or use several connections';
  return [{ path: at(), problem, mend }];
}

function checkKeys(pattern: EventPattern, at: At): Fault[] {
  const unknown = Object.keys(pattern).filter((key) => !KEYS.includes(key));
  const faults = unknown.map((key) => ({
    path: at(key),
    problem: 'is not a key of an event, so no event would match',
    mend: suggest(key, KEYS),
  }));
  if (pattern.detail === undefined || isObject(pattern.detail)) return faults;
  return [
    ...faults,
    {
      path: at('detail'),
      problem: 'is not an object, so no event would match',
      mend: 'Write what its fields must be, as in { "status": ["closed"] }',
    },
  ];
}

function checkFields(pattern: EventPattern, at: At): Fault[] {
  return Object.entries(pattern).flatMap(([key, value]) => {
    const below: At = (...path) => at(key, ...path);
    if (key === '$or') return checkChoices(value, below);
    if (isObject(value) && Object.keys(value).length > 0) return checkFields(value, below);
    if (Array.isArray(value) && value.length > 0)
      return value.flatMap((each, index) => checkMatch(each, below, index));
    return [
      {
        path: at(key),
        problem: 'is not a list of what may match',
        mend: `Write a list, as in ["closed"] (${PATTERNS})`,
      },
    ];
  });
}

/** `$or` takes patterns, of which one must match. */
function checkChoices(value: unknown, at: At): Fault[] {
  if (Array.isArray(value) && value.length >= 2 && value.every(isObject)) {
    return value.flatMap((each, index) => checkFields(each, (...path) => at(index, ...path)));
  }
  const mend = 'Write two or more, as in [{ "detail": { "a": ["x"] } }, { "detail": { "b": ["y"] } }]';
  return [{ path: at(), problem: 'is not a list of two or more patterns', mend }];
}

function checkMatch(value: unknown, at: At, index: number): Fault[] {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return [];
  const [[operator = '', operand] = [], ...more] = isObject(value) ? Object.entries(value) : [];
  const takes = Object.hasOwn(OPERATORS, operator) && more.length === 0 ? OPERATORS[operator] : undefined;
  if (takes?.(operand)) return [];
  if (takes) {
    const problem = `has a value that ${quote(operator)} does not take`;
    return [{ path: at(index), problem, mend: `See its form at ${PATTERNS}` }];
  }
  return [
    {
      path: at(index),
      problem: 'is neither a value nor one way to match',
      mend: `Write text, a number, true, false or null, or one of ${Object.keys(OPERATORS).join(', ')}, as in { "prefix": "clo" }`,
    },
  ];
}

/** One or two comparisons, as in [">", 0, "<=", 5]. */
function isNumeric(value: unknown): boolean {
  if (!Array.isArray(value) || ![2, 4].includes(value.length)) return false;
  return value.every((each, index) =>
    index % 2 === 0 ? ['<', '<=', '=', '>', '>='].includes(each) : typeof each === 'number',
  );
}

function isAnythingBut(value: unknown): boolean {
  if (isObject(value)) return hasOnly(value, ['prefix', 'suffix', 'equals-ignore-case', 'wildcard']);
  const values = [value].flat();
  return values.length > 0 && values.every((each) => isText(each) || typeof each === 'number');
}

/** One of these keys, with text or a list of texts. */
function hasOnly(value: Record<string, unknown>, keys: string[]): boolean {
  const [[key = '', operand] = [], ...more] = Object.entries(value);
  const texts = [operand].flat();
  return more.length === 0 && keys.includes(key) && texts.length > 0 && texts.every(isText);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
