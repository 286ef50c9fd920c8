import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { depthOf } from '../queue-depth.ts';
import { type Check, type Checked, CLI, type Finding, fault, ok, warning } from './finding.ts';

const DAY_MS = 24 * 3_600_000;
/** SQS deletes a message after 14 days. */
const KEPT_DAYS = 14;
const NEAR_END_DAYS = 10;

/** Whether dead letters wait, and how near their end they are. */
export const checkDeadLetters: Check = async (checked) => {
  const { DeadLetterQueueUrl, EventsDeadLetterQueueUrl } = checked.deployment.outputs;
  return [
    await checkQueue(DeadLetterQueueUrl, 'closes', `${CLI} redrive --list`, checked),
    ...(EventsDeadLetterQueueUrl
      ? [
          await checkQueue(
            EventsDeadLetterQueueUrl,
            'events',
            'docs/operations.md#events-dead-letters',
            checked,
          ),
        ]
      : []),
  ];
};

async function checkQueue(url: string, what: string, fix: string, { aws, now }: Checked): Promise<Finding> {
  const depth = await depthOf(aws.sqs, url);
  const number = (depth?.waiting ?? 0) + (depth?.held ?? 0);
  if (number === 0) return ok('dead letters', `No ${what} were given up.`);
  const days = await oldestDays(url, aws, now());
  const sentence = `${number} ${what} were given up${days === undefined ? '' : `, the oldest that was seen ${days} days ago`}. SQS deletes them after ${KEPT_DAYS} days.`;
  return days !== undefined && days >= NEAR_END_DAYS
    ? fault('dead letters', sentence, fix)
    : warning('dead letters', sentence, fix);
}

/** The age of the oldest of some messages. They stay visible: only their receive count goes up. */
async function oldestDays(
  QueueUrl: string,
  { sqs }: Checked['aws'],
  now: number,
): Promise<number | undefined> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 0,
      MessageSystemAttributeNames: ['SentTimestamp'],
    }),
  );
  const sent = Messages.map(({ Attributes }) => Number(Attributes?.SentTimestamp)).filter((time) => time > 0);
  return sent.length > 0 ? Math.floor((now - Math.min(...sent)) / DAY_MS) : undefined;
}
