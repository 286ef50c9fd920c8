import { describe, expect, it } from 'vitest';
import { LINES } from '../../functions/line.ts';
import { ID } from '../../infra/monitoring/queries.ts';
import { ourMetric, type Played, plainId, play } from '../rehearsal/play.ts';
import { PLAIN, type PLANTED, STORIES, WITH_CANARY } from '../rehearsal/stories.ts';
import { readStack } from '../rehearsal/synthesised.ts';
import { isOnDashboard, runSavedQuery, runWidget } from '../rehearsal/views.ts';
import { MINUTE } from '../rehearsal/world.ts';
import type { MetricId } from '../signals/metrics.ts';
import { resourcesOf } from '../signals/template.ts';
import { createStack } from '../support/stack.ts';

// Every alarm of the synthesised template goes off and ends, fed with the lines that the real handlers write and the
// figures that the models of SQS and Lambda give. Time is virtual.

const plain = readStack(createStack(PLAIN));
const withCanary = readStack(createStack(WITH_CANARY));

const played = new Map<string, Promise<Played>>();

/** Plays a story, or gives what it gave before. */
function playOnce(title: string): Promise<Played> {
  const story = STORIES[title];
  if (!story) throw new Error(`No story is called ${title}.`);
  const found =
    played.get(title) ?? (story.canary ? play(WITH_CANARY, withCanary, story) : play(PLAIN, plain, story));
  played.set(title, found);
  return found;
}

describe('a trouble rings its alarms in time and no others, and they end after it', () => {
  it.each(Object.entries(STORIES))('%s', async (title, { rings, lasts }) => {
    const { alarms } = await playOnce(title);
    const rang = Object.entries(alarms).filter(([, changes]) => changes.some(({ to }) => to === 'ALARM'));
    expect(rang.map(([id]) => id).sort()).toEqual(Object.keys(rings).sort());
    for (const [id, changes] of rang) {
      expect([id, changes.map(({ to }) => to)]).toEqual([id, ['OK', 'ALARM', 'OK']]);
      const [, alarm, ok] = changes.map(({ minutes }) => minutes);
      expect([id, alarm]).toEqual([id, expect.toSatisfy((each) => each >= 0 && each <= (rings[id] ?? 0))]);
      expect([id, ok]).toEqual([id, expect.toSatisfy((each) => each >= lasts / MINUTE)]);
    }
  });

  it('happens to every alarm of the template', () => {
    const alarms = resourcesOf(withCanary.template, 'AWS::CloudWatch::Alarm').map(([id]) => plainId(id));
    const rung = new Set(Object.values(STORIES).flatMap(({ rings }) => Object.keys(rings)));
    expect([...rung].sort()).toEqual(alarms.sort());
  });
});

type Seen = {
  /** The metric of ours that shows the trouble and had nothing before it. */
  metric?: MetricId;
  /** The metric that has values while all is well, and none or only 0 during the trouble. */
  missing?: MetricId;
  /** AWS's own metric, with a value during the trouble that it did not have before. */
  measured?: { metric: MetricId; atLeast: number };
  /** Fields of a line that is written only during the trouble. */
  line?: Record<string, unknown>;
  /** The saved query, also on the dashboard, and a row of it. */
  query?: [title: string, row: Record<string, unknown>];
};

const REFUSED = 'Refused deliveries by reason and connection';
const ANSWERS = 'Answers of PolyAI by project';
const forged = { connection: 'desk', refused: 'signature_mismatch' };
const outcome = (name: string, status: number): Seen => ({
  metric: ourMetric('CloseAttempts', { outcome: name }),
  line: { type: 'close', project: 'support', outcome: name, polyai_status: status, result: 'waiting' },
  query: [ANSWERS, { project: 'support', outcome: name, polyai_status: status }],
});

const SEEN: Record<keyof typeof PLANTED, Seen> = {
  'the secret of a CRM is wrong': {
    metric: ourMetric('WrongProofs', { connection: 'desk' }),
    line: { type: 'delivery', result: 'refused', answer: 401, ...forged },
    query: [REFUSED, forged],
  },
  'PolyAI answers 500 for 20 minutes': {
    ...outcome('unavailable', 500),
    metric: ourMetric('CloseLate', { project: 'support' }),
  },
  'PolyAI revokes the keys': outcome('unauthorized', 401),
  'the id of a project is wrong': outcome('misdirected', 404),
  'the event source of the worker is disabled': {
    measured: {
      metric: {
        namespace: 'AWS/SQS',
        name: 'ApproximateNumberOfMessagesVisible',
        dimensions: { QueueName: plain.idOf('AWS::SQS::Queue', 'Closes') },
      },
      atLeast: 5,
    },
  },
  'forgeries flood a connection with traffic': {
    measured: {
      metric: {
        namespace: 'AWS/ApiGateway',
        name: 'Count',
        dimensions: { ApiId: plain.idOf('AWS::ApiGatewayV2::Api', 'ReceiveGatewayApi') },
      },
      atLeast: 1,
    },
    metric: ourMetric('Deliveries', { connection: 'desk', result: 'refused' }),
    line: { type: 'delivery', result: 'refused', ...forged },
    query: [REFUSED, forged],
  },
  'a CRM falls silent': { missing: ourMetric('Deliveries', { connection: 'desk', result: 'accepted' }) },
  'the keys of the canary’s project are revoked': {
    missing: ourMetric('CanaryHealthy', {}),
    line: { type: 'close', canary: true, healthy: 0, outcome: 'unauthorized' },
    query: [ANSWERS, { project: 'tickets', outcome: 'unauthorized', polyai_status: 401 }],
  },
};

