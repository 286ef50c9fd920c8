import { z } from 'zod';
import { account } from './account.ts';
import { rateInMinutes, toMinutes } from './duration.ts';
import { thresholds } from './thresholds.ts';
import { checkAddress, checked, formed, keys, refuse, text, whole } from './values.ts';

/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const MAX_THROTTLE = 1_000_000;

/** Its alarm looks back on three runs, and an alarm can look back on seven days. */
const MAX_CANARY_RATE = '1d';
const WRITE_RATE = `Write rate(…) of at most ${MAX_CANARY_RATE}, as in rate(5 minutes)`;

const canary = keys('Tests the whole chain on a schedule. An object with `schedule` and `polyai`.', {
  schedule: text(
    { description: `When it runs: rate(…), at least once in ${MAX_CANARY_RATE}.`, fix: WRITE_RATE },
    refuse(WRITE_RATE, {
      // The alarm must know when a run is missing.
      'is not rate(…)': (value) => Number.isNaN(rateInMinutes(value)),
      [`runs less often than once in ${MAX_CANARY_RATE}`]: (value) =>
        rateInMinutes(value) > toMinutes(MAX_CANARY_RATE),
    }),
  ),
  polyai: text({
    description: 'The project that it asks to close the conversation.',
    fix: 'Name a project of "polyai"',
  }),
});

export const stack = keys('Settings of the whole stack.', {
  maxConcurrency: whole('Workers at the same time. Each makes up to 10 calls to PolyAI.', 2, 1000).default(5),
  throttle: keys('Request limits of the webhooks’ API.', {
    ratePerSecond: whole('Requests per second.', 1, MAX_THROTTLE).default(1000),
    burst: whole('Requests at the same time.', 1, MAX_THROTTLE).default(2000),
  }).prefault({}),
  logRetentionDays: checked(
    z.number({ error: `Choose from ${RETENTION_DAYS.join(', ')}` }),
    refuse(`Choose from ${RETENTION_DAYS.join(', ')}`, {
      'is not a period that CloudWatch Logs offers': (days) => !RETENTION_DAYS.includes(days),
    }),
  )
    .meta({ description: 'How many days log lines are kept.', enum: RETENTION_DAYS })
    .default(90),
  alarms: keys('Who is told about alarms.', {
    email: formed(
      { description: 'E-mail address to subscribe to the alarms.', fix: 'Write one e-mail address' },
      /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
      'is not an e-mail address',
    ).exactOptional(),
    topicArn: formed(
      {
        description: 'ARN of your own SNS topic for the alarms.',
        fix: 'Write the ARN of a standard topic: arn:aws:sns:<region>:<account>:<name>',
      },
      /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
      'is not the ARN of an SNS topic',
    ).exactOptional(),
    thresholds: thresholds.prefault({}),
  }).prefault({}),
  canary: canary.exactOptional(),
  runbookUrl: text(
    {
      description:
        'URL of your copy of docs/operations.md, without the part after #. Alarms link to its sections.',
      fix: 'Write https://host/path of the page, without a query and without #',
    },
    checkAddress,
  ).exactOptional(),
  ...account,
});
