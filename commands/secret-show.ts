import { OperatorError } from '../operate/error.ts';
import { findSecret, isGenerated, readStored } from '../operate/secret-change.ts';
import { defineCommand } from './command.ts';

export default defineCommand({
  name: 'secret show',
  takes: [['<connection>', 'a connection whose secret the stack generated']],
  about: 'It asks first. Enter the value in the CRM.',
  examples: ['npx --no chat-closer secret show in-house'],
  needs: { stack: true },
  async run(context, [text = '']) {
    if (!context.isTerminal || !process.stdout.isTTY || !context.isText) {
      throw new OperatorError(
        'A secret is shown on a terminal only. In a script, read it with aws secretsmanager get-secret-value.',
        2,
      );
    }
    const deployment = await context.deployment();
    const owner = findSecret(text, deployment);
    if (!isGenerated(owner, deployment)) {
      throw new OperatorError(
        `The secret of ${owner.owner} was issued by ${owner.kind === 'polyai' ? 'PolyAI' : 'the CRM, or is your own'}: it is shown there.`,
        2,
      );
    }
    if (!(await context.ask(`Show the secret of ${owner.owner} on this screen?`))) {
      return { json: undefined, text: 'Nothing was shown.', isWell: false };
    }
    const secret = await readStored(owner, context.aws);
    return { json: undefined, text: JSON.stringify(secret, undefined, 2), isWell: true };
  },
});
