import type { LogLine } from './emf.ts';
import { parseJson } from './json-field.ts';

/** A log event or a result of `stats`, by field. A field without a value is not in it. */
export type Row = Map<string, string | number>;

/**
 * A log event with the fields that Logs Insights discovers: `@timestamp` (epoch milliseconds; AWS prints it as
 * text), `@message`, `@log`, and every leaf of a JSON object, by a path of names and array indices with dots
 * (`ignored.0.reason`). Objects and arrays are no fields, nor is null; true and false are 1 and
 * 0 (https://github.com/aws-powertools/powertools-lambda-dotnet/issues/667). AWS stops at
 * 200 fields a line, this does not.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
 */
export function discoverFields({ at, logGroup, text }: LogLine): Row {
  const row: Row = new Map();
  addLeaves(row, '', parseJson(text));
  return row.set('@timestamp', at).set('@message', text).set('@log', logGroup);
}

function addLeaves(row: Row, path: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) addLeaves(row, path ? `${path}.${name}` : name, item);
  } else if (typeof value === 'string' || typeof value === 'number') row.set(path, value);
  else if (typeof value === 'boolean') row.set(path, Number(value));
}
