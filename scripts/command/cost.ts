import { parseArgs } from 'node:util';
import { requireDashes } from '../../commands/npm-options.ts';
import { OperatorError } from '../../operate/error.ts';
import { configurationFile } from './start-options.ts';

export const USAGE = `npm run cost [-- --closes N] [--ignored N] [--polyai-ms N] [--config FILE] [--write]

  --closes          closes a month (default: 1000000)
  --ignored         deliveries that ask for no close, for each close (default: 4)
  --polyai-ms       milliseconds that PolyAI takes to close a chat (default: 200)
  --config          path of a connections.json (default: the one in this folder)
  --write           write the tables of docs/cost.md instead, as npm run generate does
`;

const OPTIONS = {
  closes: { type: 'string', default: '1000000' },
  ignored: { type: 'string', default: '4' },
  'polyai-ms': { type: 'string', default: '200' },
  config: { type: 'string' },
  write: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export type CostOptions = {
  closes: number;
  ignored: number;
  polyaiMs: number;
  /** Path of the configuration. */
  config: string;
  /** Whether to write docs/cost.md. */
  write: boolean;
};

/**
 * @param environment the options that npm took for itself, and the folder in which the command was typed (`INIT_CWD`)
 * @returns `undefined` when help was requested
 * @throws {OperatorError} the usage, then the option that is wrong and how to fix it
 */
export function readCostOptions(args: string[], environment: NodeJS.ProcessEnv): CostOptions | undefined {
  try {
    requireDashes('npm run cost', Object.keys(OPTIONS), environment);
    const { help, ...values } = parseArgs({ args, options: OPTIONS }).values;
    if (help) return undefined;
    return {
      closes: readNumber('--closes', values.closes, 1),
      ignored: readNumber('--ignored', values.ignored, 0),
      polyaiMs: readNumber('--polyai-ms', values['polyai-ms'], 1),
      config: configurationFile(values.config, environment),
      write: values.write,
    };
  } catch (error) {
    throw new OperatorError(`${USAGE}\n${(error as Error).message}`, 2);
  }
}

function readNumber(option: string, text: string, least: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number >= least) return number;
  throw new Error(`${option} must be a number of at least ${least}.`);
}
