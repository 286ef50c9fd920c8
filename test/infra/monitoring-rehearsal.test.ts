import { App, Stack } from 'aws-cdk-lib';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import type { CleanupLine, CloseLine, DeliveryLine } from '../../functions/line.ts';
import { canaryAlarm } from '../../infra/monitoring/canary-alarm.ts';
import { createAlarm } from '../../infra/monitoring/monitor.ts';
import type { Watched } from '../../infra/monitoring/watched.ts';
import { rehearse, type Transition } from '../signals/alarm.ts';
import { MetricStore } from '../signals/metrics.ts';
import type { Template } from '../signals/template.ts';
import { SMALLEST } from '../support/configuration.ts';
import { HOUR, type Measured, MINUTE, type Said, START, signalsOf } from '../support/signals.ts';
import { createStack } from '../support/stack.ts';

// Plays troubles in virtual time against the alarms and the metric filters of the synthesised template.

const { support } = SMALLEST.polyai;
const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'], oldestOpenAlarm: '2d' };
const signals = signalsOf(
  createStack({
    stack: { alarms: { thresholds: { MissRateAlarm: 10 } } },
    polyai: { support, cleaned: { ...support, projectId: 'PROJECT-2', cleanup } },
    connections: {
      desk: { crm: 'zendesk', polyai: 'support' },
      steady: { crm: 'zendesk', polyai: 'cleaned', silentAfter: '2h' },
      genesys: {
        crm: 'genesys-eventbridge',
        polyai: 'support',
        bus: 'aws.partner/genesys.com/cloud/1/2',
        lookUp: 'sharedId',
      },
    },
  }),
);
const LASTS = 8 * HOUR;

const delivery = (connection: string, own: Partial<DeliveryLine>): DeliveryLine => ({
  type: 'delivery',
  request_id: 'r',
  connection,
  crm: 'zendesk',
  took_ms: 3,
  ...own,
});
const refused = (connection: string) =>
  delivery(connection, { result: 'refused', answer: 401, refused: 'signature_mismatch', answer_ms: 4 });
const accepted = (connection: string) =>
  delivery(connection, { result: 'accepted', answer: 200, answer_ms: 9, accepted: 1, ignored: [] });

const close = (own: Partial<CloseLine>): CloseLine => ({
  type: 'close',
  request_id: 'r',
  outcome: 'closed',
  result: 'closed',
  final: true,
  late: 0,
  project: 'support',
  connection: 'desk',
  source: 'webhook',
  receives: 1,
  age_ms: 10,
  took_ms: 5,
  ...own,
});
const waiting = (outcome: string, late: 0 | 1) =>
  close({ outcome, result: 'waiting', final: false, late, next_try_in_s: 600 });

const run = (own: Partial<CleanupLine>): CleanupLine => ({
  type: 'cleanup',
  request_id: 'r',
  project: 'cleaned',
  dry_run: false,
  complete: true,
  open: 0,
  stale: 0,
  queued: 0,
  skipped: {},
  oldest_open_s: 0,
  pages: 1,
  took_ms: 1,
  ...own,
});

/** The times of a story from one time to another, a step apart. */
function every(step: number, from = 0, to = LASTS): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, n) => from + n * step);
}

function say(log: string, times: number[], line: Said['line']): Said[] {
  return times.map((after) => ({ after, log, line }));
}

const queue = (prefix: string) => ({ QueueName: signals.id(prefix) });
function measure(
  namespace: string,
  name: string,
  dimensions: Record<string, string>,
  times: number[],
  value: number,
): Measured[] {
  return times.map((after) => ({ after, namespace, name, dimensions, value }));
}
const onQueue = (name: string, prefix: string, times: number[], value: number) =>
  measure('AWS/SQS', name, queue(prefix), times, value);
const VISIBLE = 'ApproximateNumberOfMessagesVisible';