describe('a planted trouble is seen in its metric, its line, its query and on the dashboard', () => {
  it.each(Object.entries(SEEN))('%s', async (title, { metric, missing, measured, line, query }) => {
    const result = await playOnce(title);
    const { values, linesBefore, linesDuring } = result;
    const { canary } = STORIES[title] ?? {};
    const stack = canary ? withCanary : plain;
    if (metric) {
      expect(values(metric).before.filter(Boolean)).toEqual([]);
      expect(values(metric).during.filter(Boolean)).not.toEqual([]);
    }
    if (missing) {
      expect(values(missing).before.filter(Boolean)).not.toEqual([]);
      expect(values(missing).during.filter(Boolean)).toEqual([]);
    }
    if (measured)
      expect(Math.max(...values(measured.metric).during)).toBeGreaterThanOrEqual(measured.atLeast);
    for (const each of [metric, missing, measured?.metric]) {
      if (each) expect([each.name, isOnDashboard(stack, each)]).toEqual([each.name, true]);
    }
    if (line) {
      const parse = ({ text }: { text: string }) => JSON.parse(text);
      expect(linesDuring.map(parse)).toContainEqual(expect.objectContaining(line));
      expect(linesBefore.map(parse)).not.toContainEqual(expect.objectContaining(line));
    }
    if (query) {
      const [name, row] = query;
      for (const run of [runSavedQuery, runWidget]) {
        expect(run(stack, name, linesDuring)).toContainEqual(expect.objectContaining(row));
        expect(run(stack, name, linesBefore)).not.toContainEqual(expect.objectContaining(row));
      }
    }
  });

  it('is told from the trace of one chat, which leads from the delivery to the last attempt', async () => {
    const { linesDuring } = await playOnce('PolyAI answers 500 for 20 minutes');
    const late = linesDuring.map(({ text }) => JSON.parse(text)).find((each) => each.late === 1);
    const own = {
      ...plain,
      template: JSON.parse(JSON.stringify(plain.template).replaceAll(ID, late.conversation_id)),
    };
    const rows = runSavedQuery(own, 'What happened to a conversation, ticket or delivery', linesDuring);
    expect(rows[0]).toMatchObject({ type: 'delivery', connection: 'desk', result: 'accepted' });
    expect(rows.slice(1).length).toBeGreaterThan(5);
    expect(rows.at(-1)).toMatchObject({ type: 'close', outcome: 'unavailable', result: 'waiting' });
    expect(rows).toContainEqual(expect.objectContaining({ type: 'close', polyai_status: 500 }));
  });
});

describe('the canary’s lines', () => {
  it('count only in the canary’s own metrics', async () => {
    const { metrics } = await playOnce('the keys of the canary’s project are revoked');
    const ids = metrics.ids().filter(({ namespace }) => namespace === 'PolyAIChatCloser');
    const names = ids.filter(({ name }) => name.startsWith('Canary')).map(({ name }) => name);
    expect([...new Set(names)].sort()).toEqual([
      'CanaryHealthy',
      'CanaryHopAnswer',
      'CanaryHopPolyAI',
      'CanaryHopQueue',
    ]);
    const mentions = ids.flatMap(({ dimensions }) => Object.values(dimensions));
    expect(mentions).not.toContain('canary');
    expect(mentions).not.toContain('unauthorized');
  });
});

describe('the lines of all functions', () => {
  it('have the stack as their service, the first dimension of every metric', async () => {
    const results = await Promise.all(Object.keys(STORIES).map(playOnce));
    const lines = results.flatMap((result) => result.lines.map(({ text }) => JSON.parse(text)));
    const own = lines.filter(({ type }) => type !== 'access');
    expect(new Set(own.map(({ service }) => service))).toEqual(new Set(['closer']));
    expect(new Set(own.map(({ type }) => type))).toEqual(new Set(Object.keys(LINES)));
  });
});
