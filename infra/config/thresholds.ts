import { keys, whole } from './values.ts';

const MAX_COUNT = 1_000_000;

const count = (description: string, fallback: number) => whole(description, 1, MAX_COUNT).default(fallback);

/**
 * The numbers from which alarms go off, by the alarm's id. An alarm that is missing here has no number that a user
 * could choose, or a setting of its own, such as `silentAfter`.
 */
export const thresholds = keys('The numbers from which alarms go off.', {
  AgingDeadLettersAlarm: whole(
    'Age in days of the oldest dead letter. SQS deletes it after 14.',
    1,
    13,
  ).default(10),
  ConnectionRefusedAlarm: count(
    'Deliveries with a complete but wrong proof in five minutes, three times in a row, while none is verified.',
    1,
  ),
  DeadLettersAlarm: count('Dead letters of closes.', 1),
  EventsDeadLettersAlarm: count('Dead letters of events.', 1),
  FaultsAlarm: count('Faults in five minutes.', 1),
  FloodAlarm: whole('Requests to the API in five minutes.', 1, 300_000_000).default(30_000),
  GatewayAlarm: count('Answers of 429 or 5xx by the gateway itself in five minutes.', 1),
  InFlightAlarm: whole('Closes in work or waiting for their next attempt.', 1, 120_000).default(80_000),
  MisdirectedAlarm: count('Attempts with the outcome `misdirected` in five minutes.', 1),
  MissRateAlarm: whole(
    'Percent of a day’s closed chats that only the cleanup closed.',
    1,
    100,
  ).exactOptional(),
  NotFoundAlarm: count('Attempts with the outcome `not_found` in 15 minutes.', 20),
  UnauthorizedAlarm: count('Attempts with the outcome `unauthorized` in five minutes.', 1),
  UnknownTargetAlarm: count('Attempts with the outcome `unknown_target` in five minutes.', 1),
  WorkerStoppedAlarm: count(
    'Closes that wait while the worker takes none, or is throttled, for 15 minutes.',
    1,
  ),
});
