import { Duration, type Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { OUTCOMES, Outcome } from '../functions/close/outcome.ts';
import { CLEANUP_COMPLETE, CLEANUP_OLDEST_OPEN, CLOSE_ATTEMPTS, NAMESPACE } from '../functions/metrics.ts';
import { toMinutes } from './config/duration.ts';
import type { Configuration, ProjectConfiguration } from './config/load.ts';

export type Watched = {
  alarms: Configuration['stack']['alarms'];
  closes: Queue;
  deadLetters: Queue;
  /** There only with connections on buses. */
  eventsDeadLetters: Queue | undefined;
  /** There only with connections that have an address. */
  accessLog: ILogGroup | undefined;
  /** By the names that people know them by. */
  functions: Record<string, IFunction & { logGroup: ILogGroup }>;
  /** There only with projects that are cleaned up. */
  cleanups:
    | { projects: Record<string, NonNullable<ProjectConfiguration['cleanup']>>; scheduleGroup: string }
    | undefined;
};

const PERIOD = Duration.minutes(5);
/** SQS stops delivering when about 120,000 messages are in flight, and those in back-off are. */
const IN_FLIGHT_LIMIT = 80_000;

/** The outcomes that are tried again and heal only when somebody acts; the others of that kind are dead letters. */
type NeedingAction = {
  [O in Outcome]: (typeof OUTCOMES)[O] extends { next: 'retry'; needsAction: true } ? O : never;
}[Outcome];

const NEED_ACTION: Record<NeedingAction, { id: string; what: string }> = {
  unauthorized: { id: 'UnauthorizedAlarm', what: "PolyAI refuses a project's credentials." },
  misdirected: {
    id: 'MisdirectedAlarm',
    what: 'PolyAI does not know a project, or redirects: region, account or project is wrong.',
  },
  unknown_target: {
    id: 'UnknownTargetAlarm',
    what: 'Closes name a project or message version that is not deployed.',
  },
};

/** Every alarm is on by default and names its section in docs/operations.md; a subscriber is the user's to name. */
export function monitor(stack: Stack, watched: Watched): void {
  const { alarms, closes, deadLetters, eventsDeadLetters, accessLog, functions, cleanups } = watched;
  const topics = alarmTopics(stack, alarms);
  const alarm = (
    id: string,
    section: string,
    what: string,
    metric: IMetric,
    threshold = 1,
    own: Partial<AlarmProps> = {},
  ) => {
    const created = new Alarm(stack, id, {
      alarmDescription: `${what} See docs/operations.md#${section}`,
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...own,
    });
    created.addAlarmAction(...topics.map((topic) => new SnsAction(topic)));
  };

  alarm(
    'DeadLettersAlarm',
    'dead-letters',
    'Closes were given up or refused and wait in the dead-letter queue.',
    deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MAXIMUM }),
  );
  if (eventsDeadLetters) {
    alarm(
      'EventsDeadLettersAlarm',
      'events-dead-letters',
      'Events of a bus could not be delivered or read and wait in their dead-letter queue.',
      eventsDeadLetters.metricApproximateNumberOfMessagesVisible({
        period: PERIOD,
        statistic: Stats.MAXIMUM,
      }),
    );
  }
  if (accessLog) {
    alarm(
      'GatewayAlarm',
      'gateway',
      'The gateway itself answered 429 or 5xx: webhooks did not reach the receiver.',
      gatewayFailures(stack, accessLog),
    );
  }
  for (const [outcome, { id, what }] of Object.entries(NEED_ACTION)) {
    alarm(id, outcome, what, attemptsEndingIn(stack, outcome as NeedingAction));
  }
  alarm(
    'InFlightAlarm',
    'in-flight',
    'The close queue nears the number of messages in flight at which SQS stops delivering.',
    closes.metricApproximateNumberOfMessagesNotVisible({ period: PERIOD, statistic: Stats.MAXIMUM }),
    IN_FLIGHT_LIMIT,
  );
  alarm(
    'FaultsAlarm',
    'faults',
    'A function met something unexpected.',
    faultLines(stack, Object.values(functions)),
  );
  for (const [name, each] of Object.entries(functions)) {
    const metric = each.metricErrors({ period: PERIOD, statistic: Stats.SUM });
    alarm(`${name}ErrorsAlarm`, 'faults', `The function ${name} failed or ran out of time.`, metric);
  }
  if (!cleanups) return;
  alarm(
    'CleanupNotStartedAlarm',
    'cleanup-not-started',
    'A scheduled cleanup could not be started.',
    new Metric({
      namespace: 'AWS/Scheduler',
      metricName: 'InvocationDroppedCount',
      dimensionsMap: { ScheduleGroup: cleanups.scheduleGroup },
      statistic: Stats.SUM,
      period: PERIOD,
    }),
  );
  for (const [project, { alarmAfter, oldestOpenAlarm }] of Object.entries(cleanups.projects)) {
    const { period, evaluationPeriods } = spanOf(toMinutes(alarmAfter));
    alarm(
      `Overdue ${project}`,
      'no-complete-cleanup',
      `No cleanup of the project ${project} has seen all of its chats for ${alarmAfter}.`,
      runMetric(stack, CLEANUP_COMPLETE, project, period),
      1,
      {
        evaluationPeriods,
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        treatMissingData: TreatMissingData.BREACHING,
      },
    );
    if (!oldestOpenAlarm) continue;
    alarm(
      `Oldest open of ${project}`,
      'oldest-open-chat',
      `A chat of the project ${project} has been open for more than ${oldestOpenAlarm}.`,
      runMetric(stack, CLEANUP_OLDEST_OPEN, project, PERIOD),
      toMinutes(oldestOpenAlarm) * 60,
      // Between two runs it stays as the last one left it.
      {
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        treatMissingData: TreatMissingData.IGNORE,
      },
    );
  }
}

