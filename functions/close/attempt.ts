import type { Context } from 'aws-lambda';
import type { CloseRequest } from '../close-request.ts';
import type { Project } from '../connections.ts';
import { faultLine, type Line } from '../log.ts';
import { closeChat, lookUpConversation, type ProjectKeys, readProjectKeys } from '../polyai.ts';
import { SecretNotReady, type SecretReader, SecretUnavailable } from '../secrets.ts';
import { SECOND_MS } from '../time.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { type Attempt, answered, closeLine } from './close-line.ts';
import { type CloseMessage, type Opened, triedForMs } from './close-message.ts';
import { isLastLookUp, isTooLate, judgeLookUp } from './look-up.ts';
import { isGivenUp, type Judgement, judge, mayHaveClosed, OUTCOMES } from './outcome.ts';

/** How much time the function has left. */
export type TimeLeft = Pick<Context, 'getRemainingTimeInMillis'>;

/** PolyAI was not called, because the project's keys could not be read. */
type NoKeys = Judgement & { fault: SecretUnavailable | SecretNotReady };

type AttemptParts = {
  secrets: SecretReader;
  breaker: CircuitBreaker;
  fetch: typeof globalThis.fetch;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
};

/** A second call in the same delivery needs this much of the function's time, including what follows it. */
const SECOND_CALL_NEEDS_MS = 14 * SECOND_MS;

/**
 * Creates the attempt of a close: one call to PolyAI, and a second one at once if the secret has changed meanwhile or
 * the last answer would leave a doubt. A message that must not be attempted gets its outcome without a call.
 */
export function createAttempts({ secrets, breaker, fetch, writeLine, now }: AttemptParts) {
  return async function attemptClose(message: CloseMessage, context: TimeLeft): Promise<Attempt> {
    const first = await tryOnce(message, context);
    return isInDoubt(message, first) ? tryOnceMore(message, first, context) : first;
  };

  async function tryOnce(message: CloseMessage, context: TimeLeft): Promise<Attempt> {
    const startedAt = now();
    const judged =
      'judgement' in message
        ? message.judgement
        : (judgeAge(message.request) ?? judgeProject(message) ?? (await attempt(message, context)));
    // The close is retried as in an outage, but somebody may have to act: the fault line raises an alarm.
    if ('fault' in judged) writeLine(faultLine(message.request?.requestId, 'close: secret', judged.fault));
    return { startedAt, endedAt: now(), ...judged };
  }

  /** Returns the outcome of a request that is too old to attempt. */
  function judgeAge(request: CloseRequest): Judgement | undefined {
    if (request.sharedId !== undefined && isTooLate(request, now())) {
      return { outcome: 'look_up_expired', reason: 'the shared id was not resolved within 15 minutes' };
    }
    return hasExpired(request, now())
      ? { outcome: 'unavailable', reason: 'it expired before this attempt' }
      : undefined;
  }

  /**
   * Returns the outcome of a close whose project is down. Its last attempt is always a call, also the last look-up and
   * the canary's only attempt.
   */
  function judgeProject(message: Opened): Judgement | undefined {
    const { request } = message;
    const isLast =
      request.canary ||
      isGivenUp(triedForMs(message, now())) ||
      (request.sharedId !== undefined && isLastLookUp(request, now()));
    if (isLast || !breaker.isOpen(request.project)) {
      breaker.calling(request.project);
      return undefined;
    }
    return {
      outcome: 'unavailable',
      reason: 'not called: PolyAI did not serve the last calls of this project',
    };
  }

  /** Calls PolyAI once, and again if the secret has changed since it was cached. */
  async function attempt(message: Opened, context: TimeLeft): Promise<Attempt | NoKeys> {
    const { project, request } = message;
    try {
      const seen = await secrets.read(project.secretId);
      const first = await callWith(seen, project, request);
      const isRefused = first.outcome === 'unauthorized' || !('answer' in first);
      if (!isRefused) return first;
      const changed = await readAgain(project.secretId, seen);
      if (changed === seen || context.getRemainingTimeInMillis() < SECOND_CALL_NEEDS_MS) return first;
      if ('answer' in first) writeLine(closeLine(message, first, { final: false, nextTryInSeconds: 0 }));
      return await callWith(changed, project, request);
    } catch (error) {
      if (!(error instanceof SecretUnavailable)) throw error;
      return { outcome: 'unavailable', reason: error.message, fault: error };
    }
  }

  /** If the secret cannot be read again, PolyAI's 401 stays the outcome. */
  async function readAgain(secretId: string, seen: string): Promise<string> {
    try {
      return await secrets.readAgain(secretId, seen);
    } catch (error) {
      if (error instanceof SecretUnavailable) return seen;
      throw error;
    }
  }

  async function callWith(
    secret: string,
    project: Project,
    request: CloseRequest,
  ): Promise<Attempt | NoKeys> {
    let keys: ProjectKeys;
    try {
      keys = readProjectKeys(secret);
    } catch (error) {
      if (!(error instanceof SecretNotReady)) throw error;
      const reason = `secret ${project.secretId} is not ready: ${error.message}`;
      return { outcome: 'unavailable', reason, fault: new SecretNotReady(reason, { cause: error }) };
    }
    const call = { project, keys, requestId: request.requestId, fetch, now };
    const { sharedId, conversationId = '' } = request;
    const startedAt = now();
    const answer = await (sharedId === undefined
      ? closeChat(call, conversationId)
      : lookUpConversation(call, sharedId));
    const judged = sharedId === undefined ? judge(answer) : judgeLookUp(answer);
    const attempt = { ...judged, answer, startedAt, endedAt: now() };
    breaker.record(request.project, attempt);
    return attempt;
  }

  /** Whether the close would be given up although PolyAI's answer does not say whether the chat was closed. */
  function isInDoubt(message: CloseMessage, { answer, outcome, endedAt }: Attempt): boolean {
    const { request } = message;
    const isGivenUpNow = OUTCOMES[outcome].next === 'retry' && isGivenUp(triedForMs(message, endedAt));
    // A look-up changes nothing, cleanup's next run finds its chat again, and the canary has no chat.
    const matters = request?.conversationId !== undefined && request.source !== 'cleanup' && !request.canary;
    return isGivenUpNow && matters && answer !== undefined && mayHaveClosed(answer);
  }

  /**
   * Calls again at once, so that the last answer is not a doubtful one. It must happen now: nothing is stored, so a
   * later delivery could not know that it repeats this call. If it has to wait, the close stays in doubt until the
   * next delivery.
   */
  async function tryOnceMore(message: CloseMessage, first: Attempt, context: TimeLeft): Promise<Attempt> {
    const mustWait =
      answered(first)?.retryAfterMs || context.getRemainingTimeInMillis() < SECOND_CALL_NEEDS_MS;
    if (mustWait) return { ...first, isInDoubt: true };
    writeLine(closeLine(message, first, { final: false, nextTryInSeconds: 0 }));
    const second = await tryOnce(message, context);
    // Without keys PolyAI was not called, so the doubt remains.
    return second.answer ? second : { ...second, isInDoubt: true };
  }
}

/**
 * Whether a close of the cleanup is too old to be useful.
 *
 * @param now Unix milliseconds
 */
export function hasExpired(request: CloseRequest | undefined, now: number): boolean {
  return request?.expiresAt !== undefined && now >= Date.parse(request.expiresAt);
}
