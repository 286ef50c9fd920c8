import { z } from 'zod';
import { rateInMinutes, toMinutes } from './duration.ts';
import { checkSecretKey } from './existing-secret.ts';
import { type Breach, ruled, settingsOf } from './rule.ts';
import { checkSchedule } from './schedule.ts';
import {
  ADDRESS,
  checkAddress,
  duration,
  keys,
  listOf,
  oneOf,
  refuse,
  SECRET,
  segment,
  text,
  whole,
} from './values.ts';

/** @see https://docs.poly.ai/api-reference/introduction */
const SWAP =
  'In the path of Agent Studio accountId is the first part and projectId the second: are the two swapped?';

/** The longest period that an alarm can look back on. */
export const MAX_ALARM = '7d';

/** PolyAI's regions for the Chat API. */
export const REGIONS = ['us-1', 'uk-1', 'euw-1'] as const;

const cleanup = keys('A scheduled search for chats that no webhook closed.', {
  schedule: text(
    {
      description: 'When it runs: rate(…) or cron(…).',
      fix: 'Write it as in rate(1 hour) or cron(0 3 * * ? *)',
    },
    checkSchedule,
  ),
  timezone: text(
    {
      description: 'The time zone of a cron(…).',
      fix: 'Write a name of the IANA list, as in Europe/London',
    },
    refuse('Write a name of the IANA list, as in Europe/London', {
      'is not a time zone': (value) => !isTimeZone(value),
    }),
  ).default('UTC'),
  idleFor: duration(
    'A chat without activity for this long counts as left open. At least 30m.',
    refuse('Write 30m or more', { 'is less than 30m': (minutes) => minutes < toMinutes('30m') }),
  ).default('12h'),
  lookback: duration('Older chats are not looked at.').default('14d'),
  channels: listOf(
    {
      description: 'The channels whose chats may be closed. Voice channels are not allowed.',
      fix: 'Name the channels whose chats may be closed, as in ["CHAT"]',
    },
    text(
      { description: 'The channel as PolyAI lists it.', fix: 'Name a channel, as in "CHAT"' },
      refuse('Leave it out: cleanup never closes a call', {
        'is a voice channel': (value) => /^\s*voice/i.test(value),
      }),
    ),
  ),
  maxCloses: whole('Maximum closes in one run.', 1, 100_000).default(200),
  dryRun: z
    .boolean({ error: 'Write true or false' })
    .meta({ description: 'Only write log lines, and close nothing.' })
    .default(true),
  alarmAfter: duration(
    `Alarm if no complete run is seen for this long. Required with cron(…), at most ${MAX_ALARM}.`,
    refuse(`Write ${MAX_ALARM} or less`, {
      [`is more than ${MAX_ALARM}`]: (minutes) => minutes > toMinutes(MAX_ALARM),
    }),
  ).exactOptional(),
  oldestOpenAlarm: duration('Alarm if the oldest open chat is older than this.').exactOptional(),
});

function isTimeZone(value: string): boolean {
  try {
    return /^[A-Z]/.test(value) && Boolean(new Intl.DateTimeFormat('en', { timeZone: value }));
  } catch {
    return false;
  }
}

/** A value of the wrong type has no duration (NaN), and every comparison with NaN is false. */
function checkCleanup(value: unknown): Breach[] {
  return [...checkAlarmAfter(value), ...checkFrequency(value), ...checkLookback(value)];
}

function checkAlarmAfter(value: unknown): Breach[] {
  const { schedule, alarmAfter } = settingsOf(value);
  const isCron = typeof schedule === 'string' && schedule.startsWith('cron(');
  if (!isCron || alarmAfter !== undefined) return [];
  return [
    {
      path: ['alarmAfter'],
      problem: 'is missing, and cron(…) requires it',
      fix: 'Write how long no run may be seen before the alarm, as in 26h for a daily run',
      isMissing: true,
    },
  ];
}

function checkFrequency(value: unknown): Breach[] {
  const { schedule, alarmAfter } = settingsOf(value);
  if (!(rateInMinutes(schedule) >= toMinutes(alarmAfter ?? MAX_ALARM))) return [];
  const limit = alarmAfter === undefined ? `once in ${MAX_ALARM}, the maximum of alarmAfter` : 'alarmAfter';
  return [
    {
      path: ['schedule'],
      problem: `runs no more often than ${limit}`,
      fix: `Run it more often, or make "alarmAfter" longer (at most ${MAX_ALARM})`,
    },
  ];
}

function checkLookback(value: unknown): Breach[] {
  const { lookback, idleFor } = settingsOf(value);
  if (!(toMinutes(lookback) <= toMinutes(idleFor))) return [];
  return [
    {
      path: ['lookback'],
      problem: 'is not longer than idleFor, so no chat would ever be found',
      fix: 'Make it longer',
    },
  ];
}

/** The host of PolyAI's development tools, whose address looks like that of its API. */
const checkHost = refuse<string>(
  'Leave baseUrl out: the region gives it. Or write the address that PolyAI gave you for the Chat API',
  {
    'is the address of PolyAI’s development tools': (value) => /^jupiter-api\./.test(new URL(value).hostname),
  },
);

const settings = keys('A PolyAI project whose chats are closed.', {
  region: oneOf('Where PolyAI hosts the project.', REGIONS),
  accountId: segment(
    'PolyAI’s workspace id.',
    'acme-uk',
    refuse(SWAP, { 'is the id of a project': (value) => /^(PROJECT|AGENT)-/.test(value) }),
  ),
  projectId: segment(
    'PolyAI’s agent id.',
    'PROJECT-191bfa2a',
    refuse(SWAP, {
      'is the id of an account': (value) => /^(ACCOUNT-|ws-(?=[a-f]*\d)[0-9a-f]{8}$)/.test(value),
    }),
  ),
  version: segment('The version of PolyAI’s Chat API.', 'v1').default('v1'),
  baseUrl: text(
    { description: 'Replaces the region’s host. https, or http on a loopback address.', fix: ADDRESS },
    (value) => checkAddress(value) ?? checkHost(value),
  ).exactOptional(),
  clientEnv: oneOf('Which chats cleanup lists.', ['live', 'pre-release', 'sandbox']).default('live'),
  cleanup: ruled(cleanup, checkCleanup).exactOptional(),
  ...SECRET,
});

export const project = ruled(settings, checkSecretKey);
