import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { describe, expect, it } from 'vitest';
import { summarize } from '../../functions/cleanup/run-line.ts';
import { type Attempt, closeLine } from '../../functions/close/close-line.ts';
import { OUTCOMES, type Outcome } from '../../functions/close/outcome.ts';
import type { CloseRequest } from '../../functions/close-request.ts';
import { deliveryLine } from '../../functions/intake/delivery-line.ts';
import { LINES, type Line, WRONG_PROOFS } from '../../functions/line.ts';
import { faultLine, lineText } from '../../functions/log.ts';
import { REFUSALS, type RefusalCode } from '../../functions/refusal.ts';
import { toConnection } from '../../infra/config/to-connection.ts';
import { seriesOf } from '../../infra/metric-series.ts';
import { createMetricFilters, type LogName, METRICS, metricOf, NAMESPACE } from '../../infra/metrics.ts';
import { ROOT } from '../../infra/root.ts';
import { table } from '../../scripts/generate/markdown.ts';
import { addFilterMetrics } from '../signals/metric-filter.ts';
import { MetricStore } from '../signals/metrics.ts';
import type { Template as Plain } from '../signals/template.ts';
import { configurationOf, SMALLEST } from '../support/configuration.ts';
import { connectionOf } from '../support/crm.ts';
import { startReceiver } from '../support/receiver.ts';
import { createStack } from '../support/stack.ts';

// Feeds lines as the handlers write them to the metric filters of the synthesised template.

const NOW = Date.parse('2026-07-01T12:00:00Z');
const MINUTE = 60_000;
const LOGS = ['receive', 'event', 'close', 'cleanup', 'access'] as const satisfies readonly LogName[];
const ALWAYS = { from: 0, to: Number.MAX_SAFE_INTEGER };
const OWN = {
  verify: { scheme: 'bearer' },
  finishedWhen: 'body.done',
  conversationId: 'body.id',
};
const CONNECTION = toConnection(connectionOf('custom', OWN), 'secret');

/** All filters, on log groups that are named like the functions. */
const template = filtersOn(LOGS);

function filtersOn(logs: readonly LogName[]): Plain {
  const stack = new Stack();
  const groups = logs.map((name) => [name, LogGroup.fromLogGroupName(stack, name, name)]);
  createMetricFilters(stack, Object.fromEntries(groups));
  return Template.fromStack(stack).toJSON() as Plain;
}

type Logged = { log: LogName; line: Line | Record<string, unknown> };

/** Every metric that the lines make, without `service`: its values by `Name dimension=value …`. */
function measure(...lines: Logged[]): Record<string, number[]> {
  const store = new MetricStore();
  const events = lines.map(({ log, line }) => ({
    at: NOW,
    logGroup: log,
    text: lineText(line as Line, 'closer'),
  }));
  addFilterMetrics(store, template, {}, events);
  return Object.fromEntries(
    store.ids().map((id) => {
      const { service, ...rest } = id.dimensions;
      expect({ service, namespace: id.namespace }).toEqual({ service: 'closer', namespace: NAMESPACE });
      const dimensions = Object.entries(rest).map(([key, value]) => `${key}=${value}`);
      return [[id.name, ...dimensions].join(' '), store.points(id, ALWAYS).map(({ value }) => value)];
    }),
  );
}

const receive = (line: Line | Record<string, unknown> | undefined): Logged => ({
  log: 'receive',
  line: line ?? {},
});

async function deliver(body: unknown, token = 'right', settings: Record<string, unknown> = {}) {
  const receiver = startReceiver('custom', { ...OWN, ...settings }, { token: 'right' }, NOW + 40);
  const headers = { authorization: `Bearer ${token}` };
  const { line } = await receiver.send({ headers, body: JSON.stringify(body) });
  return receive(line);
}

