import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { BATCH, batchesOf } from '../functions/close-batches.ts';
import { confirm } from './confirm.ts';
import { bodyToSend, type DeadLetter, isSelected, toRow } from './dead-letter.ts';
import { type DeadLetterQueue, openDeadLetterQueue } from './dead-letter-queue.ts';
import { FINAL_LINES } from './final-line.ts';
import type { Handling, Selection } from './options.ts';
import { outcomesText } from './outcomes-after.ts';
import { createPace } from './pace.ts';
import { type Facts, planText, predict } from './plan.ts';
import { depthOf } from './queue-depth.ts';
import {
  checkProjects,
  count,
  heldText,
  lookUpsText,
  NONE,
  summary,
  type Tally,
  tailCommand,
} from './sentences.ts';
import type { Surroundings } from './surroundings.ts';
import { ageOf, list, tabulate } from './table.ts';

export type RedriveOptions = Selection & Handling;

export type RedriveParts = Surroundings & {
  sqs: Pick<SQSClient, 'send'>;
  deadLetterQueueUrl: string;
  closeQueueUrl: string;
  /** Where the worker logs the outcomes of the moved closes. */
  logGroupName: string;
  /** Reads what predictions need; with `plan`. @param from the oldest selected dead letter, in Unix milliseconds */
  readFacts?: (from: number) => Promise<Facts>;
  /** Waits for the outcomes of the moved closes. @returns `undefined` if there are too many */
  followOutcomes?: (ids: readonly string[], from: number) => Promise<Record<string, number> | undefined>;
  /** Takes what a machine wants to know. */
  report?: (facts: Record<string, unknown>) => void;
};

/**
 * Shows the dead letters and moves the selected ones back onto the close queue. A message is deleted only after
 * SQS has confirmed it on the other queue, so a crash can only duplicate it. That is harmless: the second close
 * finds that the chat is over.
 *
 * @returns whether every selected message was moved
 */
export async function redrive(options: RedriveOptions, parts: RedriveParts): Promise<boolean> {
  const queue = openDeadLetterQueue(parts.sqs, parts.deadLetterQueueUrl, parts);
  try {
    return await showAndMove(options, parts, queue);
  } finally {
    await queue.close();
  }
}

async function showAndMove(
  options: RedriveOptions,
  parts: RedriveParts,
  queue: DeadLetterQueue,
): Promise<boolean> {
  const { print, now, signal } = parts;
  // This is read before we hold anything, because our own messages would count as held too.
  const held = (await depthOf(parts.sqs, parts.deadLetterQueueUrl))?.held ?? 0;
  const all = await queue.receiveAll();
  if (signal.aborted) {
    print('Stopped while reading the dead letters. Nothing was moved.');
    return false;
  }
  print(
    all.length > 0 ? `${count(all.length, 'dead letter')}:\n\n${tabulate(all.map(toRow), now())}\n` : NONE,
  );
  if (held > 0) print(heldText(held, all.length > 0));
  if (all.length === 0) return true;
  const areProjectsKnown = checkProjects('dead letter', options.projects, projectsOf(all), print);
  const chosen = await choose(all, options, parts, queue);
  await showPlan(chosen, options, parts);
  if (options.dryRun || chosen.length === 0) return areProjectsKnown;
  const question = `Move ${chosen.length} dead letters back onto the close queue?`;
  if (!(await confirm(chosen.length, question, options, parts))) {
    print('Nothing was moved.');
    return false;
  }
  return (await move(chosen, options, parts, queue)) && areProjectsKnown;
}

/** Says what would come of each close now. */
async function showPlan(chosen: DeadLetter[], { plan }: RedriveOptions, parts: RedriveParts): Promise<void> {
  if (!plan || !parts.readFacts || chosen.length === 0) return;
  const facts = await parts.readFacts(Math.min(...chosen.map(({ sentAt }) => sentAt)));
  const predictions = chosen.map((letter) => predict({ ...letter, endedAt: letter.sentAt }, facts));
  parts.print(`What would come of them now:\n${planText(predictions)}`);
  parts.report?.({
    plan: chosen.map(({ project, conversation, outcome }, index) => ({
      project,
      conversation,
      outcome,
      predicted: predictions[index],
    })),
  });
}

function projectsOf(letters: DeadLetter[]): string[] {
  return [...new Set(letters.flatMap(({ project }) => project ?? []))].sort();
}

