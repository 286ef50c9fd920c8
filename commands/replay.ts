import { OUTCOMES } from '../functions/close/outcome.ts';
import { replay } from '../operate/replay.ts';
import { defineCommand } from './command.ts';
import { createReport, insights } from './insights.ts';
import { readSelection, type SelectionValues, selectionOptions, wrong } from './selection.ts';
import { saySpan } from './span.ts';

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
  options: selectionOptions(
    'queue',
    'last outcome, such as not_found',
    'how far back to look: 30m, 6h, 2d, or a time such as 2026-07-01T12:00Z',
  ),
  needs: { stack: true },
  async run(context, _args, values) {
    const outcomes = Object.keys(OUTCOMES).filter((outcome) => !NOT_REPLAYED.includes(outcome));
    const { span, ...selection } = readSelection(values, outcomes, context.now());
    if (selection.outcomes.length === 0) throw wrong('--outcome is required.');
    if (span === undefined || values.since === undefined) throw wrong('--since is required.');
    saySpan(span);
    const deployment = await context.deployment();
    const { outputs } = deployment;
    const { report, reported } = createReport();
    const isWell = await replay(
      { ...selection, span },
      {
        ...context,
        ...insights(context, deployment),
        report,
        sqs: context.aws.sqs,
        logs: context.aws.logs,
        closeQueueUrl: outputs.CloseQueueUrl,
        deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
        logGroupName: outputs.OutcomesLogGroup,
      },
    );
    return { json: { done: isWell, ...reported }, text: '', isWell };
  },
});