describe('a delivery', () => {
  it('counts by its result, and with the time until its answer', async () => {
    const lines = [
      await deliver({ done: true, id: 'c' }),
      await deliver({ done: false, id: 'c' }),
      await deliver({ done: true }),
      await deliver({ done: true, id: 'c' }, 'wrong'),
    ];
    expect(measure(...lines)).toEqual({
      'Deliveries connection=custom result=accepted': [1],
      'Deliveries connection=custom result=ignored': [1, 1],
      'Deliveries connection=custom result=refused': [1],
      'WrongProofs connection=custom': [1],
      'AnswerTime connection=custom': [40, 40, 40, 40],
    });
  });

  it('in a rehearsal counts as it would without', async () => {
    const lines = [
      await deliver({ done: true, id: 'c' }, 'right', { rehearse: true }),
      await deliver({ done: false, id: 'c' }, 'right', { rehearse: true }),
    ];
    expect(measure(...lines)).toMatchObject({
      'Deliveries connection=custom result=accepted': [1],
      'Deliveries connection=custom result=ignored': [1],
    });
  });

  it('to an unknown address counts nowhere, because a stranger chooses the address', () => {
    const base = { requestId: 'r', name: 'x', connection: undefined, read: undefined, tookMs: 1 };
    const line = deliveryLine({ ...base, refused: 'unknown_connection', answer: { status: 404, ms: 1 } });
    expect(measure(receive(line))).toEqual({});
  });

  it("that is a CRM's handshake has no result", () => {
    const base = { requestId: 'r', name: 'x', connection: CONNECTION, read: undefined, tookMs: 1 };
    const line = deliveryLine({ ...base, refused: undefined, answer: { status: 200, ms: 3 } });
    expect(measure(receive(line))).toEqual({ 'AnswerTime connection=x': [3] });
  });

  it('from a bus counts too, and has no answer', () => {
    const read = { closes: [{ conversationId: 'c' }], ignored: [] };
    const base = { requestId: 'r', name: 'x', connection: CONNECTION, read, tookMs: 1 };
    const line = deliveryLine({ ...base, refused: undefined });
    expect(measure({ log: 'event', line })).toEqual({ 'Deliveries connection=x result=accepted': [1] });
  });

  it('counts as a wrong proof only if its proof was complete but wrong', () => {
    const base = { requestId: 'r', name: 'x', connection: CONNECTION, read: undefined, tookMs: 1 };
    const counted = (Object.keys(REFUSALS) as RefusalCode[]).filter((refused) => {
      const line = deliveryLine({ ...base, refused, answer: { status: REFUSALS[refused], ms: 1 } });
      return measure(receive(line))['WrongProofs connection=x'];
    });
    expect(counted.sort()).toEqual([...WRONG_PROOFS].sort());
  });
});

const REQUEST: CloseRequest = {
  v: 1,
  requestId: 'r',
  source: 'webhook',
  project: 'support',
  connection: 'desk',
  conversationId: 'c',
  receivedAt: new Date(NOW - 5000).toISOString(),
};

function attempt(
  outcome: Outcome,
  final: boolean,
  request: Partial<CloseRequest> = {},
  triedForMs = 0,
): Logged {
  const attributes = {
    ApproximateReceiveCount: '1',
    SentTimestamp: `${NOW - 4000}`,
    ApproximateFirstReceiveTimestamp: `${NOW - triedForMs}`,
  };
  const message = { record: { attributes } as never, request: { ...REQUEST, ...request } };
  const judged: Attempt = { outcome, startedAt: NOW - 10, endedAt: NOW };
  return { log: 'close', line: closeLine(message, judged, { final }) };
}

describe('an attempt', () => {
  it.each<[Outcome, boolean, string]>([
    ['closed', true, 'closed'],
    ['already_ended', true, 'over'],
    ['not_found', true, 'over'],
    ['no_conversation', true, 'over'],
    ['no_conversation', false, 'waiting'],
    ['unavailable', false, 'waiting'],
    ['unavailable', true, 'given_up'],
    ['rejected', true, 'given_up'],
    // The dead-letter queue did not confirm it.
    ['rejected', false, 'waiting'],
    ['look_up_expired', true, 'given_up'],
  ])('with the outcome %s and final %s is %s', (outcome, final, result) => {
    expect(measure(attempt(outcome, final))).toEqual({
      [`Closes connection=desk result=${result}`]: [1],
      [`Closes project=support outcome=${outcome}`]: [1],
      [`CloseAttempts outcome=${outcome}`]: [1],
      ...(final && { 'CloseAge project=support': [5000] }),
      'CloseLate project=support': [0],
    });
  });

  it('that resolves a look-up is no final outcome of a chat, so it has no age', () => {
    const measured = measure(attempt('resolved', true));
    expect(measured).toMatchObject({ 'Closes connection=desk result=over': [1] });
    expect(measured).not.toHaveProperty(['CloseAge project=support']);
  });

  it.each([
    [15 * MINUTE, false, 1],
    [15 * MINUTE - 1, false, 0],
    [80 * MINUTE, true, 0],
  ])('%i ms after the first one, with final %s, is late: %i', (triedForMs, final, late) => {
    const measured = measure(attempt('unavailable', final, {}, triedForMs));
    expect(measured['CloseLate project=support']).toEqual([late]);
  });

  it.each<[string, Partial<CloseRequest>, Outcome, boolean]>([
    ['closes a chat for a cleanup', { source: 'cleanup' }, 'closed', true],
    ['closes a chat for a webhook', {}, 'closed', false],
    ['finds for a cleanup that the chat has ended', { source: 'cleanup' }, 'already_ended', false],
  ])(
    'that %s counts as missed by the webhook only if the cleanup alone closed it',
    (_, own, outcome, isMissed) => {
      const measured = measure(attempt(outcome, true, own));
      expect('MissedByWebhook project=support' in measured).toBe(isMissed);
    },
  );

  it('of an unreadable message counts among all attempts', () => {
    const record = { attributes: { ApproximateReceiveCount: '1', SentTimestamp: `${NOW}` } } as never;
    const judged: Attempt = { outcome: 'rejected', startedAt: NOW, endedAt: NOW };
    const line = closeLine({ record }, judged, { final: true });
    expect(measure({ log: 'close', line })).toEqual({ 'CloseAttempts outcome=rejected': [1] });
  });
});

