import { type Status, type StatusParts, status } from '../operate/status/status.ts';
import type { Trouble } from '../operate/status/trouble.ts';
import { type Context, defineCommand } from './command.ts';
import type { Style } from './style.ts';

export default defineCommand({
  name: 'status',
  about: 'Reads the lines, queues and alarms of the stack. Nothing is changed.',
  examples: ['npx --no chat-closer status', 'npx --no chat-closer status --since 3d --json'],
  needs: { stack: true, span: '24h' },
  async run(context) {
    const found = await status(await context.deployment(), context.span, partsOf(context));
    return { json: found, text: toText(found, context.style), isWell: found.healthy };
  },
});

function partsOf({ aws, now, progress, signal }: Context): StatusParts {
  return { cloudWatch: aws.cloudWatch, logs: aws.logs, sqs: aws.sqs, now, progress, signal };
}

function toText({ troubles, lookedAt }: Status, style: Style): string {
  const looked = style.dim(`Looked at ${lookedAt.join(', ')}.`);
  if (troubles.length === 0) return `${style.good('Nothing is wrong.')}\n${looked}`;
  return [...troubles.map((trouble) => troubleText(trouble, style)), looked].join('\n\n');
}

function troubleText({ cause, sentence, next }: Trouble, style: Style): string {
  return `${style.bad(cause)}  ${sentence}\nWhat to do: ${next}`;
}
