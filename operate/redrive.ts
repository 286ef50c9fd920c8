import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { BATCH, batchesOf } from '../functions/close-queue.ts';
import type { Options } from '../scripts/command/options.ts';
import type { Surroundings } from '../scripts/command/run.ts';
import { bodyToSend, type DeadLetter, isAskedFor, toRow } from './dead-letter.ts';
import { type DeadLetterQueue, openDeadLetterQueue } from './dead-letter-queue.ts';
import { FINAL_LINES } from './final-line.ts';
import { createPace } from './pace.ts';
import { depthOf } from './queue-depth.ts';
import {
  count,
  heldText,
  lookUpsText,
  NONE,
  sayUnknownProjects,
  summary,
  type Tally,
  tailCommand,
} from './sentences.ts';
import { ageOf, list, tabulate } from './table.ts';

/** More than these are moved only after a question. */
export const UNASKED = 100;

export type RedriveParts = Surroundings & {
  sqs: Pick<SQSClient, 'send'>;
  deadLetterQueueUrl: string;
  closeQueueUrl: string;
  /** Where the outcomes of what is moved are logged. */
  logGroupName: string;
};

/**
 * Shows the dead letters and moves those that were asked for back onto the close queue. A message is deleted
 * only after SQS has confirmed that it is on the other queue, so that a crash can only double it, which is
 * harmless: the second close finds that the chat is over.
 *
 * @returns whether all were moved that were to be
 */
export async function redrive(options: Options, parts: RedriveParts): Promise<boolean> {
  const queue = openDeadLetterQueue(parts.sqs, parts.deadLetterQueueUrl, parts);
  try {
    return await showAndMove(options, parts, queue);
  } finally {
    await queue.close();
  }
}

async function showAndMove(options: Options, parts: RedriveParts, queue: DeadLetterQueue): Promise<boolean> {
  const { say, now, signal } = parts;
  // Asked before anything is held here, which counts as held too.
  const held = (await depthOf(parts.sqs, parts.deadLetterQueueUrl))?.held ?? 0;
  const all = await queue.receiveAll();
  if (signal.aborted) {
    say('Stopped while the dead letters were read. Nothing was moved.');
    return false;
  }
  say(all.length > 0 ? `${count(all.length, 'dead letter')}:\n\n${tabulate(all.map(toRow), now())}\n` : NONE);
  if (held > 0) say(heldText(held, all.length > 0));
  if (all.length === 0) return true;
  const isKnown = tellOfProjects(options.projects, all, say);
  const askedFor = all.filter((letter) => isAskedFor(letter, options, now()));
  const chosen = askedFor.filter(({ kind }) => kind === 'close' || options.lateLookUp);
  const others = new Set(chosen);
  await queue.release(all.filter((letter) => !others.has(letter)));
  if (options.list) say(`${list(askedFor.map(toRow))}\n`);
  tellOfLookUps(askedFor, options, parts);
  say(`${count(chosen.length, 'close')} of these ${options.dryRun ? 'would be' : 'to be'} moved.`);
  if (options.dryRun || chosen.length === 0) return isKnown;
  if (chosen.length > UNASKED && !options.yes) {
    if (!(await parts.ask(`Move ${chosen.length} dead letters back onto the close queue?`))) {
      say('Nothing was moved.');
      return false;
    }
  }
  return (await move(chosen, options, parts, queue)) && isKnown;
}

/** @returns whether there is something of every project that was named */
function tellOfProjects(named: string[], all: DeadLetter[], say: (text: string) => void): boolean {
  const known = new Set(all.flatMap(({ project }) => project ?? []));
  return sayUnknownProjects('dead letter', named, [...known].sort(), say);
}

function tellOfLookUps(askedFor: DeadLetter[], { lateLookUp }: Options, { say, now }: RedriveParts): void {
  const lookUps = askedFor.filter(({ kind }) => kind === 'look_up');
  if (lookUps.length === 0) return;
  const oldest = ageOf(now() - Math.min(...lookUps.map(({ sentAt }) => sentAt)));
  say(lookUpsText(lookUps.length, oldest, lateLookUp));
}

async function move(
  chosen: DeadLetter[],
  { rate }: Options,
  parts: RedriveParts,
  queue: DeadLetterQueue,
): Promise<boolean> {
  const { say, progress, signal } = parts;
  const tally: Tally = { tried: 0, moved: 0, notSent: 0, notRemoved: 0, lapsed: 0 };
  const pace = createPace(rate, parts);
  try {
    for (const batch of batchesOf(chosen, Math.min(BATCH, rate))) {
      await pace(batch.length);
      if (signal.aborted) break;
      await moveBatch(batch, tally, parts, queue);
      progress(`Moved ${tally.moved} of ${chosen.length}`);
    }
  } finally {
    say(summary(tally, chosen.length));
    if (tally.moved > 0) say(`See what becomes of them: ${tailCommand(parts.logGroupName, FINAL_LINES)}`);
  }
  return tally.moved === chosen.length && tally.notRemoved === 0;
}

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
  tally.notRemoved -= sent.length - (await queue.remove(sent)).length;
}

/** @returns those that SQS has confirmed */
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
