/** One value for each period, oldest first; undefined is a gap. */
export type Numbers = (number | undefined)[];

export type Value =
  | { kind: 'scalar'; value: number }
  | { kind: 'series'; values: Numbers }
  | { kind: 'array'; items: Numbers[] }
  | { kind: 'word'; word: string };

type Operation = (left: number, right: number) => number;

const OPERATIONS: Record<string, Operation> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  AND: (a, b) => Number(a !== 0 && b !== 0),
  '&&': (a, b) => Number(a !== 0 && b !== 0),
  OR: (a, b) => Number(a !== 0 || b !== 0),
  '||': (a, b) => Number(a !== 0 || b !== 0),
};

/**
 * Applies an operator to two values. Of two time series the one without a value counts as 0; where neither has
 * one there is none. A division by zero drops the datapoint.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function pairwise(operator: string, left: Value, right: Value): Value {
  const operation = OPERATIONS[operator] as Operation;
  if (left.kind === 'word' || right.kind === 'word') {
    throw new Error(`metric math: ${operator} does not take a word.`);
  }
  if (left.kind === 'array') return eachOf(left.items, (item) => pairwise(operator, item, right));
  if (right.kind === 'array') return eachOf(right.items, (item) => pairwise(operator, left, item));
  if (left.kind === 'scalar' && right.kind === 'scalar') {
    return { kind: 'scalar', value: operation(left.value, right.value) };
  }
  return { kind: 'series', values: combined(operation, left, right) };
}

type Plain = Extract<Value, { kind: 'scalar' | 'series' }>;

function combined(operation: Operation, left: Plain, right: Plain): Numbers {
  const length =
    left.kind === 'series' ? left.values.length : right.kind === 'series' ? right.values.length : 0;
  return Array.from({ length }, (_, index) => {
    const [a, b] = [at(left, index), at(right, index)];
    const gap = (a === undefined || left.kind === 'scalar') && (b === undefined || right.kind === 'scalar');
    const value = gap ? Number.NaN : operation(a ?? 0, b ?? 0);
    return Number.isFinite(value) ? value : undefined;
  });
}

function at(value: Plain, index: number): number | undefined {
  return value.kind === 'scalar' ? value.value : value.values[index];
}

/** Applies a function to every time series of an array. */
export function eachOf(items: Numbers[], apply: (item: Value) => Value): Value {
  return {
    kind: 'array',
    items: items.map((values) => {
      const result = apply({ kind: 'series', values });
      if (result.kind === 'series') return result.values;
      throw new Error('metric math: two arrays cannot be combined.');
    }),
  };
}

/** What an expression can use. All series have one value or a gap for each period, oldest first. */
export type Scope = {
  series: Record<string, Numbers>;
  /** The ids that are metrics and no expressions: those that `METRICS()` gives. */
  metrics: string[];
  periodSeconds: number;
  length: number;
};
