import type { Option } from 'commander';
import type { Aws } from '../operate/aws.ts';
import type { Deployment } from '../operate/deployment.ts';
import type { Span } from '../operate/lines.ts';
import type { Surroundings } from '../operate/surroundings.ts';
import type { Style } from './style.ts';

/** What a command is given besides its arguments and options. */
export type Context = Surroundings & {
  /** Name of the stack. */
  stack: string;
  /** Path of the configuration file that was named or is the default; it may not exist. */
  file: string;
  /** What to search, for commands that have a span. */
  span: Span;
  style: Style;
  /** Whether the output is for a person. With `--json`, `print` does nothing and only the answer is shown. */
  isText: boolean;
  /** Whether a person can be asked. */
  isTerminal: boolean;
  /** Made when first used: a command that stays on this machine needs no credentials. */
  aws: Aws;
  /** Reads the deployed stack, once. */
  deployment(): Promise<Deployment>;
};

/** What a command found or did. */
export type Answer = {
  /** The object that `--json` prints; its shape is in docs/commands.md. */
  json: unknown;
  /** The same for a person, without a line end. Empty: the command has already printed everything. */
  text: string;
  /** Whether all is well or done. It decides between exit codes 0 and 1. */
  isWell: boolean;
};

/** A command of the command line. */
export type Command<Options = Record<string, unknown>> = {
  /** As it is typed, such as `why`, or `secret set`. */
  name: string;
  /** Its arguments, in commander's notation, each with what it is: `['<id>', 'a conversation id or …']`. */
  takes?: readonly (readonly [notation: string, meaning: string])[];
  /** More for `--help`: paragraphs of at most 100 columns. */
  about?: string;
  /** Lines to type. The first is the usual one. */
  examples: readonly string[];
  options?: readonly Option[];
  /** Which of the common options it takes: those of a deployed stack, of a span, of a configuration file. */
  needs: {
    stack?: true;
    /** The default span, such as `24h`. Adds --since and --until. */
    span?: string;
    file?: true;
  };
  /** @throws {OperatorError} what is wrong, and how to fix it */
  run(context: Context, args: readonly string[], options: Options): Promise<Answer>;
};

/** Gives a command's `run` the type of its own options. commander has checked them by the command's list. */
export function defineCommand<Options>(command: Command<Options>): Command {
  return command as unknown as Command;
}
