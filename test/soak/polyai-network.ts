import type { Behaviour, PolyAIStandIn } from '../../local/polyai-stand-in.ts';
import type { FinalAnswer } from './asks.ts';
import type { Clock } from './clock.ts';
import type { Container } from './lambda.ts';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import { type Schedule, SECOND } from './schedule.ts';

/** What happens to one call: at the stand-in, and on the way. */
type Plan = {
  behaviour?: Behaviour;
  latencyMs: number;
  /** The chat is closed, and the answer never arrives. */
  isAnswerLost?: boolean;
};

const ATTEMPT_MS = 10 * SECOND;

/** Undocumented and documented answers that pass. With a status no chat changes; without one its chat is closed. */
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

/** Answers that ask for a wait of days, of which the adapter takes 11 h. */
const LONG_WAITS: readonly Behaviour[] = [
  { status: 503, body: { error_message: 'down' }, headers: { 'retry-after': '345600' } },
  { status: 429, body: {}, headers: { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' } },
];
const LONG_WAIT_SHARE = 0.02;

/** As PolyAI's gateway would: a date, by its own clock. */
function withDate(now: number): Behaviour {
  return { status: 503, body: {}, headers: { 'retry-after': new Date(now + 90 * SECOND).toUTCString() } };
}

/** What PolyAI always answers for a chat that it refuses. */
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

/**
 * The way to one project's PolyAI. Each call really goes to the stand-in over loopback HTTP; what happens to
 * it is decided before, so that it does not depend on which of two real calls is quicker, and how long it
 * takes is virtual. A call that hangs is answered at once and the answer kept back for ten virtual seconds.
 */
export function createNetwork(
  clock: Clock,
  random: Random,
  schedule: Schedule,
  ledger: Ledger,
  { project, standIn, failing }: { project: string; standIn: PolyAIStandIn; failing: number },
): PolyAINetwork {
  const planned = new Map<string, Behaviour[]>();

  standIn.behave(({ conversationId, path }) => {
    const key = conversationId ?? path;
    const behaviours = planned.get(key);
    const next = behaviours?.shift();
    if (behaviours?.length === 0) planned.delete(key);
    return next;
  });
  standIn.onCall(({ body, headers, path }) => {
    standIn.calls.length = 0;
    const requestId = headers['x-polyai-correlation-id'] ?? '';
    const { conversation_id: id } = body ? JSON.parse(body) : {};
    if (typeof id === 'string') ledger.called(id, standIn.isOpen(id), requestId);
    else ledger.lookedUp(sharedIdOf(`${standIn.url}${path}`), requestId);
  });

  function plan(conversationId: string | undefined): Plan {
    const now = clock.now();
    const during = (trouble: Parameters<Schedule['during']>[0]) => schedule.during(trouble, now, project);
    const latencyMs = random.between(40, 400);
    if (during('outage')) return outage(latencyMs);
    if (during('storm') && random.chance(0.9)) {
      const seconds = random.pick(['30', '120', '900', '1800']);
      const headers = { 'retry-after': seconds };
      return { behaviour: { status: 429, body: { error_message: 'too many' }, headers }, latencyMs };
    }
    if (during('hanging') && random.chance(0.7))
      return {
        isAnswerLost: true,
        latencyMs: ATTEMPT_MS,
        ...(random.chance(0.5) && { behaviour: { status: 503 } }),
      };
    if (during('misdirected'))
      return { behaviour: { status: 404, body: { error_code: 'ACCOUNT_NOT_FOUND' } }, latencyMs };
    const refusedAs = conversationId && ledger.refusedAs(conversationId);
    if (refusedAs) {
      const kinds = REFUSALS[refusedAs] ?? [];
      return { behaviour: kinds[conversationId.length % kinds.length] ?? {}, latencyMs };
    }
    const slowMs = during('slow') ? random.between(4, 12) * SECOND : latencyMs;
    if (!random.chance(failing)) return { latencyMs: slowMs };
    if (random.chance(LONG_WAIT_SHARE)) return { behaviour: random.pick(LONG_WAITS), latencyMs };
    const passing = random.pick([...PASSING, withDate(now)]);
    if (passing === 'hang') return { behaviour: { status: 503 }, isAnswerLost: true, latencyMs: ATTEMPT_MS };
    if (passing === 'hang_after') return { isAnswerLost: true, latencyMs: ATTEMPT_MS };
    return { behaviour: passing, latencyMs: slowMs };
  }

  function outage(latencyMs: number): Plan {
    const kind = random.index(5);
    if (kind === 0) return { behaviour: { status: 503 }, isAnswerLost: true, latencyMs: ATTEMPT_MS };
    if (kind === 1) return { behaviour: { reset: 'before' }, latencyMs };
    if (kind === 2) return { behaviour: { status: 502, body: 'bad gateway' }, latencyMs };
    return { behaviour: { status: 503, body: { error_message: 'down' } }, latencyMs };
  }

  return {
    fetchFrom: (container) => async (input, init) => {
      const url = String(input);
      const conversationId = init?.body
        ? (JSON.parse(String(init.body)).conversation_id as string)
        : undefined;
      const { behaviour, latencyMs, isAnswerLost = false } = plan(conversationId);
      const key = conversationId ?? url.slice(standIn.url.length);
      planned.set(key, [...(planned.get(key) ?? []), behaviour ?? {}]);
      const { signal: _real, ...rest } = init ?? {};
      const requestId = new Headers(init?.headers).get('x-polyai-correlation-id') ?? '';
      const startedAt = clock.now();
      const exchanged = await clock.real(exchange(url, rest));
      const isTooLate = isAnswerLost || latencyMs >= ATTEMPT_MS;
      const arrivesAfter = Math.min(latencyMs, ATTEMPT_MS) - (clock.now() - startedAt);
      return container.reach(arrivesAfter, () => {
        const isHeard = !isTooLate && 'status' in exchanged;
        const answer = isHeard ? classify(exchanged.status, exchanged.text, conversationId) : undefined;
        if (conversationId) ledger.told(conversationId, requestId, answer);
        else ledger.lookUpTold(sharedIdOf(url), requestId, isHeard ? classifyLookUp(exchanged) : undefined);
        if (isTooLate) throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
        if ('error' in exchanged) throw exchanged.error;
        const { status, headers, text } = exchanged;
        return new Response([204, 304].includes(status) ? null : text, { status, headers });
      });
    },
  };
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
    // It has been unpacked.
    headers.delete('content-encoding');
    headers.delete('content-length');
    return { status: response.status, headers, text };
  } catch (error) {
    return { error };
  }
}

/** What the hand-off API's answer says about the chat; nothing where it says nothing. */
function classifyLookUp({ status, text }: Heard): 'found' | 'none' | undefined {
  if (status === 200 && text.length < 65_536 && /"id":\s*"[^"]+"/.test(text)) return 'found';
  return status === 404 && !text.includes('_NOT_FOUND') ? 'none' : undefined;
}

/** What an answer ends, by PolyAI's documentation and the table in the design, written here a second time. */
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
