import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { BATCH, batchesOf } from '../../functions/close-queue.ts';
import { bodyToSend, type DeadLetter, isAskedFor, toRow } from './dead-letter.ts';
import { type DeadLetterQueue, openDeadLetterQueue } from './dead-letter-queue.ts';
import type { Options } from './options.ts';
import { createPace } from './pace.ts';
import type { Surroundings } from './run.ts';
import { ageOf, tabulate } from './table.ts';

/** More than these are moved only after a question. */
export const UNASKED = 100;

export type RedriveParts = Surroundings & {
  sqs: Pick<SQSClient, 'send'>;
  deadLetterQueueUrl: string;
  closeQueueUrl: string;
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
  const all = await queue.receiveAll();
  if (signal.aborted) return false;
  if (all.length === 0) {
    say('There are no dead letters. (Those that another command holds come back within ten minutes.)');
    return true;
  }
  say(`${count(all.length, 'dead letter')}:\n\n${tabulate(all.map(toRow), now())}\n`);
  const askedFor = all.filter((letter) => isAskedFor(letter, options, now()));
  const chosen = askedFor.filter(({ kind }) => kind === 'close' || options.lateLookUp);
  const others = new Set(chosen);
  await queue.release(all.filter((letter) => !others.has(letter)));
  tellOfLookUps(askedFor, options, parts);
  say(`${count(chosen.length, 'close')} of these ${options.dryRun ? 'would be' : 'to be'} moved.`);
  if (options.dryRun || chosen.length === 0) return true;
  if (chosen.length > UNASKED && !options.yes) {
    if (!(await parts.ask(`Move ${chosen.length} dead letters back onto the close queue?`))) {
      say('Nothing was moved.');
      return false;
    }
  }
  return move(chosen, options, parts, queue);
}

function tellOfLookUps(askedFor: DeadLetter[], { lateLookUp }: Options, { say, now }: RedriveParts): void {
  const lookUps = askedFor.filter(({ kind }) => kind === 'look_up');
  if (lookUps.length === 0) return;
  const oldest = ageOf(now() - Math.min(...lookUps.map(({ sentAt }) => sentAt)));
  say(lookUpsText(lookUps.length, oldest, lateLookUp));
}

/** Says what may happen, or what was left out because of it. */
export function lookUpsText(number: number, oldest: string, lateLookUp: boolean): string {
  const risk =
    'A shared id is a ticket’s: looked up now, it gives the conversation that the ticket has now. If the ticket was reopened meanwhile and has a newer chat, that one is closed, with its customer in it.';
  return lateLookUp
    ? `${count(number, 'look-up')} of shared ids among them, the oldest ${oldest} old. ${risk}`
    : `${count(number, 'look-up')} of shared ids left out. ${risk} To do it all the same: --late-look-up.`;
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

type Tally = { moved: number; notSent: number; notRemoved: number; lapsed: number };

async function move(
  chosen: DeadLetter[],
  { rate }: Options,
  parts: RedriveParts,
  queue: DeadLetterQueue,
): Promise<boolean> {
  const { say, progress, signal } = parts;
  const tally: Tally = { moved: 0, notSent: 0, notRemoved: 0, lapsed: 0 };
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
  }
  return tally.moved === chosen.length && tally.notRemoved === 0;
}

async function moveBatch(
  batch: DeadLetter[],
  tally: Tally,
  parts: RedriveParts,
  queue: DeadLetterQueue,
): Promise<void> {
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

function summary({ moved, notSent, notRemoved, lapsed }: Tally, all: number): string {
  const left = all - moved - notSent - lapsed;
  return [
    `Moved ${moved} of ${all}. Their back-off begins afresh; the log tells what becomes of them.`,
    notRemoved > 0 &&
      `${notRemoved} of them may still be dead letters as well, which is harmless: a second close finds that the chat is over.`,
    notSent > 0 && `${notSent} were not taken by the close queue and are dead letters as before.`,
    lapsed > 0 && `${lapsed} could not be held and are dead letters as before: run it again.`,
    left > 0 && `${left} were not confirmed and are dead letters as before.`,
  ]
    .filter(Boolean)
    .join('\n');
}
