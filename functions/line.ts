import { FAULT_PLACES } from './fault-places.ts';
import type { RefusalCode } from './refusal.ts';

// The schema of the log lines. Types, the tables in docs/operations.md, metrics, queries and the dashboard follow
// from it. The functions import only its types, so the texts are in no bundle.

/** A field of a line. */
export type Field = {
  /**
   * What its JSON value is. `ids` is an array of strings, `counts` an object from names to numbers, `parts` the parts
   * of a delivery that ask for no close, `error` an error's name and message.
   */
  type: 'string' | 'number' | 'boolean' | 'ids' | 'counts' | 'parts' | 'error';
  /** The only values that it can have. Absent: any. */
  values?: readonly string[];
  /** What it means, for docs/operations.md. */
  meaning: string;
  /** When a line does not have it; `never` for a field that every line of the type has. */
  absent: string;
};

const SERVICE = {
  type: 'string',
  meaning: "the stack's name: the first dimension of every metric",
  absent: 'never',
} as const satisfies Field;

const CANARY = {
  type: 'boolean',
  meaning: "`true`: the line belongs to the stack's own canary and counts only in its metrics",
  absent: 'it is not the canary',
} as const satisfies Field;

/** What became of a delivery, in one word. */
export const DELIVERY_RESULTS = ['accepted', 'ignored', 'refused'] as const;
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];

/** What an attempt did to its close, in one word. */
export const CLOSE_RESULTS = ['closed', 'over', 'waiting', 'given_up'] as const;
export type CloseResult = (typeof CLOSE_RESULTS)[number];

/** The codes of a proof that is complete but wrong. A stranger who knows no more than the address can cause them. */
export const WRONG_PROOFS = [
  'signature_mismatch',
  'credential_mismatch',
  'token_invalid',
  'sender_mismatch',
  'timestamp_stale',
] as const satisfies readonly RefusalCode[];

const DELIVERY = {
  service: SERVICE,
  request_id: {
    type: 'string',
    meaning: "API Gateway's id of the request; for an event, the event's id or its message's id",
    absent: 'never',
  },
  connection: {
    type: 'string',
    meaning: "the connection's name in `connections.json`",
    absent: 'the address names no connection',
  },
  crm: { type: 'string', meaning: 'its preset', absent: 'the same' },
  delivery_id: {
    type: 'string',
    meaning: "the CRM's id of the delivery or event",
    absent: 'the delivery was refused before it was read, or has no id',
  },
  result: {
    type: 'string',
    values: DELIVERY_RESULTS,
    meaning:
      '`accepted`: it asks for a close. A repeat and a rehearsal count too. `ignored`: it is valid and asks for none. `refused`: nothing was queued, and the answer is an error',
    absent: "it is a CRM's handshake",
  },
  answer: {
    type: 'number',
    meaning: 'the HTTP status sent to the CRM',
    absent: 'it is an event: a bus gets no answer',
  },
  answer_ms: {
    type: 'number',
    meaning:
      "time from the request's arrival at API Gateway to the answer, so that a cold start counts: what the CRM waits for",
    absent: 'it is an event',
  },
  accepted: {
    type: 'number',
    meaning: 'how many closes were queued',
    absent: 'the delivery was refused',
  },
  would_close: {
    type: 'number',
    meaning: 'how many closes would have been queued. `accepted` is then 0',
    absent: 'the connection is not in [rehearsal](#rehearsal), or the delivery was refused',
  },
  repeated: {
    type: 'boolean',
    meaning:
      "`true`: the same delivery was queued in the last ten minutes, [so it was not queued again](security.md#what-proves-what). `accepted` is 0, and the answer has the first delivery's `requestId`",
    absent: 'it is not a repeat',
  },
  ignored: {
    type: 'parts',
    meaning:
      'each part that asks for no close: its `reason` (see below) and, where they can be read, its `conversation_id`, `shared_id` and `crm_ref`. The CRM gets the reasons only',
    absent: 'the delivery was refused before it was read',
  },
  refused: {
    type: 'string',
    meaning:
      'the code in the answer: see below. For an event only `queue_unavailable`; the event is tried again',
    absent: 'the delivery was not refused',
  },
  conversation_ids: {
    type: 'ids',
    meaning: 'the conversations to close',
    absent: 'the delivery was refused before it was read',
  },
  shared_ids: {
    type: 'ids',
    meaning: 'the shared ids to look up and close',
    absent: 'the connection has no `lookUp`, or as above',
  },
  crm_ref: {
    type: 'string',
    meaning: "the CRM's ticket or case",
    absent: 'the delivery names none, or was refused before it was read',
  },
  took_ms: {
    type: 'number',
    meaning: "time from the request's arrival in the function to the answer",
    absent: 'never',
  },
  canary: CANARY,
} as const satisfies Record<string, Field>;

