import type { Message } from '@aws-sdk/client-sqs';
import { parseCloseRequest, UnknownVersion } from '../functions/close-request.ts';
import type { Options } from '../scripts/command/options.ts';
import type { Row } from './table.ts';

/** The outcome of what SQS moved there by itself, which has no attributes. */
export const NO_OUTCOME = 'none';

/** What SQS moves has no reason: the worker never settled it. The worker itself dead-letters what is no close request. */
const MOVED_BY_SQS =
  'SQS moved it: the worker crashed on it or never settled it, see docs/operations.md#faults';
const PUT_BY_SOMEBODY = 'it has no outcome: it is neither the worker’s nor moved by SQS from the close queue';

/** A message of the dead-letter queue while it is held. */
export type DeadLetter = {
  messageId: string;
  receiptHandle: string;
  body: string;
  group?: string;
  /** Unix milliseconds: when it was dead-lettered; of what SQS moved, when it was queued. */
  sentAt: number;
  outcome: string;
  reason: string;
  project?: string;
  connection?: string;
  /** The CRM's ticket or case. */
  ticket?: string;
  /** The conversation's id, or the shared id of a look-up. */
  conversation?: string;
  /** `look_up`: of a shared id that was never resolved. `foreign`: no close request. */
  kind: 'close' | 'look_up' | 'foreign';
};

export function readDeadLetter(message: Message): DeadLetter {
  const { MessageId = '', ReceiptHandle = '', Body = '', Attributes, MessageAttributes } = message;
  const group = Attributes?.MessageGroupId;
  const content = readBody(Body);
  const withoutReason = content.kind === 'foreign' ? PUT_BY_SOMEBODY : MOVED_BY_SQS;
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    ...(group && { group }),
    sentAt: Number(Attributes?.SentTimestamp ?? 0),
    outcome: MessageAttributes?.outcome?.StringValue ?? NO_OUTCOME,
    reason: MessageAttributes?.reason?.StringValue ?? withoutReason,
    ...content,
  };
}

type Content = Pick<DeadLetter, 'kind' | 'project' | 'connection' | 'ticket' | 'conversation'>;

function readBody(body: string): Content {
  try {
    return about(parseCloseRequest(body));
  } catch (error) {
    // The worker may know by now what this checkout does not.
    return error instanceof UnknownVersion ? about(JSON.parse(body)) : { kind: 'foreign' };
  }
}

type Fields = Partial<Record<'project' | 'connection' | 'crmRef' | 'conversationId' | 'sharedId', unknown>>;

function about({ project, connection, crmRef, conversationId, sharedId }: Fields): Content {
  const texts = { project, connection, ticket: crmRef, conversation: conversationId ?? sharedId };
  const present = Object.entries(texts).filter(([, value]) => typeof value === 'string');
  return { kind: sharedId === undefined ? 'close' : 'look_up', ...Object.fromEntries(present) };
}

type Filter = Pick<Options, 'outcomes' | 'projects' | 'sinceMs'>;

/** Whether it is one that was asked for. What is no close request is nobody's to move. */
export function isAskedFor(
  letter: DeadLetter,
  { outcomes, projects, sinceMs }: Filter,
  now: number,
): boolean {
  return (
    letter.kind !== 'foreign' &&
    (outcomes.length === 0 || outcomes.includes(letter.outcome)) &&
    (projects.length === 0 || (letter.project !== undefined && projects.includes(letter.project))) &&
    (sinceMs === undefined || letter.sentAt >= now - sinceMs)
  );
}

/**
 * What goes back onto the close queue: the message as it was. Only a look-up is told from when on it may be
 * made, because the worker refuses one that is older than 15 minutes.
 */
export function bodyToSend({ kind, body }: DeadLetter, now: number): string {
  return kind === 'look_up'
    ? JSON.stringify({ ...JSON.parse(body), lookUpFrom: new Date(now).toISOString() })
    : body;
}

const NOTES = { close: '', look_up: 'look-up of a shared id', foreign: 'no close request: stays' };

export function toRow(letter: DeadLetter): Row {
  const { outcome, reason, sentAt, kind } = letter;
  const { project = '-', connection = '-', ticket = '-', conversation = '-' } = letter;
  return { outcome, reason, project, at: sentAt, connection, ticket, conversation, note: NOTES[kind] };
}
