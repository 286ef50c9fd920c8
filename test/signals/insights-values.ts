export type Value = string | number | boolean | undefined;

/** Whether a condition holds. A number does unless it is 0 (`strcontains` gives 1 or 0). */
export function isTrue(value: Value): boolean {
  if (typeof value === 'string') throw new Error(`Logs Insights: ${JSON.stringify(value)} is no condition.`);
  return value === true || (typeof value === 'number' && value !== 0);
}

/** What a comparison operator says to the result of `compare`. */
export const ORDER: Record<string, (sign: number) => boolean> = {
  '=': (sign) => sign === 0,
  '<': (sign) => sign < 0,
  '<=': (sign) => sign <= 0,
  '>': (sign) => sign > 0,
  '>=': (sign) => sign >= 0,
};

/**
 * Compares as numbers where both are or read as one, else as text: negative, 0 or positive. Two texts are equal
 * only when they are the same: long ids would be equal as numbers.
 */
export function compare(left: Value, right: Value): number {
  const [a, b] = [toNumber(left), toNumber(right)];
  const texts = typeof left === 'string' && typeof right === 'string';
  if (a !== undefined && b !== undefined && !(texts && a === b)) return Math.sign(a - b);
  return String(left) === String(right) ? 0 : String(left) < String(right) ? -1 : 1;
}

/** The number that a value is or reads as. */
export function toNumber(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return value !== undefined && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}
