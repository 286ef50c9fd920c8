import type { Story } from './play.ts';
import {
  answers,
  both,
  crash,
  deployed,
  during,
  empty,
  figure,
  forgeries,
  longChat,
  noCanarySecret,
  revokedKeys,
  silent,
  sourceOff,
  strangers,
  wrongSecret,
} from './troubles.ts';
import { HOUR, MINUTE } from './world.ts';

const account = { region: 'uk-1', accountId: 'acme-uk' };
const cleanup = {
  schedule: 'rate(1 hour)',
  channels: ['CHAT'],
  idleFor: '30m',
  dryRun: false,
  oldestOpenAlarm: '4h',
};
const thresholds = { MissRateAlarm: 50, FloodAlarm: 200 };

/** A connections.json with every alarm but the canary's. */
export const PLAIN = {
  stack: { alarms: { thresholds } },
  polyai: {
    support: { ...account, projectId: 'PROJECT-1' },
    cleaned: { ...account, projectId: 'PROJECT-2', cleanup },
    tickets: { ...account, projectId: 'PROJECT-3' },
  },
  connections: {
    desk: { crm: 'zendesk', polyai: 'support', silentAfter: '3h' },
    steady: { crm: 'zendesk', polyai: 'cleaned' },
    genesys: {
      crm: 'genesys-eventbridge',
      polyai: 'tickets',
      bus: 'aws.partner/genesys.com/cloud/1/2',
      lookUp: 'sharedId',
    },
  },
};

/** The same with a canary. */
export const WITH_CANARY = {
  ...PLAIN,
  stack: { ...PLAIN.stack, canary: { schedule: 'rate(5 minutes)', polyai: 'tickets' } },
};

export type Rehearsed = Story & {
  /** The alarms that ring, and no others, with the maximum of minutes after the trouble began. */
  rings: Record<string, number>;
  /** On the stack with a canary. */
  canary?: true;
};

/** The alarm on late closes looks back on 75 minutes. */
const UNTIL_ALL_ARE_CLOSED = 150 * MINUTE;
/** An alarm that looks at the last five minutes rings with the first lines. */
const SOON = 6;
const short = { lasts: 12 * MINUTE };

/**
 * Only the close itself fails, because a look-up that fails for 15 minutes is a dead letter. With fewer chats there may
 * be no attempt between the fifteenth and the twentieth minute, because the waits double.
 */
const outage = (project: string): Rehearsed => ({
  ...answers(project, 500, /\/chat\/close$/),
  lasts: 20 * MINUTE,
  after: UNTIL_ALL_ARE_CLOSED,
  every: MINUTE,
  rings: { [`LateClosesAlarm${project}`]: 21 },
});

const refusing = (connection: string): Rehearsed => ({
  ...wrongSecret(connection),
  lasts: 40 * MINUTE,
  rings: { [`ConnectionRefusedAlarm${connection}`]: 20 },
});

/** The troubles that issue 10 names. */
export const PLANTED = {
  'the secret of a CRM is wrong': refusing('desk'),
  'PolyAI answers 500 for 20 minutes': outage('support'),
  'PolyAI revokes the keys': { ...revokedKeys('support'), ...short, rings: { UnauthorizedAlarm: SOON } },
  'the id of a project is wrong': {
    ...deployed(({ support, ...others }) => ({
      ...others,
      ...(support && { support: { ...support, projectId: 'PROJECT-9' } }),
    })),
    ...short,
    rings: { MisdirectedAlarm: SOON },
  },
  // Without look-ups, which are dead letters after 15 minutes.
  'the event source of the worker is disabled': {
    ...both(sourceOff, silent('genesys')),
    lasts: 30 * MINUTE,
    rings: { WorkerStoppedAlarm: 21 },
  },
  'forgeries flood a connection with traffic': {
    ...forgeries(60, 'desk'),
    ...short,
    rings: { FloodAlarm: SOON },
  },
  'a CRM falls silent': {
    ...silent('desk'),
    // Longer than CloudWatch looks back, so that no data is left.
    lasts: 5 * HOUR,
    rings: { SilentConnectionAlarmdesk: 186 },
  },
  'the keys of the canary’s project are revoked': {
    ...both(revokedKeys('tickets'), silent('genesys')),
    lasts: 30 * MINUTE,
    canary: true,
    rings: { CanaryAlarm: 21 },
  },
} satisfies Record<string, Rehearsed>;

