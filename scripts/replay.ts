import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SQSClient } from '@aws-sdk/client-sqs';
import { OUTCOMES } from '../functions/close/outcome.ts';
import { PATIENT } from '../operate/outputs.ts';
import { replay } from '../operate/replay.ts';
import type { Command } from './command/options.ts';
import { runCommand } from './command/run.ts';

const COMMAND: Command = {
  name: 'replay',
  usage: `npm run replay -- --outcome OUTCOME --since 6h [--stack NAME] [--project NAME]
                  [--dry-run] [--list] [--yes] [--rate N] [--late-look-up]

Queues closes again from the outcome log: those that ended in this outcome, each conversation once. What has
another outcome since, such as closed, is left out. For what is in the dead-letter queue, use redrive.

  --outcome        of the last attempt, such as not_found; may be given several times
  --since          how far back to look: 30m, 6h, 2d
  --stack          the stack's name (polyai-chat-closer)
  --project        only those of this project; may be given several times
  --dry-run        only show
  --list           only show, one line each: time, connection, ticket, conversation, outcome
  --yes            queue more than 100 without asking
  --rate           how many a second, at most (50)
  --late-look-up   also shared ids that were never resolved: a newer chat may be closed instead

AWS_PROFILE and AWS_REGION say which account and region are meant.
Exit code: 0 done, 1 not all of it or nothing of a named project, 2 used wrongly, 130 stopped by Ctrl-C.
`,
  // A chat that was closed stays closed, and the close of an id that was resolved has lines of its own.
  outcomes: Object.keys(OUTCOMES).filter((outcome) => !['closed', 'resolved'].includes(outcome)),
  required: ['outcome', 'since'],
};

await runCommand(COMMAND, (options, outputs, surroundings) =>
  replay(options, {
    ...surroundings,
    sqs: new SQSClient({ ...PATIENT, useQueueUrlAsEndpoint: false }),
    logs: new CloudWatchLogsClient(PATIENT),
    closeQueueUrl: outputs.CloseQueueUrl,
    deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
    logGroupName: outputs.OutcomesLogGroup,
  }),
);
