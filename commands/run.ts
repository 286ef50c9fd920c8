import { join, resolve } from 'node:path';
import { Command as Commander, CommanderError, Help, Option } from 'commander';
import { DEFAULT_STACK } from '../infra/config/load.ts';
import { ROOT } from '../infra/root.ts';
import { openAws } from '../operate/aws.ts';
import { type Deployment, readDeployment } from '../operate/deployment.ts';
import { explain, OperatorError } from '../operate/error.ts';
import type { Command, Context } from './command.ts';
import { COMMANDS } from './list.ts';
import { requireDashes } from './npm-options.ts';
import { readSpan, saySpan } from './span.ts';
import { createStyle } from './style.ts';
import { createTerminal } from './terminal.ts';

const NAME = 'npx --no chat-closer';
/** The shell's own exit code for Ctrl-C. */
const INTERRUPTED = 130;
const USED_WRONGLY = 2;

type Common = {
  stack: string;
  profile?: string;
  region?: string;
  json?: boolean;
  config?: string;
  since: string;
  until?: string;
};

/**
 * Runs the command line and sets the exit code: 0 done or healthy, 1 fault found or not all done, 2 used wrongly, 130
 * stopped with Ctrl-C.
 *
 * @param words the words after `chat-closer`
 */
export async function main(words: readonly string[]): Promise<void> {
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
  try {
    const program = await createProgram(words, stopped.signal);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
  if (stopped.signal.aborted) process.exitCode = INTERRUPTED;
}

/** Prints what is wrong. @returns the exit code */
function report(error: unknown): number {
  // commander has printed help, or usage and message, itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USED_WRONGLY;
  const text = explain(error);
  if (text === undefined) throw error;
  process.stderr.write(`${text}\n`);
  return error instanceof OperatorError ? error.exitCode : 1;
}

async function createProgram(words: readonly string[], signal: AbortSignal): Promise<Commander> {
  const program = new Commander(NAME)
    .description('Asks and operates a deployed polyai-chat-closer.')
    .addHelpText('after', '\nExit codes: 0 done or healthy, 1 fault found or not all done, 2 used wrongly.');
  strict(program);
  const called = calledBy(words);
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = commandOf(program, name).summary(summary);
    if (name === called) configure(command, summary, (await load()).default, signal);
  }
  return program;
}

/** The name of the called command: the longest one that the words begin with. */
function calledBy(words: readonly string[]): string | undefined {
  return Object.keys(COMMANDS).find((name) => name.split(' ').every((word, index) => words[index] === word));
}

/** Finds or makes the commander command of a name. The first word of two is a group. */
function commandOf(program: Commander, name: string): Commander {
  return name.split(' ').reduce((parent, word) => {
    const known = parent.commands.find((each) => each.name() === word);
    return known ?? strict(parent.command(word));
  }, program);
}

/** After a mistake shows the usage, then the message: the message must not scroll away. */
function strict(command: Commander): Commander {
  return command.exitOverride().configureOutput({
    outputError: (text, write) => write(`${command.helpInformation()}\n${text}`),
  });
}

function configure(command: Commander, summary: string, definition: Command, signal: AbortSignal): void {
  const { name, takes = [], about, examples, options = [], needs } = definition;
  command.description([`${summary}.`, about].filter(Boolean).join('\n\n'));
  for (const [notation, meaning] of takes) command.argument(notation, meaning);
  for (const option of [...options, ...commonOptions(needs)]) command.addOption(option);
  command.addHelpText('after', `\nExamples:\n${examples.map((each) => `  ${each}`).join('\n')}`);
  command.configureHelp({
    formatHelp: (each, helper) => Help.prototype.formatHelp.call(helper, each, helper),
  });
  command.action(async () => {
    const values = command.opts<Common & Record<string, unknown>>();
    try {
      requireDashes(
        `npm run ${name}`,
        command.options.map(({ long }) => long?.slice(2) ?? ''),
        process.env,
      );
      const context = createContext(definition, values, signal);
      await show(definition, context, command.args, values);
    } catch (error) {
      if (error instanceof OperatorError && error.exitCode === USED_WRONGLY) {
        throw new OperatorError(`${command.helpInformation()}\n${error.message}`, USED_WRONGLY);
      }
      throw error;
    }
  });
}

async function show(
  definition: Command,
  context: Context,
  args: readonly string[],
  values: Record<string, unknown>,
): Promise<void> {
  if (definition.needs.span) saySpan(context.span);
  const { json, text, isWell } = await definition.run(context, args, values);
  if (!context.isText && json !== undefined) process.stdout.write(`${JSON.stringify(json, undefined, 2)}\n`);
  else if (text) context.print(text);
  process.exitCode = isWell ? 0 : 1;
}

function commonOptions({ stack, span, file }: Command['needs']): Option[] {
  return [
    ...(stack
      ? [
          new Option('--stack <name>', 'name of the deployed stack').default(DEFAULT_STACK),
          new Option('--profile <name>', 'AWS profile (default: AWS_PROFILE)'),
          new Option('--region <name>', 'AWS region (default: AWS_REGION, or the profile’s)'),
        ]
      : []),
    ...(span
      ? [
          new Option(
            '--since <time>',
            'how far back: 30m, 6h, 2d, or a time such as 2026-07-01T12:00Z',
          ).default(span),
          new Option('--until <time>', 'the end, written the same way (default: now)'),
        ]
      : []),
    ...(file ? [new Option('--config <file>', 'configuration file (default: connections.json)')] : []),
    new Option('--json', 'print JSON and nothing else'),
  ];
}

/** @throws {OperatorError} for an option with a wrong value */
function createContext(definition: Command, values: Common, signal: AbortSignal): Context {
  const isText = !values.json;
  if (values.profile) process.env.AWS_PROFILE = values.profile;
  if (values.region) process.env.AWS_REGION = values.region;
  const terminal = createTerminal(isText, signal);
  const aws = once(openAws);
  const deployment = once((): Promise<Deployment> => readDeployment(aws(), values.stack));
  return {
    ...terminal,
    stack: values.stack,
    file: configurationFile(values.config),
    span: definition.needs.span ? spanOf(values, terminal.now()) : { from: 0, to: terminal.now() },
    style: createStyle(isText && process.stdout.isTTY && !process.env.NO_COLOR),
    isText,
    isTerminal: Boolean(process.stdin.isTTY),
    get aws() {
      return aws();
    },
    deployment,
  };
}

function spanOf({ since, until }: Common, now: number): Context['span'] {
  try {
    return readSpan(since, until, now);
  } catch (error) {
    throw new OperatorError((error as Error).message, USED_WRONGLY);
  }
}

/** Resolves a path from the folder in which it was typed, because npm changes to the project's folder. */
function configurationFile(given: string | undefined): string {
  return given === undefined
    ? join(ROOT, 'connections.json')
    : resolve(process.env.INIT_CWD ?? process.cwd(), given);
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
