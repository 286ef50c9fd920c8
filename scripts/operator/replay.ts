import { randomUUID } from 'node:crypto';
import { type CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { BATCH, batchesOf, queueCloses } from '../../functions/close-queue.ts';
import { type FinalLine, filterPattern, newestOfEach, readFinalLine, toCloseRequest } from './final-line.ts';
import type { Options } from './options.ts';
import { createPace } from './pace.ts';
import { count, lookUpsText, UNASKED } from './redrive.ts';
import type { Surroundings } from './run.ts';
import { ageOf, tabulate } from './table.ts';

export type ReplayParts = Surroundings & {
  sqs: Pick<SQSClient, 'send'>;
  logs: Pick<CloudWatchLogsClient, 'send'>;
  closeQueueUrl: string;
  logGroupName: string;
};

/**
 * Asks once more for the closes that ended in an outcome, as the log tells them.
 *
 * @returns whether all were queued that were to be
 */
export async function replay(options: Options, parts: ReplayParts): Promise<boolean> {
  const { say, now, signal } = parts;
  const lines = newestOfEach(await readLines(options, parts));
  if (signal.aborted) return false;
  if (lines.length === 0) {
    say('The log has no such close in this time.');
    return true;
  }
  say(`${count(lines.length, 'conversation')}:\n\n${tabulate(lines, now())}\n`);
  tellOfLookUps(lines, options, parts);
  const requestId = randomUUID();
  const wanted = lines.filter(({ note }) => !note || options.lateLookUp);
  const chosen = wanted.filter((line) => toCloseRequest(line, requestId, now()));
  if (chosen.length < wanted.length) {
    say(`${wanted.length - chosen.length} of them cannot be asked for again: their message was unreadable.`);
  }
  say(`${count(chosen.length, 'close')} of these ${options.dryRun ? 'would be' : 'to be'} queued again.`);
  if (options.dryRun || chosen.length === 0) return true;
  if (chosen.length > UNASKED && !options.yes) {
    if (!(await parts.ask(`Queue ${chosen.length} closes again?`))) {
      say('Nothing was queued.');
      return false;
    }
  }
  return queue(chosen, options, parts, requestId);
}

async function readLines(options: Options, parts: ReplayParts): Promise<FinalLine[]> {
  const { logs, logGroupName, now, progress, signal } = parts;
  const found: FinalLine[] = [];
  const startTime = now() - (options.sinceMs ?? 0);
  let nextToken: string | undefined;
  do {
    const page = await logs.send(
      new FilterLogEventsCommand({
        logGroupName,
        startTime,
        filterPattern: filterPattern(options.outcomes),
        ...(nextToken && { nextToken }),
      }),
    );
    for (const { message = '', timestamp = 0 } of page.events ?? []) {
      const line = readFinalLine(message, timestamp, options);
      if (line) found.push(line);
    }
    progress(`Reading the log: ${found.length} found`);
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
  const { sqs, closeQueueUrl, say, progress, now, signal } = parts;
  const pace = createPace(rate, parts);
  let queued = 0;
  try {
    for (const batch of batchesOf(lines, Math.min(BATCH, rate))) {
      await pace(batch.length);
      if (signal.aborted) break;
      const requests = batch.flatMap((line) => toCloseRequest(line, requestId, now()) ?? []);
      await queueCloses(sqs, closeQueueUrl, requests);
      queued += batch.length;
      progress(`Queued ${queued} of ${lines.length}`);
    }
  } finally {
    say(`Queued ${queued} of ${lines.length}, all with the request id ${requestId}.`);
    if (queued < lines.length) {
      say('Run it again for the others: closing a chat twice is harmless.');
    }
  }
  return queued === lines.length;
}
