import type { Aws } from '../aws.ts';
import type { Deployment } from '../deployment.ts';
import { type Span, searchLines } from '../lines.ts';
import { depthOf } from '../queue-depth.ts';
import type { Surroundings } from '../surroundings.ts';
import { unknownChats, waitingCloses } from './closes.ts';
import { deadLetters } from './dead-letters.ts';
import { faults, incompleteCleanups, ringingAlarms } from './others.ts';
import { refusals } from './refusals.ts';
import { type Trouble, worstFirst } from './trouble.ts';
import { workerStopped } from './worker.ts';

export type Status = {
  healthy: boolean;
  /** The worst first. */
  troubles: Trouble[];
  /** What was looked at, in words. */
  lookedAt: string[];
};

export type StatusParts = Pick<Aws, 'cloudWatch' | 'logs' | 'sqs'> &
  Pick<Surroundings, 'now' | 'progress' | 'signal'>;

/** Finds out what is wrong with a deployed stack now. It reads lines, queues and alarms, and changes nothing. */
export async function status(deployment: Deployment, span: Span, parts: StatusParts): Promise<Status> {
  const { receive, event, close, cleanup, canary } = deployment.logGroups;
  const [{ lines, isComplete }, depth, alarms] = await Promise.all([
    searchLines({ ...span, groups: [receive, event, close, cleanup, canary] }, parts),
    depthOf(parts.sqs, deployment.outputs.CloseQueueUrl),
    ringingAlarms(parts.cloudWatch, deployment),
  ]);
  const now = parts.now();
  const from = new Date(span.from).toISOString();
  const { NotFoundAlarm = 1 } = deployment.configuration.stack.alarms?.thresholds ?? {};
  const troubles = worstFirst([
    ...workerStopped(lines, depth, now),
    ...refusals(lines),
    ...waitingCloses(lines, now),
    ...unknownChats(lines, NotFoundAlarm),
    ...(await deadLetters(parts.sqs, deployment, lines, from)),
    ...incompleteCleanups(lines),
    ...faults(lines),
    ...alarms.troubles,
  ]);
  const lookedAt = [
    `${lines.length} log lines${isComplete ? '' : ', of more: shorten the time with --since and --until'}`,
    `the close queue (${depth ? `${depth.waiting} waiting, ${depth.held} in flight, ${depth.delayed} not due yet` : 'not readable'})`,
    'the dead-letter queues',
    `${alarms.looked} alarms`,
  ];
  return { healthy: troubles.length === 0, troubles, lookedAt };
}
