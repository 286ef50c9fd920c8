import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Deployment } from '../operate/deployment.ts';
import {
  findSecret,
  generatedValue,
  readStored,
  rotatedField,
  type SecretOwner,
  secretOf,
  storeSecret,
  withNewestOnly,
  withNewValue,
} from '../operate/secret-change.ts';
import { type Context, defineCommand } from './command.ts';
import { askValue } from './secret-input.ts';

type Options = { finish?: boolean; generate?: boolean };

export default defineCommand<Options>({
  name: 'secret rotate',
  takes: [['<connection>', 'the connection’s name in connections.json']],
  about:
    'Adds a new value before the old one: both are accepted. Change it in the CRM, wait for a delivery, then --finish keeps the new one alone.',
  examples: [
    'npx --no chat-closer secret rotate in-house --generate',
    'npx --no chat-closer secret rotate in-house --finish',
  ],
  options: [
    new Option('--generate', 'let this command make the new value, where you may choose it'),
    new Option('--finish', 'keep only the newest value'),
  ],
  needs: { stack: true },
  async run(context, [text = ''], { finish, generate }) {
    const deployment = await context.deployment();
    const owner = findSecret(text, deployment);
    const field = rotatedField(owner, deployment);
    const secret = await readStored(owner, context.aws);
    const changed = finish
      ? withNewestOnly(secret, field)
      : withNewValue(secret, field, await newValue(owner, field, generate, deployment, context));
    await storeSecret(owner, changed, deployment, context.aws);
    return {
      json: { name: owner.name, values: [changed[field]].flat().length },
      text: finish
        ? `${owner.name} has one value again.`
        : `${owner.name} has ${[changed[field]].flat().length} values, and accepts each. Change the CRM, wait for a delivery, then: npx --no chat-closer secret rotate ${text} --finish`,
      isWell: true,
    };
  },
});

async function newValue(
  owner: SecretOwner,
  field: string,
  generate: boolean | undefined,
  deployment: Deployment,
  context: Context,
): Promise<unknown> {
  if (generate) return generatedValue();
  if (context.isTerminal) return askValue(`new ${field} of ${owner.owner}`, context);
  return secretOf(readFileSync(0, 'utf8'), owner, deployment)[field];
}
