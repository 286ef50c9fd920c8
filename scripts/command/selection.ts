import { DURATION, toMinutes } from '../../infra/config/duration.ts';
import type { Handling, Selection } from '../../operate/options.ts';
import type { Values } from './options.ts';

/** The options that choose closes and say how to handle them. Redrive and replay share them. */
export const SELECTION = {
  outcome: { type: 'string', multiple: true, default: [] as string[] },
  project: { type: 'string', multiple: true, default: [] as string[] },
  since: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  yes: { type: 'boolean', short: 'y', default: false },
  rate: { type: 'string', default: '50' },
  'late-look-up': { type: 'boolean', default: false },
} as const;

const MAX_RATE = 1000;

/**
 * @param outcomes what `--outcome` may be
 * @throws {Error} naming the option that is wrong, and how to fix it
 */
export function readSelection(
  values: Values<typeof SELECTION>,
  outcomes: readonly string[],
): Selection & Handling {
  const unknown = values.outcome.find((each) => !outcomes.includes(each));
  if (unknown !== undefined) {
    throw new Error(`--outcome ${unknown} is not valid. Choose one of: ${outcomes.join(', ')}.`);
  }
  return {
    outcomes: values.outcome,
    projects: values.project,
    sinceMs: readSince(values.since),
    dryRun: values['dry-run'] || values.list,
    list: values.list,
    yes: values.yes,
    rate: readRate(values.rate),
    lateLookUp: values['late-look-up'],
  };
}

function readSince(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!DURATION.test(text)) throw new Error(`--since ${text} is not a duration. Write 30m, 6h or 2d.`);
  return toMinutes(text) * 60_000;
}

function readRate(text: string): number {
  const rate = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (rate < 1 || rate > MAX_RATE) {
    throw new Error(`--rate ${text} is not valid. Write how many a second, from 1 to ${MAX_RATE}.`);
  }
  return rate;
}
