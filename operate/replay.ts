import { randomUUID } from 'node:crypto';
import { type CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { OUTCOMES } from '../functions/close/outcome.ts';
import { BATCH, batchesOf } from '../functions/close-batches.ts';
import { queueCloses } from '../functions/close-queue.ts';
import { confirm } from './confirm.ts';
import { FINAL_LINES, type FinalLine, readFinalLine, toCloseRequest } from './final-line.ts';
import type { Span } from './lines.ts';
import { createNewestLines, type NewestLines } from './newest-lines.ts';
import type { Handling, Selection } from './options.ts';
import { outcomesText } from './outcomes-after.ts';
import { createPace } from './pace.ts';
import { planText, predict } from './plan.ts';
import { depthOf } from './queue-depth.ts';
import type { RedriveParts } from './redrive.ts';
import { checkProjects, count, lookUpsText, tailCommand } from './sentences.ts';
import type { Surroundings } from './surroundings.ts';
import { ageOf, list, tabulate } from './table.ts';

/** The outcomes that are final without a dead letter. */
const WITHOUT_DEAD_LETTER = Object.entries(OUTCOMES).flatMap(([outcome, { next }]) =>
  next === 'done' ? [outcome] : [],
);

export type ReplayOptions = Selection & Handling & { span: Span };

export type ReplayParts = Surroundings & {
  sqs: Pick<SQSClient, 'send'>;
  logs: Pick<CloudWatchLogsClient, 'send'>;
  closeQueueUrl: string;
  deadLetterQueueUrl: string;
  logGroupName: string;
} & Pick<RedriveParts, 'readFacts' | 'followOutcomes' | 'report'>;

/**
 * Queues closes again whose newest final line has a requested outcome. A chat that was closed since is left out.
 *
 * @returns whether every chosen close was queued
 */
export async function replay(options: ReplayOptions, parts: ReplayParts): Promise<boolean> {
  const { print, now, signal } = parts;
  const { chosen: lines, overtaken, projects } = (await readLines(options, parts)).result();
  if (signal.aborted) {
    print('Stopped while reading the log. Nothing was queued.');
    return false;
  }
  const areProjectsKnown =
    projects.length === 0 || checkProjects('such close', options.projects, projects, print);
  printOvertaken(overtaken, print);
  if (lines.length === 0) {
    print('The log has no such close in this time.');
    return areProjectsKnown;
  }
  print(`${count(lines.length, 'conversation')}:\n\n${tabulate(lines, now())}\n`);
  if (options.list) print(`${list(lines)}\n`);
  await warnOfDeadLetters(options, parts);
  printLookUps(lines, options, parts);
  const requestId = randomUUID();
  const chosen = choose(lines, requestId, options, parts);
  parts.report?.({ selected: lines.map(toReported) });
  await showPlan(chosen, options, parts);
  if (options.dryRun || chosen.length === 0) return areProjectsKnown;
  if (!(await confirm(chosen.length, `Queue ${chosen.length} closes again?`, options, parts))) {
    print('Nothing was queued.');
    return false;
  }
  return (await queue(chosen, options, parts, requestId)) && areProjectsKnown;
}

/** Says what would come of each close now. */
async function showPlan(chosen: FinalLine[], { plan }: ReplayOptions, parts: ReplayParts): Promise<void> {
  if (!plan || !parts.readFacts || chosen.length === 0) return;
  const facts = await parts.readFacts(Math.min(...chosen.map(({ loggedAt }) => loggedAt)));
  const predictions = chosen.map(({ outcome, project, id, loggedAt }) =>
    predict({ outcome, project, conversation: id, endedAt: loggedAt }, facts),
  );
  parts.print(`What would come of them now:\n${planText(predictions)}`);
  parts.report?.({
    plan: chosen.map(({ project, id, outcome }, index) => ({
      project,
      conversation: id,
      outcome,
      predicted: predictions[index],
    })),
  });
}

function toReported({
  loggedAt,
  outcome,
  reason,
  project,
  connection,
  ticket,
  conversation,
  line,
}: FinalLine) {
  const at = new Date(loggedAt).toISOString();
  return { at, outcome, reason, requestId: line.request_id, project, connection, ticket, conversation };
}

/** Prints how many closes can be queued. @returns their lines */
function choose(
  lines: FinalLine[],
  requestId: string,
  { lateLookUp, dryRun }: ReplayOptions,
  { print, now }: ReplayParts,
): FinalLine[] {
  const wanted = lines.filter(({ note }) => !note || lateLookUp);
  const chosen = wanted.filter((line) => toCloseRequest(line, requestId, now()));
  if (chosen.length < wanted.length) {
    print(
      `${wanted.length - chosen.length} of them cannot be queued again: the worker could not read their message.`,
    );
  }
  print(`${count(chosen.length, 'close')} of these ${dryRun ? 'would be' : 'to be'} queued again.`);
  return chosen;
}

function printOvertaken(overtaken: FinalLine[], print: (text: string) => void): void {
  if (overtaken.length === 0) return;
  const counts = new Map<string, number>();
  for (const { outcome } of overtaken) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const outcomes = [...counts].map(([outcome, number]) => `${number} ${outcome}`).join(', ');
  print(`${count(overtaken.length, 'conversation')} left out, with another outcome since: ${outcomes}.`);
}

/** A replay does not touch the dead letter of the same close: it stays in its queue, and its alarm stays on. */
async function warnOfDeadLetters({ outcomes }: ReplayOptions, parts: ReplayParts): Promise<void> {
  const depth = await depthOf(parts.sqs, parts.deadLetterQueueUrl);
  const number = (depth?.waiting ?? 0) + (depth?.held ?? 0);
  if (number === 0) return;
  const leaving = outcomes.filter((outcome) => !WITHOUT_DEAD_LETTER.includes(outcome));
  const dead = leaving.join(' or ');
  parts.print(
    `The dead-letter queue has about ${count(number, 'message')}. A replay leaves them there and may queue the same close twice: for messages in that queue, use npx --no chat-closer redrive.${dead && ` Closes that end as ${dead} are in it, unless somebody has deleted them.`}`,
  );
}

async function readLines(options: ReplayOptions, parts: ReplayParts): Promise<NewestLines> {
  const { logs, logGroupName, progress, signal } = parts;
  const found = createNewestLines(options);
  let read = 0;
  // Also the lines after the span: a chat that was closed there is left out.
  const startTime = options.span.from;
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

function printLookUps(lines: FinalLine[], { lateLookUp }: ReplayOptions, { print, now }: ReplayParts): void {
  const lookUps = lines.filter(({ note }) => note);
  if (lookUps.length === 0) return;
  const oldest = ageOf(now() - Math.min(...lookUps.map(({ loggedAt }) => loggedAt)));
  print(lookUpsText(lookUps.length, oldest, lateLookUp));
}

async function queue(
  lines: FinalLine[],
  { rate }: ReplayOptions,
  parts: ReplayParts,
  requestId: string,
): Promise<boolean> {
  const { sqs, closeQueueUrl, logGroupName, print, progress, now, signal } = parts;
  const pace = createPace(rate, parts);
  let queued = 0;
  let tried = 0;
  const from = now();
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
    print(`Queued ${queued} of ${lines.length}, all with the request id ${requestId}.`);
    if (tried > queued) print(`${tried - queued} were not confirmed. They may have been queued anyway.`);
    if (tried < lines.length) print(`Stopped: ${lines.length - tried} were not tried.`);
    if (queued < lines.length) print('Run it again for the others: closing a chat twice is harmless.');
    if (queued > 0) print(`To watch their outcomes: ${tailCommand(logGroupName, `"${requestId}"`)}`);
    parts.report?.({ requestId, queued });
  }
  if (queued > 0 && !signal.aborted) await showOutcomes(lines, from, parts);
  return queued === lines.length;
}

async function showOutcomes(lines: FinalLine[], from: number, parts: ReplayParts): Promise<void> {
  const ids = lines.flatMap(({ id }) => id || []);
  const outcomes = await parts.followOutcomes?.(ids, from);
  if (!outcomes) return;
  parts.report?.({ outcomes });
  parts.print(`What came of them: ${outcomesText(outcomes)}.`);
}