/** What the other alarms are for, and what rings more than one. */
const MORE: Record<string, Rehearsed> = {
  'the secret of another CRM is wrong': refusing('steady'),
  'PolyAI answers 500 for 20 minutes, in a project with a cleanup': outage('cleaned'),
  'PolyAI answers 500 for 20 minutes, to closes after a look-up': outage('tickets'),
  'PolyAI revokes the keys, and nobody acts for 40 minutes': {
    ...revokedKeys('support'),
    lasts: 40 * MINUTE,
    after: UNTIL_ALL_ARE_CLOSED,
    rings: { UnauthorizedAlarm: SOON, LateClosesAlarmsupport: 36 },
  },
  'PolyAI answers 500 for 40 minutes, and chats are rare': {
    ...answers('support', 500),
    lasts: 40 * MINUTE,
    after: UNTIL_ALL_ARE_CLOSED,
    every: 10 * MINUTE,
    rings: { LateClosesAlarmsupport: 36 },
  },
  'PolyAI answers 500 for a night, and chats are rare': {
    ...answers('support', 500),
    lasts: 8 * HOUR,
    after: UNTIL_ALL_ARE_CLOSED,
    every: 10 * MINUTE,
    rings: { LateClosesAlarmsupport: 36 },
  },
  'a project is not deployed': {
    ...deployed(({ support: _support, ...others }) => others),
    ...short,
    rings: { UnknownTargetAlarm: SOON },
  },
  'the worker is throttled': {
    ...both(
      silent('genesys'),
      during((faults, isOn) => {
        faults.isWorkerThrottled = isOn;
      }),
    ),
    lasts: 30 * MINUTE,
    rings: { WorkerStoppedAlarm: 21 },
  },
  'the canary does not run': {
    ...during((faults, isOn) => {
      faults.isCanaryOff = isOn;
    }),
    lasts: 30 * MINUTE,
    canary: true,
    rings: { CanaryAlarm: 21 },
  },
  'the canary has no secret': {
    ...noCanarySecret(),
    lasts: 40 * MINUTE,
    canary: true,
    rings: { CanaryAlarm: 26 },
  },
  'the worker of a stack with a canary stops': {
    ...both(sourceOff, silent('genesys')),
    lasts: 30 * MINUTE,
    canary: true,
    rings: { WorkerStoppedAlarm: 21, CanaryAlarm: 21 },
  },
  'PolyAI does not know the conversations': {
    ...answers('support', 404),
    lasts: 15 * MINUTE,
    every: MINUTE / 2,
    rings: { NotFoundAlarm: 16 },
  },
  'PolyAI rejects closes': {
    ...both(answers('support', 422), { begin: () => {}, end: ({ queues }) => empty(queues.DeadLetters) }),
    ...short,
    rings: { DeadLettersAlarm: SOON },
  },
  'an event cannot be read': {
    begin: (world) => world.putEvent('nobody', {}),
    end: ({ queues }) => empty(queues.EventDeadLetters),
    lasts: 30 * MINUTE,
    rings: { FaultsAlarm: SOON, EventsDeadLettersAlarm: 27 },
  },
  'dead letters are ten days old': {
    ...figure('DeadLetters', 'ApproximateAgeOfOldestMessage', 10 * 86_400),
    ...short,
    rings: { AgingDeadLettersAlarm: SOON },
  },
  'dead letters of events are ten days old': {
    ...figure('EventDeadLetters', 'ApproximateAgeOfOldestMessage', 10 * 86_400),
    ...short,
    rings: { EventsAgingDeadLettersAlarm: SOON },
  },
  'too many closes are in flight': {
    ...figure('Closes', 'ApproximateNumberOfMessagesNotVisible', 80_000),
    ...short,
    rings: { InFlightAlarm: SOON },
  },
  'the gateway cannot reach the receiver': {
    ...during((faults, isOn) => {
      faults.gateway = isOn ? 503 : undefined;
    }),
    ...short,
    rings: { GatewayAlarm: SOON },
  },
  'the gateway throttles': {
    ...during((faults, isOn) => {
      faults.gateway = isOn ? 429 : undefined;
    }),
    ...short,
    rings: { GatewayAlarm: SOON },
  },
  'Secrets Manager denies a secret': {
    begin: ({ faults, secrets }) => faults.deniedSecrets.add(secrets.connections.get('desk')?.id ?? ''),
    end: ({ faults }) => faults.deniedSecrets.clear(),
    lasts: 20 * MINUTE,
    // The receiver uses its copy for five minutes.
    rings: { FaultsAlarm: 11 },
  },
  'the receiver crashes': {
    ...crash('Receive'),
    ...short,
    rings: { ReceiveErrorsAlarm: SOON, GatewayAlarm: SOON },
  },
  'the worker crashes': { ...crash('Close'), ...short, rings: { CloseErrorsAlarm: SOON } },
  'the event reader crashes': { ...crash('Event'), ...short, rings: { EventErrorsAlarm: SOON } },
  'the cleanup crashes': { ...crash('Cleanup'), ...short, rings: { CleanupErrorsAlarm: 11 } },
  'a cleanup cannot be started': {
    ...during((faults, isOn) => {
      faults.isSchedulerFailing = isOn;
    }),
    ...short,
    rings: { CleanupNotStartedAlarm: 11 },
  },
  // Three hours after the last complete run, which was up to an hour before.
  'PolyAI’s list fails for hours': {
    ...answers('cleaned', 500, /\/conversations/),
    lasts: 4 * HOUR,
    rings: { Overduecleaned: 186 },
  },
  'a chat stays open for hours': {
    ...longChat('steady', 'cleaned'),
    lasts: 90 * MINUTE,
    rings: { Oldestopenofcleaned: 66 },
  },
  'only the cleanup closes chats': {
    ...silent('steady'),
    lasts: 3 * HOUR,
    after: 6 * HOUR,
    rings: { MissRateAlarmcleaned: 186 },
  },
};

/** What must ring nothing. */
const QUIET: Record<string, Rehearsed> = {
  'all is well': { begin: () => {}, end: () => {}, lasts: 4 * HOUR, rings: {} },
  'all is well on a stack with a canary': {
    begin: () => {},
    end: () => {},
    lasts: 4 * HOUR,
    canary: true,
    rings: {},
  },
  'forgeries stay below the limit of a flood': { ...forgeries(30, 'desk'), ...short, rings: {} },
  'a stranger forges deliveries of a quiet connection for five minutes': {
    ...both(silent('steady'), forgeries(6, 'steady')),
    lasts: 5 * MINUTE,
    rings: {},
  },
  'strangers guess addresses': { ...strangers(30), ...short, rings: {} },
  'a stranger imitates the canary': { ...forgeries(30, 'canary'), ...short, canary: true, rings: {} },
  'a CRM without silentAfter is silent for a night': { ...silent('genesys'), lasts: 8 * HOUR, rings: {} },
};

export const STORIES: Record<string, Rehearsed> = { ...PLANTED, ...MORE, ...QUIET };
