import { OUTCOMES } from '../functions/close/outcome.ts';
import { NO_OUTCOME } from '../operate/dead-letter.ts';
import { redrive } from '../operate/redrive.ts';
import { defineCommand } from './command.ts';
import { createReport, insights } from './insights.ts';
import { readSelection, type SelectionValues, selectionOptions } from './selection.ts';
import { saySpan } from './span.ts';

export default defineCommand<SelectionValues>({
  name: 'redrive',
  about:
    'It shows all dead letters first, and asks before it moves more than 100. Fix the cause before you move them.',
  examples: [
    'npx --no chat-closer redrive --dry-run',
    'npx --no chat-closer redrive --outcome unauthorized --project sales',
  ],
  options: selectionOptions(
    'move',
    'only this outcome. none: moved by SQS, without an outcome',
    'only dead letters of the last 30m, 6h, 2d, or from a time on, such as 2026-07-01T12:00Z (default: all)',
  ),
  needs: { stack: true },
  async run(context, _args, values) {
    const options = readSelection(values, [...Object.keys(OUTCOMES), NO_OUTCOME], context.now());
    if (options.span) saySpan(options.span);
    const deployment = await context.deployment();
    const { outputs } = deployment;
    const { report, reported } = createReport();
    const isWell = await redrive(options, {
      ...context,
      ...insights(context, deployment),
      report,
      sqs: context.aws.sqs,
      deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
      closeQueueUrl: outputs.CloseQueueUrl,
      logGroupName: outputs.OutcomesLogGroup,
    });
    return { json: { done: isWell, ...reported }, text: '', isWell };
  },
});
