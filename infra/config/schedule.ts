import { rateInMinutes } from './duration.ts';
import { type Problem, quote } from './fault.ts';

const WRITE = 'Write it as in rate(1 hour) or cron(0 3 * * ? *)';
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** In a leap year. */
const MONTH_LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A field of cron(…): its numbers, their names, and its forms besides lists, ranges and steps. */
type Field = { name: string; from: number; to: number; names?: string[]; special?: RegExp };

const FIELDS: Field[] = [
  { name: 'minutes', from: 0, to: 59 },
  { name: 'hours', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31, special: /^(\?|L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', from: 1, to: 12, names: MONTHS },
  { name: 'day of week', from: 1, to: 7, names: DAYS, special: /^(\?|L|([1-7]|[A-Z]{3})(L|#[1-5]))$/ },
  { name: 'year', from: 1970, to: 2199 },
];
const [DAY_OF_MONTH, MONTH, DAY_OF_WEEK] = [2, 3, 4] as const;

/**
 * Refuses a schedule that EventBridge Scheduler would refuse or never run.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function checkSchedule(value: string): Problem | undefined {
  if (!Number.isNaN(rateInMinutes(value))) return undefined;
  const fields = /^cron\((\S+(?: \S+){5})\)$/.exec(value)?.[1]?.toUpperCase().split(' ');
  if (!fields) return refuse('is neither rate(…) nor cron(…) of EventBridge Scheduler');
  const wrong = FIELDS.find((field, index) => !isField(fields[index] ?? '', field));
  if (wrong) {
    const given = quote(fields[FIELDS.indexOf(wrong)]);
    return refuse(`has ${given} as ${wrong.name}, which takes ${wrong.from} to ${wrong.to}`);
  }
  if ((fields[DAY_OF_MONTH] === '?') === (fields[DAY_OF_WEEK] === '?')) {
    return refuse('must have ? as day of month or as day of week, but not as both');
  }
  return hasDate(fields) ? undefined : refuse('names a day that does not exist in its months');
}

function refuse(problem: string): Problem {
  return { problem, fix: WRITE };
}

function isField(text: string, field: Field): boolean {
  return text.split(',').every((item) => field.special?.test(item) || isItem(item, field));
}

/** `*`, a number, a range, or one of them with a step. */
function isItem(item: string, field: Field): boolean {
  const [, range = '', step] = /^([^/]+)(?:\/(\d+))?$/.exec(item) ?? [];
  if (step !== undefined && Number(step) === 0) return false;
  const ends = range.split('-');
  return range === '*' || (ends.length <= 2 && ends.every((end) => isValue(end, field)));
}

function isValue(text: string, { from, to, names = [] }: Field): boolean {
  if (names.includes(text)) return true;
  return /^\d+$/.test(text) && Number(text) >= from && Number(text) <= to;
}

/** Whether one of the months has one of the days. Only plain numbers can name a missing day, such as 30 February. */
function hasDate(fields: string[]): boolean {
  const days = String(fields[DAY_OF_MONTH]).split(',');
  const months = String(fields[MONTH]).split(',').map(monthOf);
  const arePlain = [...days, ...months].every((each) => /^\d+$/.test(String(each)));
  if (!arePlain) return true;
  const longest = Math.max(...months.map((month) => MONTH_LENGTHS[Number(month) - 1] ?? 0));
  return days.some((day) => Number(day) <= longest);
}

function monthOf(text: string): string {
  const index = MONTHS.indexOf(text);
  return index < 0 ? text : String(index + 1);
}
