import type { Message } from '@aws-sdk/client-sqs';
import { parseCloseRequest, UnknownVersion } from '../../functions/close-request.ts';
import type { Options } from './options.ts';
import type { Row } from './table.ts';

/** The outcome of what SQS moved there by itself, which has no attributes. */
export const NO_OUTCOME = 'none';

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
  /** `look_up`: of a shared id that was never resolved. `foreign`: no close request. */
  kind: 'close' | 'look_up' | 'foreign';
};

export function readDeadLetter(message: Message): DeadLetter {
  const { MessageId = '', ReceiptHandle = '', Body = '', Attributes, MessageAttributes } = message;
  const group = Attributes?.MessageGroupId;
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    ...(group && { group }),
    sentAt: Number(Attributes?.SentTimestamp ?? 0),
    outcome: MessageAttributes?.outcome?.StringValue ?? NO_OUTCOME,
    reason: MessageAttributes?.reason?.StringValue ?? 'SQS moved it: the worker crashed on it, see #faults',
    ...readBody(Body),
  };
}

function readBody(body: string): Pick<DeadLetter, 'kind' | 'project'> {
  try {
    return about(parseCloseRequest(body));
  } catch (error) {
    // The worker may know by now what this checkout does not.
    return error instanceof UnknownVersion ? about(JSON.parse(body)) : { kind: 'foreign' };
  }
}

function about({ project, sharedId }: { project?: unknown; sharedId?: unknown }) {
  const kind: DeadLetter['kind'] = sharedId === undefined ? 'close' : 'look_up';
  return { kind, ...(typeof project === 'string' && { project }) };
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

export function toRow({ outcome, reason, project = '-', sentAt, kind }: DeadLetter): Row {
  return { outcome, reason, project, at: sentAt, note: NOTES[kind] };
}
