import { SQSClient } from '@aws-sdk/client-sqs';
import { OUTCOMES } from '../functions/close/outcome.ts';
import { NO_OUTCOME } from '../operate/dead-letter.ts';
import { PATIENT } from '../operate/outputs.ts';
import { redrive } from '../operate/redrive.ts';
import type { Command } from './command/options.ts';
import { runCommand } from './command/run.ts';

const COMMAND: Command = {
  name: 'redrive',
  usage: `npm run redrive -- [--stack NAME] [--outcome OUTCOME] [--project NAME] [--since 6h]
                   [--dry-run] [--list] [--yes] [--rate N] [--late-look-up]

Shows the dead letters, and moves those that match back onto the close queue.

  --stack          the stack's name (polyai-chat-closer)
  --outcome        only those with this outcome; may be given several times. none: moved by SQS, without one
  --project        only those of this project; may be given several times
  --since          only those dead-lettered within this time: 30m, 6h, 2d
  --dry-run        only show
  --list           only show, one line each: time, connection, ticket, conversation, outcome
  --yes            move more than 100 without asking
  --rate           how many a second, at most (50)
  --late-look-up   also shared ids that were never resolved: a newer chat may be closed instead

AWS_PROFILE and AWS_REGION say which account and region are meant.
Exit code: 0 done, 1 not all of it or nothing of a named project, 2 used wrongly, 130 stopped by Ctrl-C.
`,
  outcomes: [...Object.keys(OUTCOMES), NO_OUTCOME],
  required: [],
};

await runCommand(COMMAND, (options, outputs, surroundings) =>
  redrive(options, {
    ...surroundings,
    sqs: new SQSClient({ ...PATIENT, useQueueUrlAsEndpoint: false }),
    deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
    closeQueueUrl: outputs.CloseQueueUrl,
    logGroupName: outputs.OutcomesLogGroup,
  }),
);
