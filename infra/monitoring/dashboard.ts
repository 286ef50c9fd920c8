import { Duration, Stack } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type HorizontalAnnotation,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  SingleValueWidget,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { CRMS } from '../../functions/crm/index.ts';
import { CLOSE_RESULTS, DELIVERY_RESULTS } from '../../functions/line.ts';
import type { Configuration } from '../config/load.ts';
import { METRICS, type MetricName, metricOf } from '../metrics.ts';
import { PERIOD } from './alarm-rule.ts';
import { QUERIES, type QueryName } from './queries.ts';
import { groupsOf, type Logs } from './saved-queries.ts';
import { search } from './search.ts';
import type { Watched } from './watched.ts';

const DAY = Duration.days(1);
const FULL_WIDTH = 24;
const HEIGHT = 6;
/** The maximum of alarms in one widget. */
const MAX_ALARMS = 100;

/** One row of the dashboard: a question, and the widgets that answer it. */
type Row = { question: string; widgets: IWidget[] };

/**
 * Creates the stack's dashboard: whether it works at the top, then one row a question. Its size does not depend on the
 * number of connections and projects, because its graphs search for their lines. Its name has the region, because
 * the names of dashboards are the account's and not the region's.
 */
export function createDashboard(scope: Construct, watched: Watched, alarms: Alarm[]): void {
  const { stackName, region } = Stack.of(scope);
  const dashboard = new Dashboard(scope, 'Dashboard', { dashboardName: `${stackName}-${region}` });
  for (const { question, widgets } of rowsOf(scope, watched, alarms)) {
    dashboard.addWidgets(new TextWidget({ markdown: `## ${question}`, width: FULL_WIDTH, height: 1 }));
    dashboard.addWidgets(...widgets);
  }
}

function rowsOf(scope: Construct, watched: Watched, alarms: Alarm[]): Row[] {
  const { cleanup, canary, gateway, logs } = watched;
  return [
    isItWorking(scope, watched, alarms),
    connections(scope, logs),
    projects(scope, logs),
    answersOfPolyAI(scope, logs),
    queues(watched),
    ...(gateway ? [answerTime(scope, watched)] : []),
    ...(cleanup ? [cleanups(scope, logs)] : []),
    ...(canary ? [canaryRow(scope)] : []),
    costs(scope, watched),
  ];
}

function isItWorking(scope: Construct, { cleanup }: Watched, alarms: Alarm[]): Row {
  const ofProjects = cleanup
    ? [
        formula(
          `MAX(${search(scope, 'CleanupOldestOpen', ['project'], 'Maximum')})`,
          'oldest open chat in s',
          DAY,
        ),
        formula(
          `100 * SUM(${search(scope, 'MissedByWebhook', ['project'], 'Sum')}) / SUM(${closedOf(scope)})`,
          'miss rate in %',
          DAY,
        ),
      ]
    : [];
  const results = CLOSE_RESULTS.filter((result) => result === 'waiting' || result === 'given_up').map(
    (result) =>
      formula(
        `SUM(${search(scope, 'Closes', ['connection', 'result'], 'Sum', { result })})`,
        result === 'waiting' ? 'attempts that wait' : 'given up',
        DAY,
      ),
  );
  const closed = metricOf(scope, 'CloseAttempts', { outcome: 'closed' }, sumOf('closed', DAY));
  const values = new SingleValueWidget({
    title: 'In the last 24 hours',
    metrics: [closed, ...results, ...ofProjects],
    width: 12,
    height: HEIGHT,
    period: DAY,
    setPeriodToTimeRange: false,
  });
  const states = new AlarmStatusWidget({
    title: 'Alarms',
    alarms: alarms.slice(0, MAX_ALARMS),
    width: 12,
    height: HEIGHT,
  });
  return { question: 'Is it working?', widgets: [values, states] };
}

function closedOf(scope: Construct): string {
  return search(scope, 'Closes', ['project', 'outcome'], 'Sum', { outcome: 'closed' });
}

function connections(scope: Construct, logs: Logs): Row {
  const by = ['connection', 'result'] as const;
  const graphs = DELIVERY_RESULTS.map((result) =>
    graph(`Deliveries: ${result}`, [formula(search(scope, 'Deliveries', by, 'Sum', { result }))], 6),
  );
  const wrong = graph('Wrong proofs', [formula(search(scope, 'WrongProofs', ['connection'], 'Sum'))], 6);
  return {
    question: 'Does each connection deliver?',
    widgets: [...graphs, wrong, ...table('Refused deliveries by reason and connection', logs)],
  };
}

function projects(scope: Construct, logs: Logs): Row {
  const age = (statistic: string) => formula(search(scope, 'CloseAge', ['project'], statistic));
  return {
    question: 'Are the chats of each project closed, and how soon?',
    widgets: [
      graph('Closed', [formula(closedOf(scope))], 6),
      graph('From receipt to final outcome in ms: median', [age('p50')], 6),
      graph('From receipt to final outcome in ms: slowest 1 %', [age('p99')], 6),
      graph('Late closes', [formula(search(scope, 'CloseLate', ['project'], 'Sum'))], 6),
      ...table('Slowest closes', logs),
    ],
  };
}

