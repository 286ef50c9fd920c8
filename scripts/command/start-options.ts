import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../../infra/root.ts';
import { isLoopback, LocalRunError } from '../../local/isolation.ts';
import { requireDashes } from './npm-options.ts';

export const USAGE = `npm start [-- --once] [--config FILE] [--connection NAME] [--polyai URL [--conversation ID]] [--port N]

  --once            end after the first close: exit code 0 if it was closed, 1 otherwise
  --config          a connections.json (without it, the one here)
  --connection      the connection whose delivery is sent (without it, the first for which one can be made)
  --polyai          instead of the stand-in; the keys come from POLYAI_API_KEY and POLYAI_TOKEN
  --conversation    the conversation to close there
  --port            the local AWS's, which must be free
`;

const OPTIONS = {
  once: { type: 'boolean', default: false },
  config: { type: 'string' },
  connection: { type: 'string' },
  polyai: { type: 'string' },
  conversation: { type: 'string' },
  port: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export type StartOptions = {
  once: boolean;
  /** Path of the configuration. */
  config: string;
  connection: string | undefined;
  polyai: string | undefined;
  conversation: string | undefined;
  port: number | undefined;
};

/**
 * @param environment what npm took for itself, and the folder that the command was typed in (`INIT_CWD`)
 * @returns `undefined` where help was asked for
 * @throws {LocalRunError} the usage, and after it which option is wrong and how to fix it
 */
export function readStartOptions(args: string[], environment: NodeJS.ProcessEnv): StartOptions | undefined {
  try {
    requireDashes('npm start', Object.keys(OPTIONS), environment);
    const { help, ...values } = parseArgs({ args, options: OPTIONS }).values;
    if (help) return undefined;
    const { once, connection, polyai, conversation } = values;
    if (polyai && !/^https:\/\/[^/]/.test(polyai) && !isLoopback(polyai)) {
      throw new Error('--polyai takes an address that begins with https://, or one of this machine.');
    }
    if (conversation && !polyai) throw new Error('--conversation goes with --polyai.');
    const config = configurationFile(values.config, environment);
    return { once, connection, polyai, conversation, config, port: readPort(values.port) };
  } catch (error) {
    throw new LocalRunError(`${USAGE}\n${(error as Error).message}`);
  }
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error('--port takes a number from 1 to 65535.');
}

/** npm changes to the project's folder; what is typed is meant from where it was typed. */
function configurationFile(given: string | undefined, { INIT_CWD }: NodeJS.ProcessEnv): string {
  if (given === undefined) return join(ROOT, 'connections.json');
  const file = resolve(INIT_CWD ?? process.cwd(), given);
  if (existsSync(file)) return file;
  throw new Error(`There is no file ${given} (looked for ${file}). Name another one with --config FILE.`);
}
