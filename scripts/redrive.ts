import { SQSClient } from '@aws-sdk/client-sqs';
import { RETRYING } from '../operate/outputs.ts';
import { redrive } from '../operate/redrive.ts';
import { REDRIVE } from './command/redrive.ts';
import { runCommand } from './command/run.ts';

await runCommand(REDRIVE, (options, outputs, surroundings) =>
  redrive(options, {
    ...surroundings,
    sqs: new SQSClient({ ...RETRYING, useQueueUrlAsEndpoint: false }),
    deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
    closeQueueUrl: outputs.CloseQueueUrl,
    logGroupName: outputs.OutcomesLogGroup,
  }),
);
