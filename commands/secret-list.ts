import { secretStates } from '../operate/secret-state.ts';
import { defineCommand } from './command.ts';

export default defineCommand({
  name: 'secret list',
  about:
    'Says of each secret whether it is filled and usable, and when it was last changed. It never shows a value.',
  examples: ['npx --no chat-closer secret list'],
  needs: { stack: true },
  async run(context) {
    const states = await secretStates(await context.deployment(), context.aws);
    const secrets = states.map(({ name, usedBy, filled, shape, changedAt }) => ({
      name,
      usedBy,
      filled,
      shape,
      ...(changedAt && { changedAt }),
    }));
    const rows = secrets.map(({ name, usedBy, filled, shape, changedAt }) => [
      usedBy,
      filled ? 'yes' : 'no',
      shape,
      changedAt ?? '-',
      name,
    ]);
    return {
      json: { secrets },
      text: context.style.table(['used by', 'filled', 'shape', 'changed', 'name'], rows),
      isWell: secrets.every(({ filled, shape }) => filled && shape === 'ok'),
    };
  },
});