function answersOfPolyAI(scope: Construct, logs: Logs): Row {
  const outcomes = formula(search(scope, 'CloseAttempts', ['outcome'], 'Sum'));
  return {
    question: 'What does PolyAI answer?',
    widgets: [
      graph('Attempts by outcome', [outcomes], FULL_WIDTH),
      ...table('Answers of PolyAI by project', logs),
    ],
  };
}

function queues({ closes, deadLetters, eventsDeadLetters, functions }: Watched): Row {
  const highest = (label: string) => ({ statistic: Stats.MAXIMUM, period: PERIOD, label });
  return {
    question: 'Does the queue move?',
    widgets: [
      graph('Closes', [
        closes.metricApproximateNumberOfMessagesVisible(highest('waiting for the worker')),
        closes.metricApproximateNumberOfMessagesNotVisible(highest('in flight')),
        closes.metricApproximateNumberOfMessagesDelayed(highest('not due yet')),
      ]),
      graph('Worker', [
        closes.metricNumberOfMessagesReceived(sumOf('received')),
        functions.close.metricThrottles(sumOf('throttled')),
        functions.close.metricErrors(sumOf('failed')),
      ]),
      graph('Dead letters', [
        deadLetters.metricApproximateNumberOfMessagesVisible(highest('closes')),
        ...(eventsDeadLetters
          ? [eventsDeadLetters.metricApproximateNumberOfMessagesVisible(highest('events'))]
          : []),
      ]),
    ],
  };
}

function answerTime(scope: Construct, { configuration, logs }: Watched): Row {
  const limits = answerLimits(configuration);
  const time = (statistic: string) => formula(search(scope, 'AnswerTime', ['connection'], statistic));
  return {
    question: 'Does the receiver answer within the time that each CRM allows?',
    widgets: [
      graph('Answer time in ms: median', [time('p50')], 12, limits),
      graph('Answer time in ms: slowest 1 %', [time('p99')], 12, limits),
      ...table('Answer times by connection', logs),
    ],
  };
}

/** One line for each time that the CRMs of this configuration wait, or ask to be answered in. */
function answerLimits({ connections }: Configuration): HorizontalAnnotation[] {
  const names = [...new Set(Object.values(connections).map(({ crm }) => crm))];
  const limits = Map.groupBy(names, (crm) => CRMS[crm]?.answerWithinMs);
  return [...limits].flatMap(([value, crms]) =>
    value === undefined ? [] : [{ value, label: `limit of ${crms.join(', ')}` }],
  );
}

function cleanups(scope: Construct, logs: Logs): Row {
  const ofRuns = (metric: 'CleanupOpen' | 'CleanupStale' | 'CleanupQueued' | 'CleanupOldestOpen') =>
    formula(search(scope, metric, ['project'], 'Maximum'));
  return {
    question: 'Does the cleanup find chats that no delivery closed?',
    widgets: [
      graph('Open chats', [ofRuns('CleanupOpen')], 6),
      graph('Chats that may be closed', [ofRuns('CleanupStale')], 6),
      graph('Closes queued by the cleanup', [ofRuns('CleanupQueued')], 6),
      graph('Age of the oldest open chat in s', [ofRuns('CleanupOldestOpen')], 6),
      ...table('Cleanup runs', logs),
    ],
  };
}

function canaryRow(scope: Construct): Row {
  const metrics = (Object.keys(METRICS) as MetricName[])
    .filter((name) => name.startsWith('Canary'))
    .map((name) => formula(search(scope, name, [], 'Maximum')));
  return { question: 'Does the canary go through?', widgets: [graph('Canary', metrics, FULL_WIDTH)] };
}

function costs(scope: Construct, { gateway, functions, logs }: Watched): Row {
  const by = ['connection', 'result'] as const;
  const ignored = formula(search(scope, 'Deliveries', by, 'Sum', { result: 'ignored' }));
  const calls = Object.entries(functions).map(([name, each]) => each.metricInvocations(sumOf(name)));
  return {
    question: 'What costs money?',
    widgets: [
      graph('Ignored deliveries: filter them in the CRM', [ignored]),
      ...(gateway ? [graph('Requests to the API', [gateway.api.metricCount(sumOf('requests'))])] : []),
      graph('Calls of the functions', calls),
      ...table('Ignored deliveries by reason and connection', logs),
    ],
  };
}

function sumOf(label: string, period = PERIOD) {
  return { statistic: Stats.SUM, period, label };
}

/** A metric of a search or of other metrics. Without a label each line is named after its dimensions. */
function formula(expression: string, label = '', period = PERIOD): IMetric {
  return new MathExpression({ expression, usingMetrics: {}, label, period });
}

function graph(
  title: string,
  left: IMetric[],
  width = 8,
  leftAnnotations: HorizontalAnnotation[] = [],
): IWidget {
  return new GraphWidget({ title, left, leftAnnotations, width, height: HEIGHT, leftYAxis: { min: 0 } });
}

/** The result of a saved query; nothing where the stack has no such lines. */
function table(name: QueryName, logs: Logs): IWidget[] {
  const logGroupNames = groupsOf(QUERIES[name], logs);
  if (logGroupNames.length === 0) return [];
  return [
    new LogQueryWidget({
      title: name,
      logGroupNames,
      view: LogQueryVisualizationType.TABLE,
      queryString: QUERIES[name].query,
      width: FULL_WIDTH,
      height: HEIGHT,
    }),
  ];
}
