import { type IMetric, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { type AlarmRule, MISSING, PERIOD } from './alarm-rule.ts';
import { command, type Watched } from './watched.ts';

const DAY_SECONDS = 86_400;
/** A message that waits through three periods is not merely on its way to the worker. */
const STOPPED_PERIODS = 3;

/** The alarms on the depth and the age of the queues. */
export function queueAlarms(watched: Watched): AlarmRule[] {
  return [
    ...deadLetterAlarms(watched),
    ...eventsDeadLetterAlarms(watched),
    inFlightAlarm(watched),
    workerStoppedAlarm(watched),
  ];
}

const deepest = { period: PERIOD, statistic: Stats.MAXIMUM };

function deadLetterAlarms(watched: Watched): AlarmRule[] {
  const { configuration, deadLetters } = watched;
  const { thresholds } = configuration.stack.alarms;
  const run = command(watched, 'redrive --list');
  return [
    {
      id: 'DeadLettersAlarm',
      section: 'dead-letters',
      affected: 'Closes were given up or refused and are in the dead-letter queue.',
      heals: 'They stay there until somebody redrives or deletes them, for at most 14 days.',
      run,
      metric: deadLetters.metricApproximateNumberOfMessagesVisible(deepest),
      threshold: thresholds.DeadLettersAlarm,
      missing: MISSING.fine,
    },
    {
      ...agingAlarm(deadLetters, thresholds.AgingDeadLettersAlarm),
      id: 'AgingDeadLettersAlarm',
      affected: `The oldest dead letter of a close is more than ${thresholds.AgingDeadLettersAlarm} days old.`,
      heals: 'SQS deletes it when it is 14 days old, and then its chat stays open.',
      run,
    },
  ];
}

function eventsDeadLetterAlarms(watched: Watched): AlarmRule[] {
  const { configuration, eventsDeadLetters } = watched;
  if (!eventsDeadLetters) return [];
  const { thresholds } = configuration.stack.alarms;
  const run = command(watched, 'status');
  return [
    {
      id: 'EventsDeadLettersAlarm',
      section: 'events-dead-letters',
      affected:
        'Events of a bus could not be delivered or read and are in their dead-letter queue: their chats stay open.',
      heals: 'They stay there until somebody moves them back or deletes them, for at most 14 days.',
      run,
      metric: eventsDeadLetters.metricApproximateNumberOfMessagesVisible(deepest),
      threshold: thresholds.EventsDeadLettersAlarm,
      missing: MISSING.fine,
    },
    {
      ...agingAlarm(eventsDeadLetters, thresholds.AgingDeadLettersAlarm),
      id: 'EventsAgingDeadLettersAlarm',
      affected: `The oldest dead letter of an event is more than ${thresholds.AgingDeadLettersAlarm} days old.`,
      heals: 'SQS deletes it when it is 14 days old, and then its chats stay open.',
      run,
    },
  ];
}

/** An empty queue has no age. */
function agingAlarm(
  queue: IQueue,
  days: number,
): Pick<AlarmRule, 'section' | 'metric' | 'threshold' | 'missing'> {
  return {
    section: 'aging-dead-letters',
    metric: queue.metricApproximateAgeOfOldestMessage(deepest),
    threshold: days * DAY_SECONDS,
    missing: MISSING.fine,
  };
}

function inFlightAlarm(watched: Watched): AlarmRule {
  const { configuration, closes } = watched;
  return {
    id: 'InFlightAlarm',
    section: 'in-flight',
    affected: 'The close queue nears the number of messages in flight at which SQS delivers no more.',
    heals:
      'It shrinks automatically when the cause of the failed closes is fixed, and nothing is lost until then.',
    run: command(watched, 'status'),
    metric: closes.metricApproximateNumberOfMessagesNotVisible(deepest),
    threshold: configuration.stack.alarms.thresholds.InFlightAlarm,
    missing: MISSING.fine,
  };
}

/**
 * The alarm for a worker that takes no messages. The age of the oldest message would not do: SQS leaves a message
 * that was received three times out of it. Closes in back-off are in flight and not visible.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
function workerStoppedAlarm(watched: Watched): AlarmRule {
  const { configuration, closes, functions } = watched;
  return {
    id: 'WorkerStoppedAlarm',
    section: 'worker-stopped',
    affected:
      'Closes wait on the queue, and the worker takes none of them or is throttled: no chat is closed in time.',
    heals: 'They are closed automatically when the worker runs again within 14 days.',
    run: command(watched, 'doctor'),
    metric: waitingInVain(closes, functions.close.metricThrottles({ period: PERIOD, statistic: Stats.SUM })),
    threshold: configuration.stack.alarms.thresholds.WorkerStoppedAlarm,
    evaluationPeriods: STOPPED_PERIODS,
    missing: MISSING.fine,
  };
}

/**
 * The messages that were visible during a whole period in which none was received, and the throttled calls. Lambda has
 * received the messages of a throttled call, so they are not visible.
 */
function waitingInVain(closes: IQueue, throttles: IMetric): MathExpression {
  return new MathExpression({
    expression: 'IF(FILL(received, 0) == 0, FILL(visible, 0), 0) + FILL(throttles, 0)',
    usingMetrics: {
      received: closes.metricNumberOfMessagesReceived({ period: PERIOD, statistic: Stats.SUM }),
      throttles,
      visible: closes.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MINIMUM }),
    },
    label: 'Closes that wait in vain',
    period: PERIOD,
  });
}
