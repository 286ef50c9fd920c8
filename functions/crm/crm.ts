import type { Connection } from '../connections.ts';
import type { Content, Delivery, Parse } from '../delivery.ts';
import type { Refusal } from '../refusal.ts';
import type { ChosenSettings, HmacSettings, VerifySettings } from '../schemes/scheme.ts';

/** Why a verified delivery, or one event in it, asks for no close. */
export type IgnoredReason =
  | 'not_finished'
  | 'no_conversation_id'
  | 'unusable_conversation_id'
  | 'finished_not_boolean'
  | 'test_event'
  | 'message_trimmed';

/** What a preset reads from one event. The values are the CRM's own and unchecked. */
export type Reading = {
  /** Whether the conversation is over, or the reason to ignore the event. */
  finished: boolean | IgnoredReason;
  /** A string, a safe integer, an array of them, or nothing. */
  conversationId?: unknown;
  /** The CRM's ticket or case: also the id to look up, unless there is a `sharedId`. */
  crmRef?: unknown;
  /** The id of the ticket or case as the CRM's API writes it, if events write it differently. Agents know this one. */
  sharedId?: unknown;
  /** The CRM's own id of the delivery or event. */
  deliveryId?: unknown;
  /**
   * Whether the event itself proves that the previous state was not finished. A look-up needs that proof: the
   * shared id of a ticket that was already finished may name a newer chat by now.
   */
  provesChange?: boolean;
  /** When the conversation was finished. A time in the last few minutes also proves the change. */
  finishedAt?: unknown;
  /** When the event happened, not when the ticket was created: ISO 8601 with its zone, or (milli)seconds since 1970. */
  happenedAt?: unknown;
  /** What the connection's selectors see as `body`, if the preset reads each event of a batch alone. */
  event?: unknown;
};

/** Settings of a connection that a preset may take, besides `crm`, `polyai` and the settings of the secret. */
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
  | 'field'
  | 'bus'
  | 'source'
  | 'eventPattern';

/** Settings of every preset whose deliveries come over HTTP and have a status or type that says what is finished. */
export const USUAL = [
  'conversationId',
  'finishedWhen',
  'finishedValues',
  'publicUrl',
  'allowedSources',
] as const;

/** Settings of every preset whose events name a ticket or conversation under which an agent may store the chat. */
export const LOOK_UP = ['lookUp', 'sharedId', 'repeatedFinish'] as const;

/** For a sender that does not document how long it waits: most of those that do wait five seconds. */
export const USUAL_ANSWER_MS = 5000;

/** HMAC over the body alone, as most vendors sign. The preset says which header has the hash and how it is written. */
export function overBody(
  settings: Pick<HmacSettings, 'header' | 'algorithm' | 'encoding'> & { prefix?: string },
): HmacSettings {
  return { scheme: 'hmac', signed: '{body}', timestampUnit: 's', toleranceSeconds: 300, ...settings };
}

/** What a `sender` looks like that is a UUID. @param what the id and where the vendor shows it */
export function uuidForm(what: string): { pattern: RegExp; fix: string } {
  return {
    pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    fix: `Write ${what}, a UUID in lower case`,
  };
}

/** An answer that the CRM prescribes, instead of the receiver's usual one. */
export type OwnAnswer = { status: number; headers?: Record<string, string>; body?: string };

/** Settings from which a preset may derive its `verify`, as the configuration has them. */
export type ProofSettings = { sender?: string; dataCentre?: string; audience?: string; jwksUrl?: string };

/** Events of an EventBridge partner that a connection's rule lets through. */
export type PartnerEvents = {
  /** Prefixes of the partner's event sources. Its buses have the names of its sources. */
  sourcePrefixes: readonly string[];
  detailTypes: readonly string[];
};

/** Settings from which the rule of a service's events is made, as the configuration has them. */
export type RuleSettings = { sender?: string; finishedWhen?: string; finishedValues?: readonly string[] };

/** Events of an AWS service that a connection's rule lets through. Only AWS can put them. */
export type ServiceEvents = {
  /** The events' source. They come on the bus `default` of the service's account. */
  service: `aws.${string}`;
  detailTypes: readonly string[];
  /**
   * What the rule demands besides source, account and detail type. Without `finishedWhen` it may leave out events
   * that never mean finished.
   */
  narrow?(settings: RuleSettings): Record<string, unknown>;
};

