import type { Connection } from '../connections.ts';
import type { Content, Delivery, Parse } from '../delivery.ts';
import type { ChosenSettings, HmacSettings, VerifySettings } from '../schemes/scheme.ts';

/** Why a verified delivery, or one event of it, requests no close. */
export type IgnoredReason =
  | 'not_finished'
  | 'no_conversation_id'
  | 'unusable_conversation_id'
  | 'finished_not_boolean'
  | 'test_event'
  | 'message_trimmed';

/** What a preset reads from one event. The values are the CRM's and are not checked. */
export type Reading = {
  /** Whether the conversation has ended, or the reason to ignore the event. */
  finished: boolean | IgnoredReason;
  /** PolyAI's id of the conversation: a string, a safe integer, an array of them, or nothing. */
  conversationId?: unknown;
  /** The id of the CRM's ticket or case. It is also the id to look up, unless there is a `sharedId`. */
  crmRef?: unknown;
  /** The ticket's id as the CRM's API gives it to an agent, if events write it differently. */
  sharedId?: unknown;
  /** The CRM's id of the delivery or event. */
  deliveryId?: unknown;
  /**
   * Whether the event itself proves that the ticket was not finished before. A look-up needs that proof: if the
   * ticket was finished before, its shared id may now name a newer chat.
   */
  provesChange?: boolean;
  /** When the conversation was finished. A time within the last few minutes proves the change as well. */
  finishedAt?: unknown;
  /** When the event happened, not when the ticket was created: ISO 8601 with its zone, or seconds or milliseconds since 1970. */
  happenedAt?: unknown;
  /** What the connection's selectors see as `body`, if that is one event of a batch. */
  event?: unknown;
};

/** The settings of a connection that a preset may accept, besides `crm`, `polyai` and those of the secret. */
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

/** The settings for every preset whose deliveries come by HTTP and have a status or type that says what is finished. */
export const USUAL = [
  'conversationId',
  'finishedWhen',
  'finishedValues',
  'publicUrl',
  'allowedSources',
] as const;

/** The settings for presets whose events name a ticket or conversation of the CRM, so that PolyAI can store its id. */
export const LOOK_UP = ['lookUp', 'sharedId', 'repeatedFinish'] as const;

/**
 * The settings of an HMAC over the body alone, which most vendors use.
 *
 * @param settings the header of the signature, the hash, its encoding and its prefix
 */
export function overBody(
  settings: Pick<HmacSettings, 'header' | 'algorithm' | 'encoding'> & { prefix?: string },
): HmacSettings {
  return { scheme: 'hmac', signed: '{body}', timestampUnit: 's', toleranceSeconds: 300, ...settings };
}

/** An answer in the form that a CRM expects. */
export type OwnAnswer = { status: number; headers?: Record<string, string>; body?: string };

/** The settings of the configuration from which a preset may derive how it verifies. */
export type ProofSettings = { sender?: string; dataCentre?: string; audience?: string; jwksUrl?: string };

/** The events of an EventBridge partner that a connection's rule matches. */
export type PartnerEvents = {
  /** The prefixes of the partner's sources. Its buses have the same names as its sources. */
  sourcePrefixes: readonly string[];
  detailTypes: readonly string[];
};

/** A preset: how a CRM's deliveries are verified, which events mean finished, and where the id is. */
export type Crm = {
  /**
   * Set if events come over an EventBridge bus instead of by HTTP: a partner's events, or those that match the
   * connection's `eventPattern`. `read` then gets the event as `body`, and selectors see only the event.
   */
  bus?: PartnerEvents | 'own pattern';
  /** How deliveries are verified if the connection has no `verify`. Absent: the connection must have one. */
  verify?: VerifySettings | ((settings: ProofSettings) => VerifySettings);
  /** The schemes that a connection may name in `verify`, if the preset accepts `verify`. Absent: all of them. */
  schemes?: readonly ChosenSettings['scheme'][];
  /** Whether the vendor issues the signing secret of `hmac`. The stack's secret is then empty until you fill it. */
  vendorIssuesSecret: boolean;
  /** Signing secrets printed in the vendor's documentation. Anybody can sign with them, so they are refused. */
  publicSecrets?: readonly string[];
  /** Whether a delivery may hold several events. Selectors then see one event as `body`. */
  hasBatches?: boolean;
  /** The settings that a connection may have. */
  takes: readonly Setting[];
  /** The settings that a connection must have. */
  requires: readonly Setting[];
  /** A connection must have at least one of these settings. */
  requiresOneOf?: readonly Setting[];
  /**
   * Whether an event can prove the change to finished (`Reading.provesChange`, `.finishedAt`) with these
   * settings. If not, synth refuses `lookUp` unless the connection has `repeatedFinish`.
   */
  provesChange?: boolean | ((settings: { finishedValues?: readonly string[] }) => boolean);
  /** Answers an unsigned request of the vendor that has a method other than POST. */
  greet?(delivery: Delivery): OwnAnswer | undefined;
  /** Answers a verified handshake. Its body is not parsed. */
  confirm?(delivery: Delivery): OwnAnswer | undefined;
  /** Parses the body, if it is not always JSON. */
  parse?: Parse;
  /** The form of a `sender`, if it is known, so that synth finds a wrong one. `fix` says what to write. */
  senderForm?: { pattern: RegExp; fix: string };
  /** Whether everything in a delivery comes from the connection's `sender`. */
  isFrom?(sender: string, content: Content): boolean;
  /** Reads a verified delivery and returns one reading for each event. Never throws, whatever the body is. */
  read(content: Content, connection: Connection): Reading[];
  /** The answer that the vendor requires once everything is queued. Absent: our own. */
  acknowledgement?: OwnAnswer;
};

/** The value at a path of own properties, or `undefined`. Array positions are written as text. */
export function at(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

/** Whether a status is one of those that mean finished. Upper and lower case are equal. */
export function isOneOf(values: readonly string[], status: unknown): boolean {
  const text = String(
    typeof status === 'number' ? status : typeof status === 'string' ? status : '',
  ).toLowerCase();
  return text !== '' && values.some((value) => value.toLowerCase() === text);
}

/** Unfilled placeholders and words for "no value". They are not a status. */
const NOTHING = /^$|[{}]|^(null|undefined|none|nil|-)$/i;

/** Whether an event gives at least one earlier status, and none of them means finished. */
export function wasOpen(finishedValues: readonly string[], ...before: unknown[]): boolean {
  const given = before
    .map((status) => (typeof status === 'number' ? String(status) : status))
    .filter((status) => typeof status === 'string')
    .map((status) => status.trim())
    .filter((status) => !NOTHING.test(status));
  return given.length > 0 && !given.some((status) => isOneOf(finishedValues, status));
}

/** The events of a batch. A body that is not a list is one event. */
export function eventsOf(body: unknown): unknown[] {
  return Array.isArray(body) ? body : [body];
}

/** Whether this name, which an administrator chose for a custom field, means PolyAI's conversation id. */
export function namesConversationId(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase().replace(/[\s_-]/g, '') === 'polyaiconversationid';
}