/** Shows the selected messages, and releases all others. @returns those to move */
async function choose(
  all: DeadLetter[],
  options: RedriveOptions,
  parts: RedriveParts,
  queue: DeadLetterQueue,
): Promise<DeadLetter[]> {
  const { print } = parts;
  const selected = all.filter((letter) => isSelected(letter, options));
  const chosen = selected.filter(({ kind }) => kind === 'close' || options.lateLookUp);
  const toMove = new Set(chosen);
  await queue.release(all.filter((letter) => !toMove.has(letter)));
  if (options.list) print(`${list(selected.map(toRow))}\n`);
  parts.report?.({ deadLetters: all.length, selected: selected.map(toReported) });
  printLookUps(selected, options, parts);
  print(`${count(chosen.length, 'close')} of these ${options.dryRun ? 'would be' : 'to be'} moved.`);
  return chosen;
}

function printLookUps(
  selected: DeadLetter[],
  { lateLookUp }: RedriveOptions,
  { print, now }: RedriveParts,
): void {
  const lookUps = selected.filter(({ kind }) => kind === 'look_up');
  if (lookUps.length === 0) return;
  const oldest = ageOf(now() - Math.min(...lookUps.map(({ sentAt }) => sentAt)));
  print(lookUpsText(lookUps.length, oldest, lateLookUp));
}

function toReported(letter: DeadLetter) {
  const { outcome, reason, sentAt, requestId, project, connection, ticket, conversation, kind } = letter;
  const at = new Date(sentAt).toISOString();
  return { at, outcome, reason, requestId, project, connection, ticket, conversation, kind };
}

async function move(
  chosen: DeadLetter[],
  { rate }: RedriveOptions,
  parts: RedriveParts,
  queue: DeadLetterQueue,
): Promise<boolean> {
  const { print, progress, signal } = parts;
  const tally: Tally = { tried: 0, moved: 0, notSent: 0, notRemoved: 0, lapsed: 0 };
  const pace = createPace(rate, parts);
  const from = parts.now();
  try {
    for (const batch of batchesOf(chosen, Math.min(BATCH, rate))) {
      await pace(batch.length);
      if (signal.aborted) break;
      await moveBatch(batch, tally, parts, queue);
      progress(`Moved ${tally.moved} of ${chosen.length}`);
    }
  } finally {
    print(summary(tally, chosen.length));
    parts.report?.({ moved: tally.moved });
    if (tally.moved > 0) print(`To watch their outcomes: ${tailCommand(parts.logGroupName, FINAL_LINES)}`);
  }
  if (tally.moved > 0 && !signal.aborted) await showOutcomes(chosen, from, parts);
  return tally.moved === chosen.length && tally.notRemoved === 0;
}

async function showOutcomes(chosen: DeadLetter[], from: number, parts: RedriveParts): Promise<void> {
  const ids = chosen.flatMap(({ conversation }) => conversation ?? []);
  const outcomes = await parts.followOutcomes?.(ids, from);
  if (!outcomes) return;
  parts.report?.({ outcomes });
  parts.print(`What came of them: ${outcomesText(outcomes)}.`);
}

/** Counts before each call, so that the tally is right when the call throws. */
async function moveBatch(
  batch: DeadLetter[],
  tally: Tally,
  parts: RedriveParts,
  queue: DeadLetterQueue,
): Promise<void> {
  tally.tried += batch.length;
  const held = batch.filter(queue.isHeld);
  tally.lapsed += batch.length - held.length;
  if (held.length === 0) return;
  const sent = await send(held, parts);
  tally.moved += sent.length;
  tally.notSent += held.length - sent.length;
  if (sent.length === 0) return;
  tally.notRemoved += sent.length;
  tally.notRemoved -= (await queue.remove(sent)).length;
}

/** @returns the messages that SQS confirmed */
async function send(letters: DeadLetter[], { sqs, closeQueueUrl, now }: RedriveParts): Promise<DeadLetter[]> {
  const Entries = letters.map((letter, index) => {
    const group = letter.group ?? letter.project;
    return {
      Id: String(index),
      MessageBody: bodyToSend(letter, now()),
      ...(group && { MessageGroupId: group }),
    };
  });
  const { Successful = [] } = await sqs.send(
    new SendMessageBatchCommand({ QueueUrl: closeQueueUrl, Entries }),
  );
  return Successful.flatMap(({ Id }) => letters[Number(Id)] ?? []);
}