const CLOSE = {
  service: SERVICE,
  request_id: {
    type: 'string',
    meaning: 'the request id of the delivery that asked for the close',
    absent: 'the message cannot be read',
  },
  outcome: { type: 'string', meaning: 'see [Outcomes](#outcomes)', absent: 'never' },
  result: {
    type: 'string',
    values: CLOSE_RESULTS,
    meaning:
      '`closed`: by this attempt. `over`: there is nothing to close, or a look-up found its conversation. `waiting`: it is tried again. `given_up`: it is a dead letter, or the next cleanup or canary decides again',
    absent: 'never',
  },
  final: {
    type: 'boolean',
    meaning: 'whether this was the last attempt: done, or in the dead-letter queue',
    absent: 'never',
  },
  late: {
    type: 'number',
    meaning: '1 if the close is not finished 15 minutes or more after its first attempt, else 0',
    absent: 'never',
  },
  reason: {
    type: 'string',
    meaning: 'why, in words. Begins with `given up after` if the time for retries ran out',
    absent: 'the outcome is `closed` or `resolved`',
  },
  connection: {
    type: 'string',
    meaning: 'its name in `connections.json`',
    absent: 'a cleanup asked, or the message cannot be read',
  },
  crm: { type: 'string', meaning: "the connection's preset", absent: 'the same' },
  project: {
    type: 'string',
    meaning: 'its name in `connections.json`',
    absent: 'the message cannot be read',
  },
  region: { type: 'string', meaning: "PolyAI's region", absent: 'the project is not in this deployment' },
  conversation_id: {
    type: 'string',
    meaning: "PolyAI's conversation",
    absent: 'the message cannot be read, or a shared id has not been resolved',
  },
  shared_id: {
    type: 'string',
    meaning: 'the id to look up',
    absent: 'it is not a look-up; also absent from the close that follows one',
  },
  crm_ref: { type: 'string', meaning: 'as in `delivery`', absent: 'the CRM sent none' },
  delivery_id: { type: 'string', meaning: 'as in `delivery`', absent: 'the CRM sent none' },
  source: {
    type: 'string',
    values: ['webhook', 'event', 'cleanup', 'operator'],
    meaning: 'who asked: `webhook`, `event`, `cleanup`, or `operator` for a [replay](#replay)',
    absent: 'the message cannot be read',
  },
  receives: {
    type: 'number',
    meaning: 'how often SQS has delivered the message; not the number of attempts',
    absent: 'never',
  },
  age_ms: {
    type: 'number',
    meaning:
      'time from `received_at` to the end of this attempt, waits, look-ups and redrives included; from when the message was queued, if it cannot be read',
    absent: 'never',
  },
  polyai_status: { type: 'number', meaning: "PolyAI's HTTP status", absent: 'there was no answer' },
  polyai_error_code: { type: 'string', meaning: "PolyAI's `error_code`", absent: 'there was none' },
  polyai_correlation_id: { type: 'string', meaning: "PolyAI's id of the call", absent: 'there was none' },
  received_at: {
    type: 'string',
    meaning:
      "when the webhook arrived; for a bus and for look-ups, the event's own time if it has one; ISO 8601 in UTC",
    absent: 'the message cannot be read',
  },
  took_ms: { type: 'number', meaning: 'duration of this attempt', absent: 'never' },
  next_try_in_s: {
    type: 'number',
    meaning:
      'seconds until the next attempt; 0 if it follows immediately, because the secret changed or the last answer was unclear',
    absent: 'there is no next attempt',
  },
  canary: CANARY,
  healthy: {
    type: 'number',
    meaning: '1 if the whole chain works, as far as [PolyAI’s answer](#canary) shows; else 0',
    absent: 'it is not the canary, or the call is repeated immediately',
  },
  queued_ms: {
    type: 'number',
    meaning: 'time that the message waited in the queue',
    absent: 'it is not the canary',
  },
} as const satisfies Record<string, Field>;

