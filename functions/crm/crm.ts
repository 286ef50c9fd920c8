import type { Connection } from '../connections.ts';
import type { Content } from '../delivery.ts';
import type { VerifySettings } from '../signature/scheme.ts';

/** Why a genuine delivery, or one event of it, asks for no close. */
export type IgnoredReason =
  | 'not_finished'
  | 'no_conversation_id'
  | 'unusable_conversation_id'
  | 'finished_not_boolean'
  | 'test_event'
  | 'message_trimmed';

/** What a preset makes of one event. The values are the CRM's own and unchecked. */
export type Reading = {
  /** Whether the conversation is over, or the reason to ignore the event. */
  finished: boolean | IgnoredReason;
  /** A string, a safe integer, an array of them, or nothing. */
  conversationId?: unknown;
  /** The CRM's ticket or case. */
  crmRef?: unknown;
  /** The CRM's own id of the delivery or event. */
  deliveryId?: unknown;
};

/** The settings of a connection that a preset may take besides `crm`, `polyai` and the secret's. */
export type Setting =
  | 'verify'
  | 'conversationId'
  | 'finishedWhen'
  | 'finishedValues'
  | 'publicUrl'
  | 'allowedSources';

/** A CRM as its vendor ships it: how its deliveries are proven, what is finished, where the id is. */
export type Crm = {
  /** Where the connection names no `verify`. Absent: the connection must. */
  verify?: VerifySettings;
  /** Whether the vendor makes the signing secret, so that the stack's waits to be filled. */
  vendorIssuesSecret: boolean;
  /** Signing secrets that are printed in the vendor's documentation: anybody can sign with them. */
  publicSecrets?: readonly string[];
  takes: readonly Setting[];
  requires: readonly Setting[];
  /** Reads a verified delivery: one reading per event in it. Never throws, whatever the body is. */
  read(content: Content, connection: Connection): Reading[];
};

/** The value at a path of own properties, or `undefined`. */
export function at(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

/** Whether a status is among those that mean finished, whatever its case. */
export function isOneOf(values: readonly string[], status: unknown): boolean {
  const text = String(
    typeof status === 'number' ? status : typeof status === 'string' ? status : '',
  ).toLowerCase();
  return text !== '' && values.some((value) => value.toLowerCase() === text);
}
