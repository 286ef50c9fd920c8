import type { Connection } from '../connections.ts';
import type { Content, Delivery, Parse } from '../delivery.ts';
import type { ChosenSettings, HmacSettings, VerifySettings } from '../schemes/scheme.ts';

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
  /** The CRM's ticket or case: also the id to look up, unless there is a `sharedId`. */
  crmRef?: unknown;
  /** The ticket or case as an agent gets it from the CRM's API, where events write it differently. */
  sharedId?: unknown;
  /** The CRM's own id of the delivery or event. */
  deliveryId?: unknown;
  /**
   * Whether the event itself proves that the state before it was not finished. A look-up needs that proof: the
   * shared id of a ticket that was finished before may name a newer chat by now.
   */
  provesChange?: boolean;
  /** When the conversation was finished. A time of the last few minutes proves the change as well. */
  finishedAt?: unknown;
  /** When the event happened, never when the ticket was made: ISO 8601 with its zone, or seconds or milliseconds since 1970. */
  happenedAt?: unknown;
  /** What the connection's selectors see as `body`, where that is one event of a batch. */
  event?: unknown;
};

/** The settings of a connection that a preset may take besides `crm`, `polyai` and the secret's. */
export type Setting =
  | 'verify'
  | 'conversationId'
  | 'finishedWhen'
  | 'finishedValues'
  | 'lookUp'
  | 'sharedId'
  | 'format'
  | 'repeatedFinish'
  | 'publicUrl'
  | 'allowedSources'
  | 'sender'
  | 'dataCentre'
  | 'audience'
  | 'jwksUrl'
  | 'bus'
  | 'source'
  | 'eventPattern';

/** What every preset takes whose deliveries come by HTTP and say by a status or type what is finished. */
export const USUAL = [
  'conversationId',
  'finishedWhen',
  'finishedValues',
  'publicUrl',
  'allowedSources',
] as const;

/** Taken where an event names a ticket or conversation of the CRM's, under which an agent may store its own. */
export const LOOK_UP = ['lookUp', 'sharedId', 'repeatedFinish'] as const;

/** A hash over the body alone, as most vendors sign; a preset says in which header and how it is written. */
export function overBody(
  settings: Pick<HmacSettings, 'header' | 'algorithm' | 'encoding'> & { prefix?: string },
): HmacSettings {
  return { scheme: 'hmac', signed: '{body}', timestampUnit: 's', toleranceSeconds: 300, ...settings };
}

/** An answer in a CRM's own form. */
export type OwnAnswer = { status: number; headers?: Record<string, string>; body?: string };

/** The settings from which a preset may derive its proof, as the configuration has them. */
export type ProofSettings = { sender?: string; dataCentre?: string; audience?: string; jwksUrl?: string };

/** The events of a partner of EventBridge that a connection's rule lets through. */
export type PartnerEvents = {
  /** How the partner's sources begin; its buses are named like its sources. */
  sourcePrefixes: readonly string[];
  detailTypes: readonly string[];
};

/** A CRM as its vendor ships it: how its deliveries are proven, what is finished, where the id is. */
export type Crm = {
  /**
   * Set where events come over a bus of EventBridge instead of by HTTP: those of a partner, or those that the
   * connection's own `eventPattern` lets through. `read` then sees the event as `body`, selectors see it alone.
   */
  bus?: PartnerEvents | 'own pattern';
  /** The proof where the connection names no `verify`. Absent: the connection must. */
  verify?: VerifySettings | ((settings: ProofSettings) => VerifySettings);
  /** What a connection may name in `verify`; absent: everything, if it takes `verify` at all. */
  schemes?: readonly ChosenSettings['scheme'][];
  /** Whether the vendor makes the signing secret, so that the stack's waits to be filled. */
  vendorIssuesSecret: boolean;
  /** Signing secrets that are printed in the vendor's documentation: anybody can sign with them. */
  publicSecrets?: readonly string[];
  /** Whether a delivery may hold several events. Selectors then see one event as `body`. */
  hasBatches?: boolean;
  takes: readonly Setting[];
  requires: readonly Setting[];
  /** Settings of which a connection needs at least one. */
  requiresOneOf?: readonly Setting[];
  /**
   * Whether an event can prove the change to finished (`Reading.provesChange`, `.finishedAt`) with these
   * settings. Where it cannot, synth refuses `lookUp` unless the connection has `repeatedFinish`.
   */
  provesChange?: boolean | ((settings: { finishedValues?: readonly string[] }) => boolean);
  /** Answers what the vendor asks without a proof, by a method other than POST. */
  greet?(delivery: Delivery): OwnAnswer | undefined;
  /** Answers a handshake that is proven; nothing of it is parsed. */
  confirm?(delivery: Delivery): OwnAnswer | undefined;
  /** Reads a body that is not JSON, or not always. */
  parse?: Parse;
  /** What a `sender` looks like where that is known, so that a wrong one is found at synth. */
  senderForm?: { pattern: RegExp; mend: string };
  /** Whether all of a delivery is the connection's `sender`'s. */
  isFrom?(sender: string, content: Content): boolean;
  /** Reads a verified delivery: one reading per event in it. Never throws, whatever the body is. */
  read(content: Content, connection: Connection): Reading[];
  /** What the vendor must be answered once everything is queued, where it is not ours to choose. */
  acknowledgement?: OwnAnswer;
};

/** Whether a status is among those that mean finished, whatever its case. */
export function isOneOf(values: readonly string[], status: unknown): boolean {
  const text = String(
    typeof status === 'number' ? status : typeof status === 'string' ? status : '',
  ).toLowerCase();
  return text !== '' && values.some((value) => value.toLowerCase() === text);
}

/** Unfilled placeholders and words for nothing, which are no status. */
const NOTHING = /^$|[{}]|^(null|undefined|none|nil|-)$/i;

/** Whether at least one status from before an event is given, and none of them was finished. */
export function wasOpen(finishedValues: readonly string[], ...before: unknown[]): boolean {
  const given = before
    .map((status) => (typeof status === 'number' ? String(status) : status))
    .filter((status) => typeof status === 'string')
    .map((status) => status.trim())
    .filter((status) => !NOTHING.test(status));
  return given.length > 0 && !given.some((status) => isOneOf(finishedValues, status));
}

/** The events of a batch; what is no batch is one event. */
export function eventsOf(body: unknown): unknown[] {
  return Array.isArray(body) ? body : [body];
}

/** Whether a custom field, which the administrator names, is the one with PolyAI's conversation id. */
export function namesConversationId(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase().replace(/[\s_-]/g, '') === 'polyaiconversationid';
}
