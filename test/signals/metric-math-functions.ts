import { eachOf, type Numbers, type Scope, type Value } from './metric-math-values.ts';

type Mapped = (values: Numbers, scope: Scope) => Numbers;

const PER_SERIES: Record<string, Mapped> = {
  ABS: (values) => values.map((value) => value && Math.abs(value)),
  CEIL: (values) => values.map((value) => value && Math.ceil(value)),
  FLOOR: (values) => values.map((value) => value && Math.floor(value)),
  DIFF: (values) => changes(values, (difference) => difference),
  RATE: (values, { periodSeconds }) =>
    changes(values, (difference, periods) => difference / (periods * periodSeconds)),
};

const OVER_ARRAY: Record<string, (values: number[]) => number> = {
  SUM: sum,
  AVG: (values) => sum(values) / values.length,
  MAX: (values) => Math.max(...values),
  MIN: (values) => Math.min(...values),
};

/** The value of a function, or undefined when the function or its arguments are not known. */
export function call(
  name: string,
  [first, second, third, ...rest]: Value[],
  scope: Scope,
): Value | undefined {
  if (rest.length > 0) return undefined;
  if (name === 'METRICS' && !second) return metrics(first, scope);
  if (name === 'IF' && first && second) return choose(first, second, third, scope.length);
  if (!first || third) return undefined;
  if (name === 'FILL' && second) return filled(first, second);
  if (second) return undefined;
  if (name === 'TIME_SERIES' && first.kind === 'scalar') {
    return { kind: 'series', values: Array.from({ length: scope.length }, () => first.value) };
  }
  if (name === 'PERIOD' && first.kind === 'series') return { kind: 'scalar', value: scope.periodSeconds };
  const map = Object.hasOwn(PER_SERIES, name) ? PER_SERIES[name] : undefined;
  if (map && first.kind === 'series') return { kind: 'series', values: map(first.values, scope) };
  if (map && first.kind === 'array')
    return { kind: 'array', items: first.items.map((item) => map(item, scope)) };
  const reduce = Object.hasOwn(OVER_ARRAY, name) ? OVER_ARRAY[name] : undefined;
  return reduce && first.kind === 'array' ? reduced(first.items, reduce, scope.length) : undefined;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function metrics(filter: Value | undefined, { metrics: ids, series }: Scope): Value | undefined {
  if (filter && filter.kind !== 'word') return undefined;
  const wanted = ids.filter((id) => !filter || id.includes(filter.word));
  return { kind: 'array', items: wanted.map((id) => series[id] ?? []) };
}

/** Where only some of the series have a value, the others count as 0. */
function reduced(items: Numbers[], reduce: (values: number[]) => number, length: number): Value {
  const values = Array.from({ length }, (_, index) => {
    const column = items.map((item) => item[index]);
    return column.every((value) => value === undefined)
      ? undefined
      : reduce(column.map((value) => value ?? 0));
  });
  return { kind: 'series', values };
}

function filled(value: Value, filler: Value): Value | undefined {
  if (value.kind === 'array') return eachOf(value.items, (item) => filled(item, filler) ?? item);
  if (value.kind !== 'series') return undefined;
  if (filler.kind === 'scalar') return { kind: 'series', values: value.values.map((v) => v ?? filler.value) };
  if (filler.kind === 'series') {
    return { kind: 'series', values: value.values.map((v, index) => v ?? filler.values[index]) };
  }
  if (filler.kind !== 'word' || filler.word !== 'REPEAT') return undefined;
  let last: number | undefined;
  const repeat = (v: number | undefined) => {
    last = v ?? last;
    return last;
  };
  return { kind: 'series', values: value.values.map(repeat) };
}

/** A condition that is missing drops the datapoint; a missing value of the first branch is 0, of the second none. */
function choose(condition: Value, yes: Value, no: Value | undefined, length: number): Value | undefined {
  const branches = [condition, yes, ...(no ? [no] : [])];
  if (branches.some(({ kind }) => kind === 'array' || kind === 'word')) return undefined;
  if (branches.every(({ kind }) => kind === 'scalar')) return undefined;
  if (condition.kind === 'scalar') {
    if (condition.value !== 0) return yes;
    return no ?? { kind: 'series', values: Array.from({ length }, () => undefined) };
  }
  const at = (value: Value | undefined, index: number) =>
    value?.kind === 'series' ? value.values[index] : value?.kind === 'scalar' ? value.value : undefined;
  const pick = (_: unknown, index: number) => {
    const holds = at(condition, index);
    if (holds === undefined) return undefined;
    return holds !== 0 ? (at(yes, index) ?? 0) : at(no, index);
  };
  return { kind: 'series', values: Array.from({ length }, pick) };
}

/** The change from the datapoint before, over gaps; the first datapoint has none. */
function changes(values: Numbers, map: (difference: number, periods: number) => number): Numbers {
  let last: { value: number; index: number } | undefined;
  return values.map((value, index) => {
    if (value === undefined) return undefined;
    const change = last && map(value - last.value, index - last.index);
    last = { value, index };
    return change;
  });
}
