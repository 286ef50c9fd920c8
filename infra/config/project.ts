import { z } from 'zod';
import { toMinutes } from './duration.ts';
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

const cleanup = keys('A scheduled search for chats that no webhook ever closed.', {
  schedule: text(
    {
      description: 'When it runs: rate(…) or cron(…).',
      mend: 'Write as in rate(1 hour) or cron(0 3 * * ? *)',
    },
    checkSchedule,
  ),
  timezone: text(
    {
      description: 'The time zone of a cron(…).',
      mend: 'Write a name of the IANA list, as in Europe/London',
    },
    refuse('Write a name of the IANA list, as in Europe/London', {
      'is not a time zone': (value) => !isTimeZone(value),
    }),
  ).default('UTC'),
  idleFor: duration(
    'How long nothing has happened in a chat that counts as left open. At least 30m.',
    refuse('Write 30m or more', { 'is less than 30m': (minutes) => minutes < toMinutes('30m') }),
  ).default('12h'),
  lookback: duration('How old a chat may be to be seen.').default('14d'),
  channels: listOf(
    {
      description: 'The channels whose chats may be closed. Voice never.',
      mend: 'Name the channels whose chats may be closed, as in ["CHAT"]',
    },
    text(
      { description: 'As PolyAI lists it.', mend: 'Name a channel, as in "CHAT"' },
      refuse('Leave it out: a call is never closed', {
        'is a voice channel': (value) => /^\s*voice/i.test(value),
      }),
    ),
  ),
  maxCloses: whole('Closes that one run may ask for.', 1, 100_000).default(200),
  dryRun: z
    .boolean({ error: 'Write true or false' })
    .meta({ description: 'Log only, close nothing.' })
    .default(true),
  alarmAfter: duration(
    'Alarm when no complete run was seen for so long. Required with cron(…), at most 7d.',
    refuse('Write 7d or less', { 'is more than 7d': (minutes) => minutes > toMinutes('7d') }),
  ).exactOptional(),
  oldestOpenAlarm: duration('Alarm when the oldest open chat is older than this.').exactOptional(),
});

function isTimeZone(value: string): boolean {
  try {
    return /^[A-Z]/.test(value) && Boolean(new Intl.DateTimeFormat('en', { timeZone: value }));
  } catch {
    return false;
  }
}

/** Hosts of PolyAI's own tools, whose addresses look like those of its API. */
const checkHost = refuse<string>(
  'Leave baseUrl out: the region gives it. Or write the address that PolyAI gave you for the Chat API',
  {
    'is the address of PolyAI’s development tools': (value) => /^jupiter-api\./.test(new URL(value).hostname),
  },
);

export const project = keys('A PolyAI project whose chats are closed.', {
  region: oneOf('Where PolyAI hosts the project.', ['us-1', 'uk-1', 'euw-1']),
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
    { description: 'Instead of the region’s host: https, or http on a loopback address.', mend: ADDRESS },
    (value) => checkAddress(value) ?? checkHost(value),
  ).exactOptional(),
  clientEnv: oneOf('Which chats cleanup lists.', ['live', 'pre-release', 'sandbox']).default('live'),
  cleanup: cleanup.exactOptional(),
  ...SECRET,
});
