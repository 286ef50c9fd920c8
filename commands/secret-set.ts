import { findSecret, storeSecret } from '../operate/secret-change.ts';
import { defineCommand } from './command.ts';
import { askSecret } from './secret-input.ts';

export default defineCommand({
  name: 'secret set',
  takes: [['<name>', 'a project or a connection']],
  about:
    'Asks for the values without showing them, or reads them from standard input: a JSON object, or the bare value. They are checked as the function would, and used at once, without a deployment.',
  examples: [
    'npx --no chat-closer secret set support',
    'npx --no chat-closer secret set zendesk-support < signing-secret.txt',
  ],
  needs: { stack: true },
  async run(context, [text = '']) {
    const deployment = await context.deployment();
    const owner = findSecret(text, deployment);
    await storeSecret(owner, await askSecret(owner, deployment, context), deployment, context.aws);
    return {
      json: { name: owner.name, stored: true },
      text: `Stored in ${owner.name}. It is used at once.`,
      isWell: true,
    };
  },
});
