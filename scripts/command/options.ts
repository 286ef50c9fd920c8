import { parseArgs } from 'node:util';
import { DURATION, toMinutes } from '../../infra/config/duration.ts';
import { OperatorError } from '../../operate/error.ts';
import { requireDashes } from './npm-options.ts';

const OPTIONS = {
  stack: { type: 'string', default: 'polyai-chat-closer' },
  outcome: { type: 'string', multiple: true, default: [] as string[] },
  project: { type: 'string', multiple: true, default: [] as string[] },
  since: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  yes: { type: 'boolean', short: 'y', default: false },
  rate: { type: 'string', default: '50' },
  'late-look-up': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const FASTEST = 1000;

export type Command = {
  name: 'redrive' | 'replay';
  usage: string;
  /** What `--outcome` may be. */
  outcomes: readonly string[];
  required: readonly ('outcome' | 'since')[];
};

export type Options = {
  stack: string;
  /** Empty: all of them. */
  outcomes: string[];
  /** Empty: all of them. */
  projects: string[];
  sinceMs: number | undefined;
  dryRun: boolean;
  /** Show one line each; nothing is moved or queued. */
  list: boolean;
  yes: boolean;
  /** Closes a second. */
  rate: number;
  lateLookUp: boolean;
};

/**
 * @param environment what npm took for itself stands in it
 * @returns `undefined` where help was asked for
 * @throws {OperatorError} naming the option at fault
 */
export function readOptions(
  command: Command,
  args: string[],
  environment: NodeJS.ProcessEnv,
): Options | undefined {
  try {
    const { outcomes, required, name } = command;
    // First: what npm leaves of a swallowed option's value is no option, and would be complained of instead.
    requireDashes(`npm run ${name}`, Object.keys(OPTIONS), environment);
    const { values } = parseArgs({ args, options: OPTIONS });
    if (values.help) return undefined;
    const unknown = values.outcome.find((each) => !outcomes.includes(each));
    if (unknown !== undefined) {
      throw new Error(`--outcome ${unknown} is none that ${name} takes: ${outcomes.join(', ')}.`);
    }
    const missing = required.find((each) => values[each] === undefined || values[each].length === 0);
    if (missing) throw new Error(`--${missing} is required.`);
    return {
      stack: values.stack,
      outcomes: values.outcome,
      projects: values.project,
      sinceMs: readSince(values.since),
      dryRun: values['dry-run'] || values.list,
      list: values.list,
      yes: values.yes,
      rate: readRate(values.rate),
      lateLookUp: values['late-look-up'],
    };
  } catch (error) {
    throw new OperatorError(`${command.usage}\n${(error as Error).message}`, 2);
  }
}

function readSince(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!DURATION.test(text)) throw new Error(`--since ${text} is no duration: write 30m, 6h or 2d.`);
  return toMinutes(text) * 60_000;
}

function readRate(text: string): number {
  const rate = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (rate < 1 || rate > FASTEST) {
    throw new Error(`--rate ${text} is no rate: write how many a second, from 1 to ${FASTEST}.`);
  }
  return rate;
}