/** A CRM as its vendor ships it: how its deliveries are verified, what is finished, and where the id is. */
export type Crm = {
  /**
   * Set if events come over an EventBridge bus instead of HTTP: the events of a partner or of an AWS service, or
   * those that the connection's own `eventPattern` lets through. `read` then gets the event as `body`, and
   * selectors see only it.
   */
  bus?: PartnerEvents | ServiceEvents | 'own pattern';
  /** How deliveries are verified if the connection has no `verify`. Absent: the connection must have one. */
  verify?: VerifySettings | ((settings: ProofSettings) => VerifySettings);
  /** Schemes that a connection may name in `verify`. Absent: all of them, if the preset takes `verify` at all. */
  schemes?: readonly ChosenSettings['scheme'][];
  /**
   * How long the CRM waits for an answer, or asks it to take at most. The dashboard compares `AnswerTime` with it.
   * Absent only with `bus`: an event gets no answer.
   */
  answerWithinMs?: number;
  /** Whether the vendor issues the signing secret. The stack's secret then starts empty and must be filled in. */
  vendorIssuesSecret: boolean;
  /** Signing secrets that the vendor's documentation prints. Anybody can sign with them. */
  publicSecrets?: readonly string[];
  /** Whether a delivery may hold several events. Selectors then see one event as `body`. */
  hasBatches?: boolean;
  takes: readonly Setting[];
  requires: readonly Setting[];
  /** Settings of which a connection needs at least one. */
  requiresOneOf?: readonly Setting[];
  /**
   * Whether an event can prove the change to finished (`Reading.provesChange`, `.finishedAt`) with these
   * settings. If it cannot, synth refuses `lookUp` unless the connection has `repeatedFinish`.
   */
  provesChange?: boolean | ((settings: { finishedValues?: readonly string[] }) => boolean);
  /** Answers a request that the vendor sends without a proof and by a method other than POST. */
  greet?(delivery: Delivery): OwnAnswer | undefined;
  /** The method by which a verified handshake comes, if not by POST. */
  confirmsBy?: 'GET';
  /**
   * Answers a handshake that was verified, or refuses it. `undefined` means that it is no handshake and is read as a
   * delivery. Must not throw.
   *
   * @param values the stored values of the secret that verify this request; several only if the proof fits several
   */
  confirm?(delivery: Delivery, values: readonly string[]): OwnAnswer | Refusal | undefined;
  /** Parses the body, if it is not always JSON. */
  parse?: Parse;
  /** What a `sender` looks like, if that is known. Synth then finds a wrong one. */
  senderForm?: { pattern: RegExp; fix: string };
  /** Whether everything in a delivery comes from the connection's `sender`. */
  isFrom?(sender: string, content: Content): boolean;
  /** Reads a verified delivery: one reading for each event in it. Must not throw, whatever the body is. */
  read(content: Content, connection: Connection): Reading[];
  /** The answer once everything is queued, if the vendor prescribes one, for all or for some deliveries. */
  acknowledgement?: OwnAnswer | ((content: Content) => OwnAnswer | undefined);
};

/** A challenge that may be echoed: it has nothing that a browser or a log could take for more than text. */
const CHALLENGE = /^[\w.:~+/=-]{1,256}$/;

/** The answer that repeats a challenge as its whole body; `undefined` if it is not one that may be echoed. */
export function echo(challenge: string): OwnAnswer | undefined {
  if (!CHALLENGE.test(challenge)) return undefined;
  const plain = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
  return { status: 200, headers: plain, body: challenge };
}

/** Whether a status is one of those that mean finished, in upper or lower case. */
export function isOneOf(values: readonly string[], status: unknown): boolean {
  const text = String(
    typeof status === 'number' ? status : typeof status === 'string' ? status : '',
  ).toLowerCase();
  return text !== '' && values.some((value) => value.toLowerCase() === text);
}

/** Unfilled placeholders and words for nothing. They do not count as a status. */
const NOTHING = /^$|[{}]|^(null|undefined|none|nil|-)$/i;

/** Whether at least one previous status is given and none of them was finished. */
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

/** Whether a custom field holds PolyAI's conversation id, by the name that an administrator gave it. */
export function namesConversationId(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase().replace(/[\s_-]/g, '') === 'polyaiconversationid';
}
