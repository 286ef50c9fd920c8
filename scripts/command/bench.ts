import { parseArgs } from 'node:util';
import { requireDashes } from '../../commands/npm-options.ts';
import { OperatorError } from '../../operate/error.ts';

export const USAGE = `npm run bench [-- --runs N] [--only PART] [--json]

  --runs            how often each cold start and each batch is measured (default: 15)
  --only            cold, warm or verify (default: all three)
  --json            prints the figures as JSON
`;

const PARTS = ['cold', 'warm', 'verify'] as const;
export type Part = (typeof PARTS)[number];

const OPTIONS = {
  runs: { type: 'string', default: '15' },
  only: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export type BenchOptions = { runs: number; parts: readonly Part[]; json: boolean };

/**
 * @param environment the options that npm took for itself
 * @returns `undefined` when help was requested
 * @throws {OperatorError} the usage, then the option that is wrong and how to fix it
 */
export function readBenchOptions(args: string[], environment: NodeJS.ProcessEnv): BenchOptions | undefined {
  try {
    requireDashes('npm run bench', Object.keys(OPTIONS), environment);
    const { help, runs, only, json } = parseArgs({ args, options: OPTIONS }).values;
    if (help) return undefined;
    return { runs: readRuns(runs), parts: readParts(only), json };
  } catch (error) {
    throw new OperatorError(`${USAGE}\n${(error as Error).message}`, 2);
  }
}

function readRuns(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new Error('--runs must be a whole number from 1 to 9999.');
}

function readParts(only: string | undefined): readonly Part[] {
  if (only === undefined) return PARTS;
  const part = PARTS.find((each) => each === only);
  if (part) return [part];
  throw new Error(`--only must be one of ${PARTS.join(', ')}.`);
}
