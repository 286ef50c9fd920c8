import type { LogLine } from './emf.ts';
import { type Reading, readCommand, type Stage } from './insights-commands.ts';
import { INSIGHTS } from './insights-grammar.ts';
import { discoverFields } from './insights-record.ts';
import { Tokens, unquote } from './lexer.ts';

const LIMIT = 10_000;

/** A row of a result. A column without a value is not in it. Times are epoch milliseconds. */
export type ResultRow = Record<string, string | number>;

export type Query = {
  run: (lines: LogLine[]) => ResultRow[];
  /** The fields that the query expects in the lines, in the order of their first use. */
  fields: string[];
};

/**
 * Compiles a query of CloudWatch Logs Insights: `fields`, `display`, `filter`, `stats`, `sort`, `limit`, `dedup`
 * and `parse`; before them the log groups of a dashboard's widget, `SOURCE 'name' | SOURCE 'name' | …`. Without
 * `sort` the newest lines come first, and groups in the order in which they are met.
 *
 * @throws for commands, functions and syntax that it does not know.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
 */
export function compileQuery(query: string): Query {
  const tokens = new Tokens(query, INSIGHTS);
  const reading: Reading = {
    columns: undefined,
    known: undefined,
    made: new Set(),
    expected: new Set(),
  };
  const sources = readSources(tokens);
  const stages = readStages(tokens, reading);
  const columns = reading.columns ?? ['@timestamp', '@message'];
  return {
    fields: [...reading.expected],
    run: (lines) => {
      const wanted = lines.filter(({ logGroup }) => sources.length === 0 || sources.includes(logGroup));
      const newestFirst = wanted.toSorted((a, b) => b.at - a.at).map(discoverFields);
      const rows = stages.reduce((found, stage) => stage(found), newestFirst);
      return rows.slice(0, LIMIT).map((row) => Object.fromEntries([...columnsOf(row, columns)]) as ResultRow);
    },
  };
}

function* columnsOf(row: Map<string, string | number>, columns: string[]) {
  for (const column of columns) {
    const value = row.get(column);
    if (value !== undefined) yield [column, value] as const;
  }
}

function readSources(tokens: Tokens): string[] {
  const names: string[] = [];
  while (tokens.accept('SOURCE')) {
    names.push(unquote(tokens.take('string')));
    tokens.expect('|');
  }
  return names;
}

function readStages(tokens: Tokens, reading: Reading): Stage[] {
  const stages: Stage[] = [];
  let before = '';
  do {
    const name = tokens.take('field');
    if (before === 'dedup' && name !== 'limit') tokens.invalid('only limit can follow dedup');
    stages.push(readCommand(name, tokens, reading) ?? tokens.invalid(`the command ${name} is not supported`));
    before = name;
  } while (tokens.accept('|'));
  tokens.end();
  return stages;
}
