import { existsSync, writeFileSync } from 'node:fs';
import { input, select } from '@inquirer/prompts';
import { Option } from 'commander';
import { CRMS } from '../functions/crm/index.ts';
import { suggest } from '../infra/config/fault.ts';
import {
  ConfigurationError,
  type ConnectionConfiguration,
  checkConfiguration,
} from '../infra/config/load.ts';
import { REGIONS } from '../infra/config/project.ts';
import { cardOf } from '../operate/card/card.ts';
import { OperatorError } from '../operate/error.ts';
import { cardText } from './card-text.ts';
import { type Context, defineCommand } from './command.ts';
import { wrong } from './selection.ts';

type Options = {
  polyaiRegion?: string;
  account?: string;
  project?: string;
  crm?: string;
  set?: string[];
  force?: boolean;
};

type Answers = { region: string; accountId: string; projectId: string; crm: string };

/** The names that are used in the file; they can be changed in it before the first deployment. */
const PROJECT = 'support';

export default defineCommand<Options>({
  name: 'init',
  about:
    'Asks for what it was not given, writes a configuration that passes the check, and ends in the card of the connection.',
  examples: [
    'npx --no chat-closer init',
    'npx --no chat-closer init --polyai-region uk-1 --account acme-uk --project PROJECT-191bfa2a --crm zendesk --config mine.json',
  ],
  options: [
    new Option('--polyai-region <region>', `PolyAI’s region: ${REGIONS.join(', ')}`),
    new Option('--account <id>', 'PolyAI’s account id'),
    new Option('--project <id>', 'PolyAI’s project id'),
    new Option('--crm <crm>', 'the CRM, such as zendesk'),
    new Option(
      '--set <key=value>',
      'a setting of the connection, such as sender=1a2b; may be given several times',
    ).argParser((value: string, previous: string[] = []) => [...previous, value]),
    new Option('--force', 'overwrite the file'),
  ],
  needs: { file: true },
  async run(context, _args, options) {
    if (existsSync(context.file) && !options.force) {
      throw new OperatorError(
        `${context.file} exists. Name another file with --config, or overwrite it with --force.`,
        2,
      );
    }
    const { crm, ...project } = await answersOf(options, context);
    const name = `${crm}-${PROJECT}`;
    const connection = { crm, polyai: PROJECT, ...settingsOf(options.set ?? []) };
    const content = {
      $schema: './connections.schema.json',
      polyai: { [PROJECT]: project },
      connections: { [name]: connection },
    };
    const configuration = check(content, crm);
    writeFileSync(context.file, `${JSON.stringify(content, undefined, 2)}\n`);
    const card = cardOf(name, configuration.connections[name] as ConnectionConfiguration);
    const state = { secret: { filled: false, shape: 'the stack is not deployed yet' } };
    return {
      json: { file: context.file, connection: name, card },
      text: `Wrote ${context.file}. Next: npx cdk deploy, then npx --no chat-closer secret set ${PROJECT}\n\n${cardText({ ...card, state }, context.style)}`,
      isWell: true,
    };
  },
});

async function answersOf(options: Options, context: Context): Promise<Answers> {
  return {
    region: await choice('--polyai-region', options.polyaiRegion, 'PolyAI’s region', REGIONS, context),
    accountId: await text('--account', options.account, 'PolyAI’s account id', context),
    projectId: await text('--project', options.project, 'PolyAI’s project id', context),
    crm: await choice('--crm', options.crm, 'Your CRM', Object.keys(CRMS), context),
  };
}

async function choice(
  option: string,
  given: string | undefined,
  message: string,
  choices: readonly string[],
  { isTerminal, signal }: Context,
): Promise<string> {
  if (given !== undefined) {
    if (choices.includes(given)) return given;
    throw wrong(`${option} ${given} is not known. ${suggest(given, choices)}`);
  }
  if (!isTerminal)
    throw wrong(`${option} is missing, and there is no terminal to ask. Choose from ${choices.join(', ')}.`);
  return select({ message, choices: [...choices] }, { signal, output: process.stderr });
}

async function text(
  option: string,
  given: string | undefined,
  message: string,
  { isTerminal, signal }: Context,
): Promise<string> {
  if (given !== undefined) return given;
  if (!isTerminal) throw wrong(`${option} is missing, and there is no terminal to ask.`);
  return input({ message, required: true }, { signal, output: process.stderr });
}

/** Settings of the form `key=value`. A value that is JSON is taken as it. */
function settingsOf(settings: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    settings.map((setting) => {
      const [, key, value = ''] = /^(\w+)=(.*)$/s.exec(setting) ?? [];
      if (key === undefined) throw wrong(`--set ${setting} has no name and value. Write --set sender=1a2b.`);
      return [key, jsonOr(value)];
    }),
  );
}

function jsonOr(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** @throws {OperatorError} used wrongly: the CRM needs settings that were not given, or one is wrong */
function check(content: unknown, crm: string) {
  try {
    return checkConfiguration(content, 'what was given');
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw wrong(
      `${error.message}\nNothing was written. Give the settings that ${crm} needs with --set: docs/crm/${crm}.md names them.`,
    );
  }
}
