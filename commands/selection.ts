import { Option } from 'commander';
import { DURATION, toMinutes } from '../infra/config/duration.ts';
import { OperatorError } from '../operate/error.ts';
import type { Handling, Selection } from '../operate/options.ts';

const MAX_RATE = 1000;
const USED_WRONGLY = 2;

/** The options that choose closes and say how to handle them, as commander gives them. */
export type SelectionValues = {
  outcome?: string[];
  project?: string[];
  since?: string;
  dryRun?: boolean;
  list?: boolean;
  yes?: boolean;
  rate: string;
  lateLookUp?: boolean;
};

const several = (value: string, previous: string[] = []) => [...previous, value];

/** The options of redrive and replay. */
export function selectionOptions(verb: string, outcome: string, since: string): Option[] {
  return [
    new Option('--outcome <outcome>', `${outcome}; may be given several times`).argParser(several),
    new Option('--project <name>', 'only this project; may be given several times').argParser(several),
    new Option('--since <time>', since),
    new Option('--dry-run', `show them, ${verb} nothing`),
    new Option(
      '--list',
      `show one line each, ${verb} nothing: time, connection, ticket, conversation, outcome`,
    ),
    new Option('-y, --yes', `${verb} more than 100 without asking`),
    new Option('--rate <number>', 'maximum number a second').default('50'),
    new Option(
      '--late-look-up',
      'include shared ids that were never resolved; a newer chat may be closed instead',
    ),
  ];
}

/**
 * @param outcomes what `--outcome` may be
 * @throws {OperatorError} naming the option that is wrong, and how to fix it
 */
export function readSelection(values: SelectionValues, outcomes: readonly string[]): Selection & Handling {
  const unknown = values.outcome?.find((each) => !outcomes.includes(each));
  if (unknown !== undefined) {
    throw wrong(`--outcome ${unknown} is not valid. Choose one of: ${outcomes.join(', ')}.`);
  }
  const {
    outcome = [],
    project = [],
    dryRun = false,
    list = false,
    yes = false,
    lateLookUp = false,
  } = values;
  return {
    outcomes: outcome,
    projects: project,
    sinceMs: readSince(values.since),
    dryRun: dryRun || list,
    list,
    yes,
    rate: readRate(values.rate),
    lateLookUp,
  };
}

function readSince(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!DURATION.test(text)) throw wrong(`--since ${text} is not a duration. Write 30m, 6h or 2d.`);
  return toMinutes(text) * 60_000;
}

function readRate(text: string): number {
  const rate = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (rate < 1 || rate > MAX_RATE) {
    throw wrong(`--rate ${text} is not valid. Write how many a second, from 1 to ${MAX_RATE}.`);
  }
  return rate;
}

/** An option that is used wrongly. */
export function wrong(message: string): OperatorError {
  return new OperatorError(message, USED_WRONGLY);
}
