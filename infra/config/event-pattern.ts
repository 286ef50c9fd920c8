import { type Path, quote, suggest } from './fault.ts';
import { type Breach, isObject, type Settings } from './rule.ts';

export type EventPattern = Settings;

const PATTERNS = 'https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html';
/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const MAX_PATTERN_LENGTH = 2048;
/** The keys of every event. A pattern on any other key matches no event. */
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
 * The operators besides a plain value, and what each takes.
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

/**
 * Refuses what AWS would refuse only when the stack is deployed, and what AWS accepts but no event matches.
 *
 * @param path where the pattern is
 */
export function checkEventPattern(pattern: EventPattern, path: Path): Breach[] {
  return [...checkLength(pattern, path), ...checkKeys(pattern, path), ...checkFields(pattern, path)];
}

/** @param path where the text is that makes the pattern long */
export function checkLength(pattern: EventPattern, path: Path): Breach[] {
  const { length } = JSON.stringify(pattern);
  if (length <= MAX_PATTERN_LENGTH) return [];
  const problem = `has ${length} characters, but EventBridge allows ${MAX_PATTERN_LENGTH}`;
  const fix = 'Make it shorter: match fewer values, or by prefix; or use several connections';
  return [{ path, problem, fix }];
}

function checkKeys(pattern: EventPattern, path: Path): Breach[] {
  const unknown = Object.keys(pattern).filter((key) => !KEYS.includes(key));
  const faults = unknown.map((key) => ({
    path: [...path, key],
    problem: 'is not a key of an event, so no event would match',
    fix: suggest(key, KEYS),
  }));
  if (pattern.detail === undefined || isObject(pattern.detail)) return faults;
  return [
    ...faults,
    {
      path: [...path, 'detail'],
      problem: 'is not an object, so no event would match',
      fix: 'Write the values that its fields must have, as in { "status": ["closed"] }',
    },
  ];
}

function checkFields(pattern: EventPattern, path: Path): Breach[] {
  return Object.entries(pattern).flatMap(([key, value]) => {
    const below = [...path, key];
    if (key === '$or') return checkChoices(value, below);
    if (isObject(value) && Object.keys(value).length > 0) return checkFields(value, below);
    if (Array.isArray(value) && value.length > 0)
      return value.flatMap((each, index) => checkMatch(each, [...below, index]));
    return [
      {
        path: below,
        problem: 'is not a list of values to match',
        fix: `Write a list, as in ["closed"] (${PATTERNS})`,
      },
    ];
  });
}

/** `$or` takes patterns, one of which must match. */
function checkChoices(value: unknown, path: Path): Breach[] {
  if (Array.isArray(value) && value.length >= 2 && value.every(isObject)) {
    return value.flatMap((each, index) => checkFields(each, [...path, index]));
  }
  const fix = 'Write two or more, as in [{ "detail": { "a": ["x"] } }, { "detail": { "b": ["y"] } }]';
  return [{ path, problem: 'is not a list of two or more patterns', fix }];
}

function checkMatch(value: unknown, path: Path): Breach[] {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return [];
  const [[operator = '', operand] = [], ...more] = isObject(value) ? Object.entries(value) : [];
  const takes = Object.hasOwn(OPERATORS, operator) && more.length === 0 ? OPERATORS[operator] : undefined;
  if (takes?.(operand)) return [];
  if (takes) {
    const problem = `has a value that ${quote(operator)} does not take`;
    return [{ path, problem, fix: `See its form at ${PATTERNS}` }];
  }
  return [
    {
      path,
      problem: 'is neither a value nor an object with one operator',
      fix: `Write text, a number, true, false or null, or an operator of ${Object.keys(OPERATORS).join(', ')}, as in { "prefix": "clo" }`,
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

/** Whether the only key is one of these, with text or a list of texts. */
function hasOnly(value: EventPattern, keys: string[]): boolean {
  const [[key = '', operand] = [], ...more] = Object.entries(value);
  const texts = [operand].flat();
  return more.length === 0 && keys.includes(key) && texts.length > 0 && texts.every(isText);
}
