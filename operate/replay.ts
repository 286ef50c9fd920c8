import { randomUUID } from 'node:crypto';
import { type CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { OUTCOMES } from '../functions/close/outcome.ts';
import { BATCH, batchesOf, queueCloses } from '../functions/close-queue.ts';
import type { Options } from '../scripts/command/options.ts';
import type { Surroundings } from '../scripts/command/run.ts';
import { FINAL_LINES, type FinalLine, readFinalLine, toCloseRequest } from './final-line.ts';
import { createNewestLines, type NewestLines } from './newest-lines.ts';
import { createPace } from './pace.ts';
import { depthOf } from './queue-depth.ts';
import { UNASKED } from './redrive.ts';
import { count, lookUpsText, sayUnknownProjects, tailCommand } from './sentences.ts';
import { ageOf, list, tabulate } from './table.ts';

/** The outcomes that are final without a dead letter. */
const WITHOUT_DEAD_LETTER = Object.entries(OUTCOMES).flatMap(([outcome, { next }]) =>
  next === 'done' ? [outcome] : [],
);

export type ReplayParts = Surroundings & {
  sqs: Pick<SQSClient, 'send'>;
  logs: Pick<CloudWatchLogsClient, 'send'>;
  closeQueueUrl: string;
  deadLetterQueueUrl: string;
  logGroupName: string;
};

/**
 * Asks once more for the closes whose newest final line has an outcome: what was closed since is left out.
 *
 * @returns whether all were queued that were to be
 */
export async function replay(options: Options, parts: ReplayParts): Promise<boolean> {
  const { say, now, signal } = parts;
  const { chosen: lines, overtaken, projects } = (await readLines(options, parts)).result();
  if (signal.aborted) {
    say('Stopped while the log was read. Nothing was queued.');
    return false;
  }
  const isKnown = projects.length === 0 || sayUnknownProjects('such close', options.projects, projects, say);
  tellOfOvertaken(overtaken, say);
  if (lines.length === 0) {
    say('The log has no such close in this time.');
    return isKnown;
  }
  say(`${count(lines.length, 'conversation')}:\n\n${tabulate(lines, now())}\n`);
  if (options.list) say(`${list(lines)}\n`);
  await warnOfDeadLetters(options, parts);
  tellOfLookUps(lines, options, parts);
  const requestId = randomUUID();
  const wanted = lines.filter(({ note }) => !note || options.lateLookUp);
  const chosen = wanted.filter((line) => toCloseRequest(line, requestId, now()));
  if (chosen.length < wanted.length) {
    say(`${wanted.length - chosen.length} of them cannot be asked for again: their message was unreadable.`);
  }
  say(`${count(chosen.length, 'close')} of these ${options.dryRun ? 'would be' : 'to be'} queued again.`);
  if (options.dryRun || chosen.length === 0) return isKnown;
  if (chosen.length > UNASKED && !options.yes) {
    if (!(await parts.ask(`Queue ${chosen.length} closes again?`))) {
      say('Nothing was queued.');
      return false;
    }
  }
  return (await queue(chosen, options, parts, requestId)) && isKnown;
}

function tellOfOvertaken(overtaken: FinalLine[], say: (text: string) => void): void {
  if (overtaken.length === 0) return;
  const counts = new Map<string, number>();
  for (const { outcome } of overtaken) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const outcomes = [...counts].map(([outcome, number]) => `${number} ${outcome}`).join(', ');
  say(`${count(overtaken.length, 'conversation')} left out, with another outcome since: ${outcomes}.`);
}

/** A replay of what is a dead letter as well leaves that where it is, and the alarm on. */
async function warnOfDeadLetters({ outcomes }: Options, parts: ReplayParts): Promise<void> {
  const depth = await depthOf(parts.sqs, parts.deadLetterQueueUrl);
  const number = (depth?.waiting ?? 0) + (depth?.held ?? 0);
  if (number === 0) return;
  const leaving = outcomes.filter((outcome) => !WITHOUT_DEAD_LETTER.includes(outcome));
  parts.say(
    `The dead-letter queue has about ${count(number, 'message')}. A replay leaves them there, and may double them: for what is in that queue, use npm run redrive.${leaving.length > 0 ? ` Closes that end as ${leaving.join(' or ')} are in it, unless somebody has deleted them.` : ''}`,
  );
}

async function readLines(options: Options, parts: ReplayParts): Promise<NewestLines> {
  const { logs, logGroupName, now, progress, signal } = parts;
  const found = createNewestLines(options);
  let read = 0;
  const startTime = now() - (options.sinceMs ?? 0);
  let nextToken: string | undefined;
  do {
    const page = await logs.send(
      new FilterLogEventsCommand({
        logGroupName,
        startTime,
        filterPattern: FINAL_LINES,
        ...(nextToken && { nextToken }),
      }),
    );
    for (const { message = '', timestamp = 0 } of page.events ?? []) {
      const line = readFinalLine(message, timestamp);
      if (line) found.add(line);
    }
    read += page.events?.length ?? 0;
    progress(`Reading the log: ${count(read, 'final line')}`);
    nextToken = page.nextToken;
  } while (nextToken && !signal.aborted);
  return found;
}

function tellOfLookUps(lines: FinalLine[], { lateLookUp }: Options, { say, now }: ReplayParts): void {
  const lookUps = lines.filter(({ note }) => note);
  if (lookUps.length === 0) return;
  say(lookUpsText(lookUps.length, ageOf(now() - Math.min(...lookUps.map(({ at }) => at))), lateLookUp));
}

async function queue(
  lines: FinalLine[],
  { rate }: Options,
  parts: ReplayParts,
  requestId: string,
): Promise<boolean> {
  const { sqs, closeQueueUrl, logGroupName, say, progress, now, signal } = parts;
  const pace = createPace(rate, parts);
  let queued = 0;
  let tried = 0;
  try {
    for (const batch of batchesOf(lines, Math.min(BATCH, rate))) {
      await pace(batch.length);
      if (signal.aborted) break;
      tried += batch.length;
      const requests = batch.flatMap((line) => toCloseRequest(line, requestId, now()) ?? []);
      await queueCloses(sqs, closeQueueUrl, requests);
      queued += batch.length;
      progress(`Queued ${queued} of ${lines.length}`);
    }
  } finally {
    say(`Queued ${queued} of ${lines.length}, all with the request id ${requestId}.`);
    if (tried > queued) say(`${tried - queued} were not confirmed. They may be queued all the same.`);
    if (tried < lines.length) say(`Stopped: ${lines.length - tried} were not tried.`);
    if (queued < lines.length) say('Run it again for the others: closing a chat twice is harmless.');
    if (queued > 0) say(`See what becomes of them: ${tailCommand(logGroupName, `"${requestId}"`)}`);
  }
  return queued === lines.length;
}
