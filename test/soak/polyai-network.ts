import type { Behaviour, PolyAIStandIn } from '../../local/polyai-stand-in.ts';
import type { FinalAnswer } from './asks.ts';
import type { Clock } from './clock.ts';
import type { Container } from './lambda.ts';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import { type Schedule, SECOND, type Trouble } from './schedule.ts';

/** What happens to one call, at the stand-in and on the way. */
type Plan = {
  behaviour?: Behaviour;
  latencyMs: number;
  /** The answer never arrives. */
  isAnswerLost?: boolean;
};

const ATTEMPT_MS = 10 * SECOND;

/** Answers that are temporary, documented or not. With a status no chat changes; without one its chat is closed. */
export const PASSING: readonly (Behaviour | 'hang' | 'hang_after')[] = [
  { status: 500, body: { error_message: 'internal' } },
  { status: 502, body: '<html>bad gateway</html>' },
  { status: 503, body: { error: { code: 'UNAVAILABLE', message: 'try later' } } },
  { status: 504, body: '' },
  { status: 408, body: { message: 'time-out' } },
  { status: 429, body: { error_message: 'slow down' }, headers: { 'retry-after': '45' } },
  { status: 429, body: {}, headers: { 'retry-after': 'soon' } },
  { status: 302, headers: { location: 'http://127.0.0.1:9/' }, body: '' },
  { status: 404, body: { error_code: 'PROJECT_NOT_FOUND', error_message: 'no such project' } },
  { status: 403, body: { error_message: 'forbidden' } },
  { status: 200, body: { success: false } },
  { status: 200, body: '' },
  { status: 200, body: '<html></html>' },
  { status: 202, body: { success: true } },
  { status: 204 },
  { reset: 'before' },
  { reset: 'after' },
  { truncate: true },
  { padToBytes: 80 * 1024 },
  { gzip: true },
  'hang',
  'hang_after',
];