describe('a cleanup run', () => {
  const counts = { pages: 1, seen: 4, open: 3, stale: 2, skipped: {}, oldestOpen: NOW - 90_000, ids: ['a'] };
  const run = {
    requestId: 'r',
    name: 'support',
    dryRun: false,
    counts,
    queued: 1,
    startedAt: NOW,
    endedAt: NOW,
  };
  const lineOf = (own: Partial<Parameters<typeof summarize>[0]>): Logged => ({
    log: 'cleanup',
    line: { type: 'cleanup', ...summarize({ ...run, reason: undefined, ...own }) },
  });

  it('has its figures as metrics', () => {
    expect(measure(lineOf({}))).toEqual({
      'CleanupComplete project=support': [1],
      'CleanupOpen project=support': [3],
      'CleanupStale project=support': [2],
      'CleanupQueued project=support': [1],
      'CleanupOldestOpen project=support': [90],
    });
  });

  it('that is not complete does not count as complete, and does not know whether no chat is open', () => {
    const none = { ...counts, oldestOpen: Number.POSITIVE_INFINITY };
    expect(Object.keys(measure(lineOf({ reason: 'the time was up', counts: none })))).toEqual([
      'CleanupOpen project=support',
      'CleanupStale project=support',
      'CleanupQueued project=support',
    ]);
    expect(measure(lineOf({ counts: none }))).toMatchObject({ 'CleanupOldestOpen project=support': [0] });
  });
});

describe('the other lines', () => {
  it('of faults count for the stack, whichever function wrote them', () => {
    const line = faultLine('r', 'close', new Error('x'));
    const logs = ['receive', 'event', 'close', 'cleanup'] as const;
    expect(measure(...logs.map((log) => ({ log, line })))).toEqual({ Faults: [1, 1, 1, 1] });
  });

  it.each([
    ['429', '-', true],
    ['503', '-', true],
    ['503', '503', false],
    ['200', '200', false],
  ])(
    'of the gateway with the status %s, where the receiver gave %s, count as its failure: %s',
    (status, integrationStatus, isFailure) => {
      const measured = measure({ log: 'access', line: { type: 'access', status, integrationStatus } });
      expect(measured).toEqual(isFailure ? { GatewayFailures: [1] } : {});
    },
  );

  it('of the canary count only in its own metrics', async () => {
    const { line } = await deliver({ done: true, id: 'c' });
    const lines = [
      receive({ ...line, canary: true }),
      attempt('not_found', true),
      attempt('unavailable', false),
    ];
    const marked = lines.map(({ log, line }) => ({ log, line: { ...line, canary: true } }));
    expect(Object.keys(measure(...marked)).filter((name) => !name.startsWith('Canary'))).toEqual([]);
  });
});

