import type { Message } from '@aws-sdk/client-sqs';
import { parseCloseRequest, UnknownVersion } from '../functions/close-request.ts';
import { isWithin } from './lines.ts';
import type { Selection } from './options.ts';
import type { Row } from './table.ts';

/** The outcome of a message that SQS moved, which has no attributes. */
export const NO_OUTCOME = 'none';

/** SQS gives no reason: the worker never settled the message. The worker dead-letters what it cannot read. */
const MOVED_BY_SQS =
  'SQS moved it: the worker crashed on it or never settled it, see docs/operations.md#faults';
const NOT_FROM_THE_WORKER =
  'it has no outcome: neither the worker nor SQS’s redrive from the close queue put it here';

/** A message of the dead-letter queue while it is held. */
export type DeadLetter = {
  messageId: string;
  receiptHandle: string;
  body: string;
  group?: string;
  /** Unix milliseconds: when it was dead-lettered, or when it was queued if SQS moved it. */
  sentAt: number;
  outcome: string;
  reason: string;
  requestId?: string;
  project?: string;
  connection?: string;
  /** The CRM's ticket or case. */
  ticket?: string;
  /** The conversation's id, or the shared id of a look-up. */
  conversation?: string;
  /** `look_up`: a shared id that was never resolved. `foreign`: not a close request. */
  kind: 'close' | 'look_up' | 'foreign';
};

/** Reads a message of SQS. A body that is not a close request gives the kind `foreign`; nothing is thrown. */
export function readDeadLetter(message: Message): DeadLetter {
  const { MessageId = '', ReceiptHandle = '', Body = '', Attributes, MessageAttributes } = message;
  const group = Attributes?.MessageGroupId;
  const content = readBody(Body);
  const withoutReason = content.kind === 'foreign' ? NOT_FROM_THE_WORKER : MOVED_BY_SQS;
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

type Content = Pick<DeadLetter, 'kind' | 'requestId' | 'project' | 'connection' | 'ticket' | 'conversation'>;

function readBody(body: string): Content {
  try {
    return contentOf(parseCloseRequest(body));
  } catch (error) {
    // The deployed worker may be newer than this checkout and know the version.
    return error instanceof UnknownVersion ? contentOf(JSON.parse(body)) : { kind: 'foreign' };
  }
}

type Fields = Partial<
  Record<'requestId' | 'project' | 'connection' | 'crmRef' | 'conversationId' | 'sharedId', unknown>
>;

function contentOf({ requestId, project, connection, crmRef, conversationId, sharedId }: Fields): Content {
  const texts = { requestId, project, connection, ticket: crmRef, conversation: conversationId ?? sharedId };
  const present = Object.entries(texts).filter(([, value]) => typeof value === 'string');
  return { kind: sharedId === undefined ? 'close' : 'look_up', ...Object.fromEntries(present) };
}

/** Whether a dead letter is selected. A message that is not a close request never is. */
export function isSelected(letter: DeadLetter, selection: Matched): boolean {
  const { outcomes, projects, connections, conversations, requestIds, span } = selection;
  return (
    letter.kind !== 'foreign' &&
    matches(outcomes, letter.outcome) &&
    matches(projects, letter.project) &&
    matches(connections, letter.connection) &&
    matches(conversations, letter.conversation) &&
    matches(requestIds, letter.requestId) &&
    (span === undefined || isWithin(span, letter.sentAt))
  );
}

type Matched = Omit<Selection, 'lateLookUp'>;

/** Whether a value is one of those that were asked for. An empty list asks for all. */
export function matches(wanted: readonly string[], value: string | undefined): boolean {
  return wanted.length === 0 || (value !== undefined && wanted.includes(value));
}

/**
 * The body that goes back onto the close queue: the message without the clock of its earlier attempts, so that it is
 * tried again for as long as a new one. A look-up gets the time from which it counts, because the worker refuses one
 * that is older than 15 minutes.
 *
 * @param now Unix milliseconds
 */
export function bodyToSend({ kind, body }: DeadLetter, now: number): string {
  const { triedSince: _since, notBefore: _due, ...message } = JSON.parse(body);
  const lookUpFrom = new Date(now).toISOString();
  return JSON.stringify(kind === 'look_up' ? { ...message, lookUpFrom } : message);
}

const NOTES = { close: '', look_up: 'look-up of a shared id', foreign: 'not a close request: stays' };

/** The dead letter as a row of a table. */
export function toRow(letter: DeadLetter): Row {
  const { outcome, reason, sentAt, kind } = letter;
  const { project = '-', connection = '-', ticket = '-', conversation = '-' } = letter;
  return { outcome, reason, project, loggedAt: sentAt, connection, ticket, conversation, note: NOTES[kind] };
}