/** A stack in which all is well: a delivery every ten minutes on `steady`, and a complete cleanup every hour. */
const HEALTHY: Said[] = [
  ...say('ReceiveLog', every(10 * MINUTE), accepted('steady')),
  ...say('CloseLog', every(10 * MINUTE), close({ project: 'cleaned', connection: 'steady' })),
  ...say('CleanupLog', every(HOUR), run({})),
];

type Trouble = {
  /** The beginning of the alarm's logical id. */
  alarm: string;
  said?: Said[];
  measured?: Measured[];
  /** Instead of a healthy stack. */
  before?: Said[];
  /** Other alarms that the same trouble rings. */
  too?: string[];
  /** The time at which the trouble begins, and by when the alarm must ring. */
  from: number;
  within: number;
};

/** A trouble lasts from the second hour to the fourth, so that every alarm has time to return. */
const [BEGIN, END] = [2 * HOUR, 4 * HOUR];
const during = (step: number) => every(step, BEGIN, END);
const after = (step: number) => every(step, END);
const isDuring = ({ after: at }: Said) => at >= BEGIN && at < END;

const TROUBLES: Record<string, Trouble> = {
  'the CRM’s secret is wrong': {
    alarm: 'ConnectionRefusedAlarmdesk',
    said: [
      ...say('ReceiveLog', during(5 * MINUTE), refused('desk')),
      ...say('ReceiveLog', after(5 * MINUTE), accepted('desk')),
    ],
    from: BEGIN,
    within: 20 * MINUTE,
  },
  'PolyAI answers 500 for two hours': {
    alarm: 'LateClosesAlarmsupport',
    said: [
      // The first attempts are not late yet.
      ...say('CloseLog', every(MINUTE, BEGIN, BEGIN + 15 * MINUTE), waiting('unavailable', 0)),
      ...say('CloseLog', every(30 * MINUTE, BEGIN + 15 * MINUTE, END), waiting('unavailable', 1)),
      ...say('CloseLog', [END + 10 * MINUTE], close({})),
    ],
    from: BEGIN,
    within: 16 * MINUTE,
  },
  'the worker’s event source is disabled': {
    alarm: 'WorkerStoppedAlarm',
    measured: [
      ...onQueue(VISIBLE, 'Closes', during(MINUTE), 7),
      ...onQueue('NumberOfMessagesReceived', 'Closes', during(MINUTE), 0),
      ...onQueue(VISIBLE, 'Closes', after(MINUTE), 0),
      ...onQueue('NumberOfMessagesReceived', 'Closes', after(MINUTE), 1),
    ],
    from: BEGIN,
    within: 16 * MINUTE,
  },
  'the worker is throttled': {
    alarm: 'WorkerStoppedAlarm',
    measured: [
      ...onQueue(VISIBLE, 'Closes', during(MINUTE), 7),
      ...onQueue('NumberOfMessagesReceived', 'Closes', during(MINUTE), 10),
      ...measure('AWS/Lambda', 'Throttles', { FunctionName: signals.id('CloseFunction') }, during(MINUTE), 3),
    ],
    from: BEGIN,
    within: 16 * MINUTE,
  },
  'PolyAI does not know the conversations': {
    alarm: 'NotFoundAlarm',
    said: say('CloseLog', during(30_000), close({ outcome: 'not_found', result: 'over' })),
    from: BEGIN,
    within: 16 * MINUTE,
  },
  'the API is flooded': {
    alarm: 'FloodAlarm',
    measured: measure(
      'AWS/ApiGateway',
      'Count',
      { ApiId: signals.id('ReceiveGatewayApi') },
      during(MINUTE),
      6000,
    ),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'a dead letter is ten days old': {
    alarm: 'AgingDeadLettersAlarm',
    measured: onQueue('ApproximateAgeOfOldestMessage', 'DeadLetters', during(MINUTE), 10 * 86_400),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'an event’s dead letter is ten days old': {
    alarm: 'EventsAgingDeadLettersAlarm',
    measured: onQueue('ApproximateAgeOfOldestMessage', 'EventDeadLetters', during(MINUTE), 10 * 86_400),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'a close is a dead letter': {
    alarm: 'DeadLettersAlarm',
    measured: onQueue(VISIBLE, 'DeadLetters', during(MINUTE), 1),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'an event is a dead letter': {
    alarm: 'EventsDeadLettersAlarm',
    measured: onQueue(VISIBLE, 'EventDeadLetters', during(MINUTE), 1),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'too many closes are in flight': {
    alarm: 'InFlightAlarm',
    measured: onQueue('ApproximateNumberOfMessagesNotVisible', 'Closes', during(MINUTE), 80_000),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'a connection is silent': {
    alarm: 'SilentConnectionAlarmsteady',
    before: HEALTHY.filter(
      (said) => said.log !== 'ReceiveLog' || said.after < BEGIN || said.after >= 5 * HOUR,
    ),
    // A stranger does not hide that the CRM is silent.
    said: say('ReceiveLog', during(60 * MINUTE), refused('steady')),
    from: BEGIN,
    within: 2 * HOUR + 6 * MINUTE,
  },
  'PolyAI revoked the keys': {
    alarm: 'UnauthorizedAlarm',
    said: say('CloseLog', during(MINUTE), waiting('unauthorized', 0)),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'the project’s id is wrong': {
    alarm: 'MisdirectedAlarm',
    said: say('CloseLog', during(MINUTE), waiting('misdirected', 0)),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'a project is not deployed': {
    alarm: 'UnknownTargetAlarm',
    said: say('CloseLog', during(MINUTE), waiting('unknown_target', 0)),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'the gateway answers 503 itself': {
    alarm: 'GatewayAlarm',
    said: say('ReceiveGatewayAccessLog', during(MINUTE), {
      type: 'access',
      status: '503',
      integrationStatus: '-',
    }),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'a function met a fault': {
    alarm: 'FaultsAlarm',
    said: say('ReceiveLog', during(MINUTE), {
      type: 'fault',
      where: 'receive: secret',
      error: { name: 'Error', message: 'm' },
    }),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  ...Object.fromEntries(
    ['Receive', 'Close', 'Event', 'Cleanup'].map((name) => [
      `the function ${name} crashes`,
      {
        alarm: `${name}ErrorsAlarm`,
        measured: measure(
          'AWS/Lambda',
          'Errors',
          { FunctionName: signals.id(`${name}Function`) },
          during(MINUTE),
          1,
        ),
        from: BEGIN,
        within: 6 * MINUTE,
      },
    ]),
  ),
  'a cleanup cannot be started': {
    alarm: 'CleanupNotStartedAlarm',
    measured: measure(
      'AWS/Scheduler',
      'InvocationDroppedCount',
      { ScheduleGroup: 'closer-cleanup' },
      [BEGIN],
      1,
    ),
    from: BEGIN,
    within: 6 * MINUTE,
  },
  'no cleanup is complete': {
    alarm: 'Overduecleaned',
    before: [
      ...HEALTHY.filter(({ log, after: at }) => log !== 'CleanupLog' || at < HOUR || at >= 6 * HOUR),
      ...say(
        'CleanupLog',
        every(HOUR, HOUR, 6 * HOUR),
        run({ complete: false, reason: 'PolyAI answered 500' }),
      ),
    ],
    from: HOUR,
    within: 3 * HOUR + 6 * MINUTE,
  },
  'a chat stays open': {
    alarm: 'Oldestopenofcleaned',
    before: HEALTHY.filter((said) => !(said.log === 'CleanupLog' && isDuring(said))),
    said: say('CleanupLog', during(HOUR), run({ oldest_open_s: 3 * 86_400, open: 1, stale: 1, queued: 1 })),
    from: BEGIN,
    within: 6 * MINUTE,
  },
};

/** The alarms that are in ALARM at some time after the stack has settled. */
function ringing(history: Record<string, Transition[]>): string[] {
  return Object.entries(history)
    .filter(([, transitions]) => transitions.some(({ to, at }) => to === 'ALARM' && at >= START + MINUTE))
    .map(([id]) => id)
    .sort();
}

describe('a trouble rings its alarm in time and no other, and the alarm ends', () => {
  it.each(Object.entries(TROUBLES))(
    '%s',
    (_, { alarm, said = [], measured = [], before = HEALTHY, from, within }) => {
      const history = signals.run([...before, ...said], measured, LASTS);
      const id = signals.id(alarm);
      expect(ringing(history)).toEqual([id]);
      const transitions = history[id] ?? [];
      // An alarm that waits for a first datapoint is on at the beginning.
      const rang = transitions.find(({ to, at }) => to === 'ALARM' && at > START)?.at ?? Number.NaN;
      expect(rang - START).toBeGreaterThanOrEqual(from);
      expect((rang - START - from) / MINUTE).toBeLessThanOrEqual(within / MINUTE);
      expect(transitions.at(-1)?.to).toBe('OK');
    },
  );

  it('has one of them for every alarm of this stack except the miss rate', () => {
    const played = new Set(Object.values(TROUBLES).map(({ alarm }) => signals.id(alarm)));
    const all = Object.entries(signals.template.Resources).flatMap(([id, { Type }]) =>
      Type === 'AWS::CloudWatch::Alarm' ? id : [],
    );
    // Alarms of one kind differ by their connection or project.
    const kinds = (ids: Iterable<string>) =>
      new Set([...ids].map((id) => id.replace(/(desk|steady|genesys|support|cleaned)?[0-9A-F]{8}$/, '')));
    kinds(all).forEach((kind) => {
      if (kind !== 'MissRateAlarm') expect(kinds(played)).toContain(kind);
    });
  });
});

describe('nothing rings', () => {
  it('while all is well', () => {
    expect(ringing(signals.run(HEALTHY, [], LASTS))).toEqual([]);
  });

  it('for forgeries at a connection with traffic', () => {
    const forged = say('ReceiveLog', during(5_000), refused('steady'));
    expect(ringing(signals.run([...HEALTHY, ...forged], [], LASTS))).toEqual([]);
  });

  it('for unknown addresses, which have no connection', () => {
    const { connection: _connection, crm: _crm, ...unknown } = refused('x');
    const stranger = say('ReceiveLog', during(MINUTE), {
      ...unknown,
      answer: 404,
      refused: 'unknown_connection',
    });
    expect(ringing(signals.run([...HEALTHY, ...stranger], [], LASTS))).toEqual([]);
  });

  it('for refusals without a complete proof', () => {
    const bare = say('ReceiveLog', during(MINUTE), { ...refused('desk'), refused: 'signature_missing' });
    expect(ringing(signals.run([...HEALTHY, ...bare], [], LASTS))).toEqual([]);
  });

  it('for a message that the worker takes in the next period', () => {
    const busy = [
      ...onQueue(VISIBLE, 'Closes', during(5 * MINUTE), 3),
      ...onQueue(VISIBLE, 'Closes', every(5 * MINUTE, BEGIN + MINUTE, END), 0),
      ...onQueue('NumberOfMessagesReceived', 'Closes', every(10 * MINUTE, BEGIN, END), 3),
    ];
    expect(ringing(signals.run(HEALTHY, busy, LASTS))).toEqual([]);
  });

  it('for the canary’s own lines', () => {
    const canary = [
      ...say('ReceiveLog', during(MINUTE), { ...refused('desk'), canary: true }),
      ...say('CloseLog', during(MINUTE), { ...waiting('unauthorized', 1), canary: true }),
    ];
    expect(ringing(signals.run([...HEALTHY, ...canary], [], LASTS))).toEqual([]);
  });
});

describe('late closes', () => {
  it('keep their alarm on between tries that are an hour apart', () => {
    const said = say('CloseLog', during(HOUR), waiting('throttled', 1));
    const history = signals.run([...HEALTHY, ...said], [], LASTS);
    const states = history[signals.id('LateClosesAlarmsupport')]?.map(({ to }) => to);
    // It ends once, after the last try.
    expect(states).toEqual(['OK', 'ALARM', 'OK']);
  });
});

describe('the miss rate', () => {
  const DAYS = 4 * 24 * HOUR;
  const missed = close({ project: 'cleaned', source: 'cleanup' });

  it('rings when the cleanup closes a tenth of a day’s chats, and ends when it does not', () => {
    const said = [
      ...say('CloseLog', every(HOUR, 0, DAYS), close({ project: 'cleaned' })),
      ...say('CloseLog', every(2 * HOUR, 0, 24 * HOUR), missed),
    ];
    const states = signals.run(said, [], DAYS)[signals.id('MissRateAlarmcleaned')]?.map(({ to }) => to);
    expect(states?.slice(-2)).toEqual(['ALARM', 'OK']);
  });

  it('does not ring below its limit', () => {
    const said = [
      ...say('CloseLog', every(HOUR, 0, DAYS), close({ project: 'cleaned' })),
      ...say('CloseLog', every(23 * HOUR, 12 * HOUR, DAYS), missed),
    ];
    const history = signals.run(said, [], DAYS)[signals.id('MissRateAlarmcleaned')] ?? [];
    expect(history.map(({ to }) => to)).toEqual(['OK']);
  });

  it('does not ring without closes', () => {
    const history = signals.run([], [], DAYS)[signals.id('MissRateAlarmcleaned')] ?? [];
    expect(history.map(({ to }) => to)).toEqual(['OK']);
  });
});

describe('the canary’s alarm', () => {
  const app = new App();
  const stack = new Stack(app, 'closer');
  const handler = LambdaFunction.fromFunctionName(stack, 'Close', 'close') as unknown;
  const functions = { close: Object.assign(handler as object, { logGroup: { logGroupName: 'close-log' } }) };
  const watched = { functions, canary: { everyMinutes: 5 } } as unknown as Watched;
  for (const rule of canaryAlarm(stack, watched)) createAlarm(stack, rule, undefined);
  const template = app.synth().getStackByName('closer').template as Template;

  function play(values: [number, number][]): string[] {
    const metrics = new MetricStore();
    const id = { namespace: 'PolyAIChatCloser', name: 'CanaryHealthy', dimensions: { service: 'closer' } };
    for (const [at, value] of values) metrics.add(id, START + at, value);
    const history = rehearse({ template, references: {}, metrics, from: START + HOUR, to: START + LASTS });
    return Object.values(history)[0]?.map(({ to }) => to) ?? [];
  }

  it('does not exist without a canary', () => {
    expect(canaryAlarm(stack, { ...watched, canary: undefined } as unknown as Watched)).toEqual([]);
  });

  it.each<[string, [number, number][], string[]]>([
    ['is off while every run is healthy', every(5 * MINUTE).map((at) => [at, 1]), ['OK']],
    [
      'rings when runs fail',
      every(5 * MINUTE).map((at) => [at, Number(at < BEGIN || at >= END)]),
      ['OK', 'ALARM', 'OK'],
    ],
    [
      'rings when no run is seen',
      every(5 * MINUTE).flatMap((at): [number, number][] => (at < BEGIN || at >= END ? [[at, 1]] : [])),
      ['OK', 'ALARM', 'OK'],
    ],
    ['is off when a single run fails', every(5 * MINUTE).map((at) => [at, Number(at !== BEGIN)]), ['OK']],
  ])('%s', (_, values, states) => {
    expect(play(values)).toEqual(states);
  });
});
