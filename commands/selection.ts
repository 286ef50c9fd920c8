import { Option } from 'commander';
import { OperatorError } from '../operate/error.ts';
import type { Span } from '../operate/lines.ts';
import type { Handling, Selection } from '../operate/options.ts';
import { readSpan } from './span.ts';

const MAX_RATE = 1000;
const USED_WRONGLY = 2;
/** SQS keeps a dead letter for 14 days. */
const EVER = '15d';

/** The options that choose closes and say how to handle them, as commander gives them. */
export type SelectionValues = {
  outcome?: string[];
  project?: string[];
  connection?: string[];
  conversation?: string[];
  requestId?: string[];
  plan?: boolean;
  since?: string;
  until?: string;
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
    new Option('--connection <name>', 'only this connection; may be given several times').argParser(several),
    new Option(
      '--conversation <id>',
      'only this conversation or shared id; may be given several times',
    ).argParser(several),
    new Option('--request-id <id>', 'only what this request asked for; may be given several times').argParser(
      several,
    ),
    new Option('--since <time>', since),
    new Option('--until <time>', 'the end, written the same way (default: now)'),
    new Option('--plan', `predict what would come of each, then ask, and ${verb} exactly those`),
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
 * @param now Unix milliseconds
 * @throws {OperatorError} naming the option that is wrong, and how to fix it
 */
export function readSelection(
  values: SelectionValues,
  outcomes: readonly string[],
  now: number,
): Selection & Handling {
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
    connections: values.connection ?? [],
    conversations: values.conversation ?? [],
    requestIds: values.requestId ?? [],
    plan: values.plan ?? false,
    span: readChosenSpan(values, now),
    dryRun: dryRun || list,
    list,
    yes,
    rate: readRate(values.rate),
    lateLookUp,
  };
}

/** @returns `undefined` without both options */
function readChosenSpan({ since, until }: SelectionValues, now: number): Span | undefined {
  if (since === undefined && until === undefined) return undefined;
  try {
    return readSpan(since ?? EVER, until, now);
  } catch (error) {
    throw wrong((error as Error).message);
  }
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
