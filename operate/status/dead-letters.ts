import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Deployment } from '../deployment.ts';
import type { LoggedLine } from '../lines.ts';
import { depthOf } from '../queue-depth.ts';
import { mostFrequent } from '../why/suspect.ts';
import { count } from './closes.ts';
import type { Trouble } from './trouble.ts';

const CLI = 'npx --no chat-closer';
/** SQS deletes a message after this time. */
const KEPT_MS = 14 * 24 * 3_600_000;

/**
 * What is in the dead-letter queues. The number is the queue's own; since when and why is in the lines, as far as they
 * were read.
 *
 * @param from the start of the span, for dead letters that are older; ISO 8601
 */
export async function deadLetters(
  sqs: Pick<SQSClient, 'send'>,
  { outputs }: Deployment,
  lines: readonly LoggedLine[],
  from: string,
): Promise<Trouble[]> {
  const { DeadLetterQueueUrl, EventsDeadLetterQueueUrl } = outputs;
  const [closes, events] = await Promise.all([
    depthOf(sqs, DeadLetterQueueUrl),
    EventsDeadLetterQueueUrl ? depthOf(sqs, EventsDeadLetterQueueUrl) : undefined,
  ]);
  const givenUp = lines.filter(
    ({ type, result, source }) => type === 'close' && result === 'given_up' && source !== 'cleanup',
  );
  return [
    ...closesTrouble((closes?.waiting ?? 0) + (closes?.held ?? 0), givenUp, from),
    ...eventsTrouble((events?.waiting ?? 0) + (events?.held ?? 0), from),
  ];
}

function closesTrouble(chats: number, givenUp: readonly LoggedLine[], from: string): Trouble[] {
  if (chats === 0) return [];
  const project = only(givenUp.map((line) => String(line.project)));
  const connection = only(givenUp.flatMap((line) => (line.connection ? [String(line.connection)] : [])));
  const outcome = mostFrequent(givenUp.map((line) => String(line.outcome)));
  const since = givenUp[0]?.at ?? from;
  const why = outcome ? `, most often with ${outcome}` : '';
  return [
    {
      cause: 'dead_letters',
      ...(project && { project }),
      ...(connection && { connection }),
      chats,
      since,
      healsUntil: new Date(Date.parse(since) + KEPT_MS).toISOString(),
      sentence: `${count(chats)}${project ? ` of ${project}` : ''} ${chats === 1 ? 'was' : 'were'} given up${why}, ${givenUp[0] ? `since ${since}` : `before ${from}`}. SQS keeps them for 14 days.`,
      next: `See which: ${CLI} redrive --list. Fix the cause, then: ${CLI} redrive`,
    },
  ];
}

function eventsTrouble(events: number, from: string): Trouble[] {
  if (events === 0) return [];
  return [
    {
      cause: 'event_dead_letters',
      chats: events,
      since: from,
      sentence: `${events} ${events === 1 ? 'event' : 'events'} of a bus could not be read or delivered.`,
      next: 'docs/operations.md#events-dead-letters',
    },
  ];
}

/** The one value of a list; `undefined` where there are several, or none. */
function only(values: readonly string[]): string | undefined {
  return new Set(values).size === 1 ? values[0] : undefined;
}