const CLEANUP = {
  service: SERVICE,
  request_id: {
    type: 'string',
    meaning: "Lambda's id of the run; the closes that the run queues have the same id",
    absent: 'never',
  },
  project: { type: 'string', meaning: 'its name in `connections.json`', absent: 'never' },
  dry_run: {
    type: 'boolean',
    meaning: 'whether the run only reports what it would do',
    absent: 'never',
  },
  complete: {
    type: 'boolean',
    meaning: 'whether the run has read the whole list and queued every close it should',
    absent: 'never',
  },
  reason: {
    type: 'string',
    meaning: 'why the run is not complete: [all reasons](cleanup.md#when-a-run-is-not-complete)',
    absent: 'it is complete',
  },
  open: {
    type: 'number',
    meaning: 'chats in progress on all channels that began before `idleFor` and within `lookback`',
    absent: 'never',
  },
  stale: { type: 'number', meaning: 'how many of these may be closed', absent: 'never' },
  queued: {
    type: 'number',
    meaning: 'closes that SQS confirmed; fewer than `stale` if `maxCloses` is lower',
    absent: 'never',
  },
  would_queue: {
    type: 'number',
    meaning: 'closes that the run would have queued',
    absent: 'it is not a dry run',
  },
  skipped: {
    type: 'counts',
    meaning: 'how many were skipped, by [reason](cleanup.md#what-it-never-closes)',
    absent: 'never',
  },
  oldest_open_at: {
    type: 'string',
    meaning: 'start of the oldest open chat that the cleanup may close one day; ISO 8601 in UTC',
    absent: 'there is none',
  },
  oldest_open_s: {
    type: 'number',
    meaning: 'its age in seconds; 0 if a complete run found none',
    absent: 'the run is not complete and found none',
  },
  pages: { type: 'number', meaning: "number of pages read from PolyAI's list", absent: 'never' },
  took_ms: { type: 'number', meaning: 'duration of the run', absent: 'never' },
} as const satisfies Record<string, Field>;

/** What the canary's own function saw. Whether the chain works is in the `close` line of its conversation. */
const CANARY_RUN = {
  service: SERVICE,
  request_id: {
    type: 'string',
    meaning: "API Gateway's id of the request; Lambda's id of the run if the receiver gave no answer",
    absent: 'never',
  },
  conversation_id: {
    type: 'string',
    meaning: 'the conversation that cannot exist; each run has another one',
    absent: 'never',
  },
  answer: { type: 'number', meaning: 'the HTTP status that came back', absent: 'there was no answer' },
  accepted: {
    type: 'number',
    meaning: 'how many closes the receiver queued: 1',
    absent: 'the delivery was refused, or there was no answer of the receiver',
  },
  refused: {
    type: 'string',
    meaning: "the receiver's code, as in `delivery`",
    absent: 'the delivery was not refused',
  },
  reason: { type: 'string', meaning: 'why there was no answer', absent: 'there was one' },
  answer_ms: {
    type: 'number',
    meaning: 'time from sending to the answer, as a CRM sees it',
    absent: 'there was no answer',
  },
  took_ms: { type: 'number', meaning: 'duration of the run', absent: 'never' },
} as const satisfies Record<string, Field>;

const FAULT = {
  service: SERVICE,
  request_id: {
    type: 'string',
    meaning: "the delivery's request id",
    absent: 'the message cannot be read',
  },
  where: {
    type: 'string',
    values: Object.keys(FAULT_PLACES) as (keyof typeof FAULT_PLACES)[],
    meaning: 'what failed: see [faults](#faults)',
    absent: 'never',
  },
  error: {
    type: 'error',
    meaning: "the error's `name` and `message`, never the data that it was processing",
    absent: 'never',
  },
} as const satisfies Record<string, Field>;

/** Every type of line and its fields after `type`, in the order in which a line has them. */
export const LINES = {
  delivery: DELIVERY,
  close: CLOSE,
  cleanup: CLEANUP,
  canary: CANARY_RUN,
  fault: FAULT,
} as const;

export type LineType = keyof typeof LINES;
export type FieldOf<Type extends LineType> = keyof (typeof LINES)[Type] & string;

/** A part of a delivery that asks for no close. */
export type IgnoredPart = { reason: string; conversation_id?: string; shared_id?: string; crm_ref?: string };

type Value = {
  string: string;
  number: number;
  boolean: boolean;
  ids: string[];
  counts: Record<string, number>;
  parts: IgnoredPart[];
  error: { name: string; message: string };
};

type ValueOf<Each extends Field> = Each extends { values: readonly (infer Choice)[] }
  ? Choice
  : Value[Each['type']];

type Always<Fields> = {
  [Name in keyof Fields]: Fields[Name] extends { absent: 'never' } ? Name : never;
}[keyof Fields];

/** A line before the log adds `service`. A field that is `undefined` is left out of the text. */
type LineOf<Type extends LineType> = { type: Type } & LineFields<Omit<(typeof LINES)[Type], 'service'>>;

type LineFields<Fields> = {
  [Name in Always<Fields>]: Fields[Name] extends Field ? ValueOf<Fields[Name]> : never;
} & {
  [Name in Exclude<keyof Fields, Always<Fields>>]?: Fields[Name] extends Field
    ? ValueOf<Fields[Name]> | undefined
    : never;
};

export type DeliveryLine = LineOf<'delivery'>;
export type CloseLine = LineOf<'close'>;
export type CleanupLine = LineOf<'cleanup'>;
export type CanaryLine = LineOf<'canary'>;
export type FaultLine = LineOf<'fault'>;

/** One line of the outcome log: ids and codes only, never a body, a header or a secret. */
export type Line = DeliveryLine | CloseLine | CleanupLine | CanaryLine | FaultLine;