/** Answers that ask for a wait of days. The adapter waits 11 h. */
const LONG_WAITS: readonly Behaviour[] = [
  { status: 503, body: { error_message: 'down' }, headers: { 'retry-after': '345600' } },
  { status: 429, body: {}, headers: { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' } },
];
const LONG_WAIT_SHARE = 0.02;

/** `Retry-After` as a date, by the clock of PolyAI's gateway. */
function withDate(now: number): Behaviour {
  return { status: 503, body: {}, headers: { 'retry-after': new Date(now + 90 * SECOND).toUTCString() } };
}

/** The answers of PolyAI for a chat that it always refuses. */
export const REFUSALS: Record<string, readonly Behaviour[]> = {
  rejected: [
    { status: 400, body: { error_code: 'CONVERSATIONS_VALIDATION_FAILED', error_message: 'no' } },
    { status: 422, body: { error: { code: 'SCHEMA_VALIDATION_FAILED' } } },
    { status: 409, body: { message: 'conflict' } },
    { status: 501, body: '' },
  ],
  unconfirmed: [
    { status: 200, body: { success: false } },
    { status: 202, body: {} },
  ],
  not_found: [
    { status: 404, body: { message: 'not found' } },
    { status: 404, body: '' },
  ],
  over: [
    { status: 404, body: { error_code: 'CONVERSATIONS_NOT_FOUND' } },
    { status: 410, body: { error_code: 'CHAT_CONVERSATION_ENDED' } },
    { status: 400, body: { error_code: 'CHAT_TIMEOUT' } },
  ],
};

export const REFUSAL_NAMES = Object.keys(REFUSALS);

export type PolyAINetwork = { fetchFrom(container: Container): typeof fetch };

type NetworkParts = {
  clock: Clock;
  random: Random;
  schedule: Schedule;
  ledger: Ledger;
  project: string;
  standIn: PolyAIStandIn;
  /** The share of the calls that fail at random: 0 to 1. */
  failing: number;
};

/**
 * The network to one project's PolyAI. Each call goes to the stand-in over loopback HTTP. What happens to it is decided
 * before, so that it does not depend on which of two real calls is faster. Its duration is virtual: a call that hangs
 * is answered at once, and the answer is held back for ten virtual seconds.
 */
export function createNetwork(parts: NetworkParts): PolyAINetwork {
  const { clock, ledger, standIn } = parts;
  const expect = script(standIn);
  recordCalls(standIn, ledger);

  return {
    fetchFrom: (container) => async (input, init) => {
      const url = String(input);
      const conversationId = init?.body
        ? (JSON.parse(String(init.body)).conversation_id as string)
        : undefined;
      const { behaviour, latencyMs, isAnswerLost = false } = planCall(parts, conversationId);
      expect(conversationId ?? url.slice(standIn.url.length), behaviour ?? {});
      const { signal: _real, ...rest } = init ?? {};
      const requestId = new Headers(init?.headers).get('x-polyai-correlation-id') ?? '';
      const startedAt = clock.now();
      const exchanged = await clock.real(exchange(url, rest));
      const isTooLate = isAnswerLost || latencyMs >= ATTEMPT_MS;
      const arrivesAfter = Math.min(latencyMs, ATTEMPT_MS) - (clock.now() - startedAt);
      return container.reach(arrivesAfter, () => {
        const heard = !isTooLate && 'status' in exchanged ? exchanged : undefined;
        recordAnswer(ledger, { url, conversationId, requestId }, heard, clock.now());
        if (isTooLate) throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
        if ('error' in exchanged) throw exchanged.error;
        const { status, headers, text } = exchanged;
        return new Response([204, 304].includes(status) ? null : text, { status, headers });
      });
    },
  };
}

/** @returns a function that decides the stand-in's behaviour at the next call for a conversation or path */
function script(standIn: PolyAIStandIn): (key: string, behaviour: Behaviour) => void {
  const planned = new Map<string, Behaviour[]>();
  standIn.behave(({ conversationId, path }) => {
    const key = conversationId ?? path;
    const behaviours = planned.get(key);
    const next = behaviours?.shift();
    if (behaviours?.length === 0) planned.delete(key);
    return next;
  });
  return (key, behaviour) => planned.set(key, [...(planned.get(key) ?? []), behaviour]);
}

function recordCalls(standIn: PolyAIStandIn, ledger: Ledger): void {
  standIn.onCall(({ body, headers, path }) => {
    standIn.calls.length = 0;
    const requestId = headers['x-polyai-correlation-id'] ?? '';
    const { conversation_id: id } = body ? JSON.parse(body) : {};
    if (typeof id === 'string') ledger.called(id, standIn.isOpen(id), requestId);
    else ledger.lookedUp(sharedIdOf(`${standIn.url}${path}`), requestId);
  });
}

/** @param heard the answer that the worker receives, if any */
function recordAnswer(
  ledger: Ledger,
  call: { url: string; conversationId: string | undefined; requestId: string },
  heard: Heard | undefined,
  now: number,
): void {
  const { url, conversationId, requestId } = call;
  if (conversationId) {
    const answer = heard && classify(heard.status, heard.text, conversationId);
    ledger.answered(conversationId, requestId, answer, heard && askedToWaitMs(heard, now));
  } else {
    ledger.lookUpAnswered(
      sharedIdOf(url),
      requestId,
      heard && classifyLookUp(heard),
      heard && askedToWaitMs(heard, now),
    );
  }
}

/** Decides what happens to a call. The first trouble that applies counts. */
function planCall(parts: NetworkParts, conversationId: string | undefined): Plan {
  const { clock, random, schedule, ledger, project } = parts;
  const latencyMs = random.between(40, 400);
  const during = (trouble: Trouble) => schedule.during(trouble, clock.now(), project) !== undefined;
  const troubled = planTrouble(random, during, latencyMs);
  if (troubled) return troubled;
  const refusedAs = conversationId && ledger.refusedAs(conversationId);
  if (refusedAs) {
    const kinds = REFUSALS[refusedAs] ?? [];
    return { behaviour: kinds[conversationId.length % kinds.length] ?? {}, latencyMs };
  }
  return planOrdinary(parts, latencyMs, during('slow') ? random.between(4, 12) * SECOND : latencyMs);
}

function planTrouble(
  random: Random,
  during: (trouble: Trouble) => boolean,
  latencyMs: number,
): Plan | undefined {
  if (during('outage')) return planOutage(random, latencyMs);
  if (during('storm') && random.chance(0.9)) {
    const headers = { 'retry-after': random.pick(['30', '120', '900', '1800']) };
    return { behaviour: { status: 429, body: { error_message: 'too many' }, headers }, latencyMs };
  }
  if (during('hanging') && random.chance(0.7)) {
    const behaviour = random.chance(0.5) && { behaviour: { status: 503 } };
    return { isAnswerLost: true, latencyMs: ATTEMPT_MS, ...behaviour };
  }
  return during('misdirected')
    ? { behaviour: { status: 404, body: { error_code: 'ACCOUNT_NOT_FOUND' } }, latencyMs }
    : undefined;
}

/** One of the ways in which PolyAI fails during an outage. */
function planOutage(random: Random, latencyMs: number): Plan {
  const kind = random.index(5);
  if (kind === 0) return { behaviour: { status: 503 }, isAnswerLost: true, latencyMs: ATTEMPT_MS };
  if (kind === 1) return { behaviour: { reset: 'before' }, latencyMs };
  if (kind === 2) return { behaviour: { status: 502, body: 'bad gateway' }, latencyMs };
  return { behaviour: { status: 503, body: { error_message: 'down' } }, latencyMs };
}

/** A call outside all troubles: it succeeds, or fails at random. */
function planOrdinary({ clock, random, failing }: NetworkParts, latencyMs: number, slowMs: number): Plan {
  if (!random.chance(failing)) return { latencyMs: slowMs };
  if (random.chance(LONG_WAIT_SHARE)) return { behaviour: random.pick(LONG_WAITS), latencyMs };
  const passing = random.pick([...PASSING, withDate(clock.now())]);
  if (passing === 'hang') return { behaviour: { status: 503 }, isAnswerLost: true, latencyMs: ATTEMPT_MS };
  if (passing === 'hang_after') return { isAnswerLost: true, latencyMs: ATTEMPT_MS };
  return { behaviour: passing, latencyMs: slowMs };
}

function sharedIdOf(url: string): string {
  return new URL(url).searchParams.get('shared_id') ?? '';
}

type Heard = { status: number; headers: Headers; text: string };
type Exchanged = Heard | { error: unknown };

async function exchange(url: string, init: RequestInit): Promise<Exchanged> {
  try {
    const response = await fetch(url, init);
    const text = await response.text();
    const headers = new Headers(response.headers);
    // fetch has decompressed the body.
    headers.delete('content-encoding');
    headers.delete('content-length');
    return { status: response.status, headers, text };
  } catch (error) {
    return { error };
  }
}

/** The wait of a `Retry-After` in seconds or as a date. Written independently of functions/polyai.ts. */
function askedToWaitMs({ headers }: Heard, now: number): number {
  const text = headers.get('retry-after') ?? '';
  if (/^\d+$/.test(text)) return Number(text) * SECOND;
  const until = Date.parse(text);
  return Number.isNaN(until) ? 0 : Math.max(0, until - now);
}

/** What the hand-off API's answer says about the chat, if anything. */
function classifyLookUp({ status, text }: Heard): 'found' | 'none' | undefined {
  if (status === 200 && text.length < 65_536 && /"id":\s*"[^"]+"/.test(text)) return 'found';
  return status === 404 && !text.includes('_NOT_FOUND') ? 'none' : undefined;
}

/**
 * The final answer that a response means, by PolyAI's documentation. Written independently of functions/close/outcome.ts.
 */
export function classify(
  status: number,
  text: string,
  conversationId: string | undefined,
): FinalAnswer | undefined {
  const code = /"(?:error_)?code":\s*"(\w+)"/.exec(text)?.[1] ?? '';
  if (conversationId === undefined) return undefined;
  if (status === 200) return text.length < 65_536 && /"success":\s*true/.test(text) ? 'closed' : undefined;
  if (status === 410 || code === 'CONVERSATIONS_NOT_FOUND' || code === 'CHAT_TIMEOUT') return 'over';
  if (status === 404) return code === '' ? 'not_found' : undefined;
  return [400, 405, 406, 409, 415, 422, 501].includes(status) ? 'rejected' : undefined;
}
