import { type Dialect, type Evaluate, expression } from './insights-expression.ts';
import { durationMs } from './insights-grammar.ts';
import { extraction } from './insights-parse.ts';
import type { Row } from './insights-record.ts';
import { inOrder } from './insights-sort.ts';
import { overGroups } from './insights-stats.ts';
import { isTrue } from './insights-values.ts';
import type { Tokens } from './lexer.ts';

export type Stage = (rows: Row[]) => Row[];

/** What is known of a query while its commands are read. */
export type Reading = {
  /** The columns of the result; undefined: `@timestamp` and `@message`. */
  columns: string[] | undefined;
  /** After `stats` there are no other fields than these. */
  known: Set<string> | undefined;
  /** Names that the query itself makes. */
  made: Set<string>;
  /** Names that it expects in the lines. */
  expected: Set<string>;
};

type Named<C> = { name: string; evaluate: Evaluate<C>; isField: boolean };

/** Expressions over one record. */
export function overRecords(reading: Reading): Dialect<Row> {
  return {
    field: (name, tokens) => {
      if (reading.known && !reading.known.has(name)) tokens.invalid(`stats leaves no field ${name}`);
      if (!reading.made.has(name)) reading.expected.add(name);
      return (row) => row.get(name);
    },
    call: (name, tokens) => {
      if (name === 'bin') return rounded((row) => row.get('@timestamp'), Math.floor, tokens);
      if (name !== 'datefloor' && name !== 'dateceil') return undefined;
      const time = expression(tokens, overRecords(reading));
      tokens.expect(',');
      return rounded(time, name === 'datefloor' ? Math.floor : Math.ceil, tokens);
    },
  };
}

function rounded(time: Evaluate<Row>, round: (value: number) => number, tokens: Tokens): Evaluate<Row> {
  const step = durationMs(tokens.take('duration'));
  tokens.expect(')');
  return (row) => {
    const value = time(row);
    return typeof value === 'number' ? round(value / step) * step : undefined;
  };
}

/** Reads one command, or gives undefined when there is none of that name. */
export function readCommand(name: string, tokens: Tokens, reading: Reading): Stage | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name]?.(tokens, reading) : undefined;
}

const COMMANDS: Record<string, (tokens: Tokens, reading: Reading) => Stage> = {
  fields: (tokens, reading) => project(tokens, reading, reading.columns ?? []),
  display: (tokens, reading) => project(tokens, reading, []),
  filter: (tokens, reading) => {
    const condition = expression(tokens, overRecords(reading));
    return (rows) => rows.filter((row) => isTrue(condition(row)));
  },
  limit: (tokens) => {
    const count = Number(tokens.take('number'));
    if (!Number.isInteger(count) || count > 100_000) tokens.invalid('limit takes whole numbers to 100,000');
    return (rows) => rows.slice(0, count);
  },
  sort: (tokens, reading) => {
    const keys = commaList(tokens, () => {
      const evaluate = expression(tokens, overRecords(reading));
      return { evaluate, sign: tokens.expect('asc', 'desc') === 'asc' ? 1 : -1 };
    });
    const by = (a: Row, b: Row) =>
      keys.reduce((order, { evaluate, sign }) => order || sign * inOrder(evaluate(a), evaluate(b)), 0);
    return (rows) => rows.toSorted(by);
  },
  dedup: (tokens, reading) => {
    const keys = commaList(tokens, () => expression(tokens, overRecords(reading)));
    return (rows) => firstOfEach(rows, keys);
  },
  parse: (tokens, reading) => {
    const subject = expression(tokens, overRecords(reading));
    const { pattern, names } = extraction(tokens);
    for (const name of names) reading.made.add(name);
    return (rows) =>
      rows.map((row) => {
        const [, ...parts] = pattern.exec(String(subject(row) ?? '')) ?? [];
        return new Map([...row, ...parts.map((part, index) => [names[index] ?? '', part] as const)]);
      });
  },
  stats: (tokens, reading) => {
    const perRecord = overRecords(reading);
    const aggregates = commaList(tokens, () => named(tokens, overGroups(perRecord), reading));
    const keys = tokens.accept('by') ? commaList(tokens, () => named(tokens, perRecord, reading)) : [];
    const columns = [...keys, ...aggregates].map(({ name }) => name);
    for (const column of columns) reading.made.add(column);
    reading.columns = columns;
    reading.known = new Set(columns);
    return (rows) => groups(rows, keys).map(({ key, group }) => filled(key, aggregates, group));
  },
};

function commaList<T>(tokens: Tokens, item: () => T): T[] {
  const items = [item()];
  while (tokens.accept(',')) items.push(item());
  return items;
}

function named<C>(tokens: Tokens, dialect: Dialect<C>, reading: Reading): Named<C> {
  const { kind, at } = tokens.peek();
  const evaluate = expression(tokens, dialect);
  const last = tokens.peek(-1);
  const source = tokens.text.slice(at, last.at + last.text.length).replaceAll('`', '');
  const isField = last.at === at && kind.endsWith('field');
  if (!tokens.accept('as')) return { name: source, evaluate, isField };
  const name = tokens.take('field');
  reading.made.add(name);
  return { name, evaluate, isField: false };
}

function project(tokens: Tokens, reading: Reading, before: string[]): Stage {
  const columns = commaList(tokens, () => named(tokens, overRecords(reading), reading));
  reading.columns = [...new Set([...before, ...columns.map(({ name }) => name)])];
  const computed = columns.filter(({ isField }) => !isField);
  for (const { name } of computed) {
    reading.made.add(name);
    reading.known?.add(name);
  }
  return (rows) => rows.map((row) => filled(row, computed, row));
}

/** A copy of a row with more columns; what has no value is left out. */
function filled<C>(row: Row, columns: Named<C>[], context: C): Row {
  const copy = new Map(row);
  for (const { name, evaluate } of columns) {
    const value = evaluate(context);
    if (value === undefined) copy.delete(name);
    else copy.set(name, typeof value === 'boolean' ? Number(value) : value);
  }
  return copy;
}

/** Records without a value for a key form a group too. */
function groups(rows: Row[], keys: Named<Row>[]): { key: Row; group: Row[] }[] {
  const found = new Map<string, { key: Row; group: Row[] }>();
  for (const row of rows) {
    const key = filled(new Map(), keys, row);
    const id = JSON.stringify([...key]);
    const entry = found.get(id) ?? { key, group: [] };
    entry.group.push(row);
    found.set(id, entry);
  }
  return [...found.values()];
}

/** Keeps the first record of each combination, and every record that lacks one of the fields. */
function firstOfEach(rows: Row[], keys: Evaluate<Row>[]): Row[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const values = keys.map((key) => key(row));
    if (values.includes(undefined)) return true;
    const id = JSON.stringify(values);
    return !seen.has(id) && seen.add(id);
  });
}
