import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { requireDashes } from '../../commands/npm-options.ts';
import { ROOT } from '../../infra/root.ts';
import { isLoopback, LocalRunError } from '../../local/isolation.ts';

export const USAGE = `npm start [-- --once] [--config FILE] [--connection NAME] [--polyai URL [--conversation ID]] [--port N]

  --once            end after the first close; exit code 0 if the chat was closed, 1 otherwise
  --config          path of a connections.json (default: the one in this folder)
  --connection      connection to send the delivery to (default: the first one with a possible example)
  --polyai          address of a PolyAI to use instead of the stand-in; its keys come from POLYAI_API_KEY and
                    POLYAI_TOKEN
  --conversation    id of the conversation to close there
  --port            port of the local AWS, which must be free (default: 4566, or a free port if that is taken)
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
 * @param environment the options that npm took for itself, and the folder in which the command was typed (`INIT_CWD`)
 * @returns `undefined` when help was requested
 * @throws {LocalRunError} the usage, then the option that is wrong and how to fix it
 */
export function readStartOptions(args: string[], environment: NodeJS.ProcessEnv): StartOptions | undefined {
  try {
    requireDashes('npm start', Object.keys(OPTIONS), environment);
    const { help, ...values } = parseArgs({ args, options: OPTIONS }).values;
    if (help) return undefined;
    const { once, connection, polyai, conversation } = values;
    if (polyai && !/^https:\/\/[^/]/.test(polyai) && !isLoopback(polyai)) {
      throw new Error(
        '--polyai must be an address that begins with https://, or an address of this machine.',
      );
    }
    if (conversation && !polyai) throw new Error('--conversation needs --polyai.');
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
  throw new Error('--port must be a number from 1 to 65535.');
}

/** Resolves a path from the folder in which it was typed, because npm changes to the project's folder. */
export function configurationFile(given: string | undefined, { INIT_CWD }: NodeJS.ProcessEnv): string {
  if (given === undefined) return join(ROOT, 'connections.json');
  const file = resolve(INIT_CWD ?? process.cwd(), given);
  if (existsSync(file)) return file;
  throw new Error(`There is no file ${given} (looked for ${file}). Name another file with --config FILE.`);
}
