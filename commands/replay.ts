import { OUTCOMES } from '../functions/close/outcome.ts';
import { replay } from '../operate/replay.ts';
import { defineCommand } from './command.ts';
import { readSelection, type SelectionValues, selectionOptions, wrong } from './selection.ts';

/** The outcomes that need no replay. */
const NOT_REPLAYED = ['closed', 'resolved'];

export default defineCommand<SelectionValues>({
  name: 'replay',
  about:
    'Each conversation whose last outcome is the given one is queued once. A conversation with another outcome since, such as closed, is left out. For dead letters, use redrive.',
  examples: [
    'npx --no chat-closer replay --outcome not_found --since 6h --dry-run',
    'npx --no chat-closer replay --outcome not_found --since 6h',
  ],
  options: selectionOptions('queue', 'last outcome, such as not_found', 'how far back to look: 30m, 6h, 2d'),
  needs: { stack: true },
  async run(context, _args, values) {
    const outcomes = Object.keys(OUTCOMES).filter((outcome) => !NOT_REPLAYED.includes(outcome));
    const { sinceMs, ...selection } = readSelection(values, outcomes);
    if (selection.outcomes.length === 0) throw wrong('--outcome is required.');
    if (sinceMs === undefined) throw wrong('--since is required.');
    const { outputs } = await context.deployment();
    const isWell = await replay(
      { ...selection, sinceMs },
      {
        ...context,
        sqs: context.aws.sqs,
        logs: context.aws.logs,
        closeQueueUrl: outputs.CloseQueueUrl,
        deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
        logGroupName: outputs.OutcomesLogGroup,
      },
    );
    return { json: { done: isWell }, text: '', isWell };
  },
});