function runMetric(stack: Stack, metricName: string, project: string, period: Duration): IMetric {
  return new Metric({
    namespace: NAMESPACE,
    metricName,
    dimensionsMap: { service: stack.stackName, project },
    statistic: Stats.MAXIMUM,
    period,
  });
}

/**
 * A span that an alarm can look back on, at least as long as asked for. Periods below an hour may add up to a
 * day, longer ones to seven.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
export function spanOf(minutes: number): { period: Duration; evaluationPeriods: number } {
  const period = minutes <= 60 ? 1 : minutes <= 24 * 60 ? 5 : 60;
  return { period: Duration.minutes(period), evaluationPeriods: Math.ceil(minutes / period) };
}

/** What the gateway answered without an answer of the receiver's behind it. */
function gatewayFailures(stack: Stack, accessLog: ILogGroup): IMetric {
  const filter = new MetricFilter(stack, 'GatewayFailures', {
    logGroup: accessLog,
    filterPattern: FilterPattern.any(
      FilterPattern.stringValue('$.status', '=', '429'),
      FilterPattern.all(
        FilterPattern.stringValue('$.status', '=', '5*'),
        FilterPattern.stringValue('$.integrationStatus', '!=', '5*'),
      ),
    ),
    ...filterMetric(stack, 'GatewayFailures'),
  });
  return filter.metric({ period: PERIOD, statistic: Stats.SUM });
}

function attemptsEndingIn(stack: Stack, outcome: Outcome): IMetric {
  return new Metric({
    namespace: NAMESPACE,
    metricName: CLOSE_ATTEMPTS,
    dimensionsMap: { service: stack.stackName, outcome },
    statistic: Stats.SUM,
    period: PERIOD,
  });
}

/** One metric for all functions. */
function faultLines(stack: Stack, functions: Watched['functions'][string][]): IMetric {
  const filters = functions.map(
    (each) =>
      new MetricFilter(stack, `${each.node.id}Faults`, {
        logGroup: each.logGroup,
        filterPattern: FilterPattern.stringValue('$.type', '=', 'fault'),
        ...filterMetric(stack, 'Faults'),
      }),
  );
  return (filters[0] as MetricFilter).metric({ period: PERIOD, statistic: Stats.SUM });
}

/** A filter's metric cannot have fixed dimensions: the stack's name goes into the namespace. */
function filterMetric(stack: Stack, metricName: string) {
  return {
    metricNamespace: `${NAMESPACE}/${stack.stackName}`,
    metricName,
    metricValue: '1',
    defaultValue: 0,
  };
}

function alarmTopics(stack: Stack, { email, topicArn }: Configuration['stack']['alarms']): ITopic[] {
  return [
    ...(topicArn ? [Topic.fromTopicArn(stack, 'ExistingAlarmTopic', topicArn)] : []),
    ...(email ? [createTopic(stack, email)] : []),
  ];
}

/**
 * A topic that CloudWatch can really publish to: with the key that AWS manages for SNS an encrypted topic
 * takes an alarm's message and drops it, so it has a key of its own.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
function createTopic(stack: Stack, email: string): Topic {
  const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
  });
  const masterKey = new Key(stack, 'AlarmKey', {
    description: `Encrypts the alarms of ${stack.stackName}`,
    enableKeyRotation: true,
  });
  masterKey.addToResourcePolicy(
    new PolicyStatement({
      principals: [cloudWatch],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
    }),
  );
  const topic = new Topic(stack, 'AlarmTopic', { masterKey, enforceSSL: true });
  topic.addToResourcePolicy(
    new PolicyStatement({ principals: [cloudWatch], actions: ['sns:Publish'], resources: [topic.topicArn] }),
  );
  topic.addSubscription(new EmailSubscription(email));
  return topic;
}
