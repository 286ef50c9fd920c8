import { toNumber, type Value } from './insights-values.ts';

type Apply = (values: Value[]) => Value;

/** Functions by the number of their arguments: least, most. */
const FUNCTIONS: Record<string, [least: number, most: number, Apply]> = {
  abs: [1, 1, numeric(Math.abs)],
  ceil: [1, 1, numeric(Math.ceil)],
  floor: [1, 1, numeric(Math.floor)],
  sqrt: [1, 1, numeric(Math.sqrt)],
  log: [1, 1, numeric(Math.log)],
  greatest: [1, 99, numeric(Math.max)],
  least: [1, 99, numeric(Math.min)],
  ispresent: [1, 1, ([value]) => value !== undefined],
  coalesce: [1, 99, (values) => values.find((value) => value !== undefined)],
  isempty: [1, 1, ([value]) => value === undefined || value === ''],
  isblank: [1, 1, ([value]) => value === undefined || String(value).trim() === ''],
  concat: [1, 99, textual((...parts) => parts.join(''))],
  strlen: [1, 1, textual((text) => [...text].length)],
  toupper: [1, 1, textual((text) => text.toUpperCase())],
  tolower: [1, 1, textual((text) => text.toLowerCase())],
  trim: [1, 1, textual((text) => text.trim())],
  replace: [3, 3, textual((text, part = '', by = '') => text.replaceAll(part, by))],
  strcontains: [2, 2, textual((text, part = '') => Number(text.includes(part)))],
  substr: [2, 3, textual(substring)],
};

/**
 * A function of Logs Insights, or undefined when there is none of this name with so many arguments. Without one
 * of its values it gives none, apart from `ispresent`, `coalesce`, `isempty` and `isblank`.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
 */
export function callFunction(name: string, count: number): Apply | undefined {
  const [least, most, apply] = (Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined) ?? [];
  return apply && count >= Number(least) && count <= Number(most) ? apply : undefined;
}

function numeric(compute: (...values: number[]) => number): Apply {
  return (values) => {
    const numbers = values.map(toNumber).filter((value) => value !== undefined);
    const result = numbers.length === values.length ? compute(...numbers) : Number.NaN;
    return Number.isFinite(result) ? result : undefined;
  };
}

function textual(compute: (text: string, ...more: string[]) => Value): Apply {
  return (values) => {
    const [first, ...more] = values.map(String);
    return first === undefined || values.includes(undefined) ? undefined : compute(first, ...more);
  };
}

function substring(text: string, start?: string, length?: string): string {
  const from = Number(start);
  return text.slice(from, length === undefined ? undefined : from + Number(length));
}
