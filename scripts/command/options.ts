import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { OperatorError } from '../../operate/error.ts';
import { requireDashes } from './npm-options.ts';

/** Every command on a deployed stack takes these. */
const COMMON = {
  stack: { type: 'string', default: 'polyai-chat-closer' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** The values of options, as `node:util` gives them. */
export type Values<Flags extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Flags }>
>['values'];

/** A command of the command line, with the options that it owns. */
export type Command<Flags extends ParseArgsOptionsConfig, Options> = {
  /** As it is typed after `npm run`. */
  name: string;
  usage: string;
  /** Its options besides `--stack` and `--help`, as `node:util`'s `parseArgs` takes them. */
  flags: Flags;
  /** @throws {Error} naming the option that is wrong, and how to fix it */
  read(values: Values<Flags>): Options;
};

/**
 * @param environment npm leaves the options that it took for itself in it
 * @returns the command's options, and the stack's name; `undefined` when help was requested
 * @throws {OperatorError} the usage, then the option that is wrong and how to fix it
 */
export function readOptions<Flags extends ParseArgsOptionsConfig, Options extends object>(
  command: Command<Flags, Options>,
  args: string[],
  environment: NodeJS.ProcessEnv,
): (Options & { stack: string }) | undefined {
  const { name, usage, flags } = command;
  const options = { ...COMMON, ...flags };
  try {
    // This check comes first: npm leaves the value of a swallowed option behind, and parsing would report only that.
    requireDashes(`npm run ${name}`, Object.keys(options), environment);
    const { values } = parseArgs({ args, options });
    const { stack, help } = values as Values<typeof COMMON>;
    if (help) return undefined;
    return { stack, ...command.read(values as Values<Flags>) };
  } catch (error) {
    throw new OperatorError(`${usage}\n${(error as Error).message}`, 2);
  }
}
