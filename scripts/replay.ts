import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { SQSClient } from '@aws-sdk/client-sqs';
import { RETRYING } from '../operate/outputs.ts';
import { replay } from '../operate/replay.ts';
import { REPLAY } from './command/replay.ts';
import { runCommand } from './command/run.ts';

await runCommand(REPLAY, (options, outputs, surroundings) =>
  replay(options, {
    ...surroundings,
    sqs: new SQSClient({ ...RETRYING, useQueueUrlAsEndpoint: false }),
    logs: new CloudWatchLogsClient(RETRYING),
    closeQueueUrl: outputs.CloseQueueUrl,
    deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
    logGroupName: outputs.OutcomesLogGroup,
  }),
);
