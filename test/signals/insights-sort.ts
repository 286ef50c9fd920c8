import { toNumber, type Value } from './insights-values.ts';

/**
 * Compares two values in ascending order: text by its chunks, then numbers (and text that reads as one). A
 * missing value comes before both; AWS does not say where it comes.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
 */
export function inOrder(a: Value, b: Value): number {
  const [left, right] = [toNumber(a), toNumber(b)];
  if (left !== undefined && right !== undefined) return left - right;
  const rank = (value: Value) => (value === undefined ? 0 : toNumber(value) === undefined ? 1 : 2);
  return rank(a) - rank(b) || byChunks(chunks(a), chunks(b));
}

/** Runs of digits and runs of other characters. */
function chunks(value: Value): string[] {
  return String(value ?? '').match(/\d+|\D+/g) ?? [];
}

/** Digits by their number, then their value; everything else by its characters; the shorter one first. */
function byChunks(left: string[], right: string[]): number {
  for (const [index, a] of left.entries()) {
    const b = right[index];
    if (b === undefined) return 1;
    const digits = /^\d/.test(a) && /^\d/.test(b);
    if (digits && a.length !== b.length) return a.length - b.length;
    if (a !== b) return a < b ? -1 : 1;
  }
  return left.length - right.length;
}