describe('the filters', () => {
  it('name only fields that the lines have', () => {
    const fields = new Set(['type', ...Object.values(LINES).flatMap((each) => Object.keys(each))]);
    const unknown = Object.entries(METRICS).flatMap(([name, { measures }]) =>
      measures
        .filter(({ logs }) => !(logs as readonly string[]).includes('access'))
        .flatMap(({ lines, value, by }) => [
          ...[...`${lines.logPatternString} ${value}`.matchAll(/\$\.(\w+)/g)].map(([, field = '']) => field),
          ...by,
        ])
        .filter((field) => !fields.has(field))
        .map((field) => `${name}: ${field}`),
    );
    expect(unknown).toEqual([]);
  });

  it('are short enough for AWS', () => {
    const patterns = Object.values(METRICS).flatMap(({ measures }) =>
      measures.map(({ lines }) => lines.logPatternString.length),
    );
    expect(Math.max(...patterns)).toBeLessThanOrEqual(1024);
  });

  it('are left out for log groups that a stack does not have', () => {
    const names = Object.values(filtersOn(['close']).Resources).map(
      ({ Properties }) => Properties?.LogGroupName,
    );
    expect(new Set(names)).toEqual(new Set(['close']));
  });

  it('are all in the stack, and its access log names the stack', () => {
    const stack = createStack();
    const count = Object.values(filtersOn(['receive', 'close', 'access']).Resources).length;
    Template.fromStack(stack).resourceCountIs('AWS::Logs::MetricFilter', count);
    const stages = Object.values(Template.fromStack(stack).findResources('AWS::ApiGatewayV2::Stage'));
    expect(stages[0]?.Properties.AccessLogSettings.Format).toContain('"service":"closer"');
  });

  it('make the metrics that alarms and graphs ask for', () => {
    const metric = metricOf(createStack(), 'Closes', { connection: 'desk', result: 'waiting' });
    expect(metric).toMatchObject({
      namespace: NAMESPACE,
      metricName: 'Closes',
      dimensions: { service: 'closer', connection: 'desk', result: 'waiting' },
    });
  });
});

const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
const PRICE = 0.3;

describe('the number of metrics', () => {
  const { support } = SMALLEST.polyai;
  const desk = SMALLEST.connections['zendesk-support'];
  const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'] };
  const bus = { crm: 'eventbridge', polyai: 'support', bus: 'default' };
  const onBus = {
    ...bus,
    conversationId: 'detail.chat',
    finishedWhen: 'always',
    eventPattern: { source: ['desk'], account: ['111122223333'] },
  };
  const count = (own: Record<string, unknown>) => seriesOf(configurationOf({ ...SMALLEST, ...own })).length;
  const smallest = count({});
  const more = (own: Record<string, unknown>) => count(own) - smallest;
  const webhook = more({ connections: { ...SMALLEST.connections, other: desk } });
  const project = more({ polyai: { support, other: { ...support, projectId: 'PROJECT-other' } } });

  it.each([
    ['the stack', smallest - webhook - project],
    ['each connection with an address', webhook],
    ['each connection on a bus', more({ connections: { ...SMALLEST.connections, bus: onBus } })],
    ['each project', project],
    ['each project with a cleanup, in addition', more({ polyai: { support: { ...support, cleanup } } })],
    [
      'the stack and each project, if a connection has `lookUp`',
      more({ connections: { 'zendesk-support': { ...desk, lookUp: 'sharedId' } } }) / 2,
    ],
    ['one project with one webhook', smallest],
    ['the same with a cleanup', count({ polyai: { support: { ...support, cleanup } } })],
  ])('of %s is in docs/operations.md with its price', (what, metrics) => {
    expect(page).toContain(`| ${what} | ${metrics} | $${(metrics * PRICE).toFixed(2)} |`);
  });

  it('covers every metric that lines can make', async () => {
    const configuration = configurationOf({
      polyai: { support: { ...support, cleanup } },
      connections: { desk: { ...desk, lookUp: 'sharedId' } },
    });
    const known = seriesOf(configuration).map(({ name, dimensions }) =>
      [name, ...Object.entries(dimensions).map(([key, value]) => `${key}=${value}`)].join(' '),
    );
    const sources = ['webhook', 'cleanup'] as const;
    const attempts = (Object.keys(OUTCOMES) as Outcome[]).flatMap((outcome) =>
      sources.flatMap((source) => [true, false].map((final) => attempt(outcome, final, { source }))),
    );
    const made = Object.keys(measure(...attempts));
    expect(made.length).toBeGreaterThan(20);
    expect(made.filter((each) => !known.includes(each))).toEqual([]);
  });
});

describe('the table of metrics in docs/operations.md', () => {
  it('is that of infra/metrics.ts', () => {
    const rows = Object.entries(METRICS).flatMap(([name, { meaning, unit, measures }]) => {
      const sets = measures.map(({ by }) => ['service', ...by].map((each) => `\`${each}\``).join(', '));
      return [[`\`${name}\``, sets.join('; or '), unit, meaning]];
    });
    expect(page).toContain(table(['Metric', 'Dimensions', 'Unit', 'Measures'], rows));
  });
});
