import { SECOND_MS } from '../time.ts';
import type { Attempt } from './close-line.ts';
import type { Outcome } from './outcome.ts';

/** No answer, an error of the server, or too many calls. A refusal is an answer. */
const DOWN: Outcome[] = ['unavailable', 'throttled'];
/** Failures in a row after which a project counts as down. A batch has as many messages. */
const DOWN_AFTER_FAILURES = 10;
/** A project that is down is called this often by each container. */
const PROBE_EVERY_MS = 30 * SECOND_MS;

export type CircuitBreaker = {
  /** Whether to leave PolyAI alone. */
  isOpen(project: string): boolean;
  /** A call follows. While a project is down, it is the only one until the next probe. */
  calling(project: string): void;
  /** Takes the result of a call. */
  record(project: string, attempt: Attempt): void;
};

/**
 * Remembers which projects PolyAI does not serve at the moment. Without it, the closes of a project that does not
 * answer would hold every worker for ten seconds each, and the other projects would wait for them.
 *
 * The memory is the container's: nothing is stored, and a new container finds out by ten calls of its own.
 *
 * @param now Unix milliseconds
 * @see https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
 */
export function createCircuitBreaker(now: () => number): CircuitBreaker {
  const projects = new Map<string, { failures: number; calledAt: number }>();

  return {
    isOpen(project) {
      const { failures = 0, calledAt = 0 } = projects.get(project) ?? {};
      return failures >= DOWN_AFTER_FAILURES && now() - calledAt < PROBE_EVERY_MS;
    },
    calling(project) {
      const state = projects.get(project);
      if (state) state.calledAt = now();
    },
    record(project, attempt) {
      if (!attempt.answer) return;
      if (!DOWN.includes(attempt.outcome)) {
        projects.delete(project);
        return;
      }
      const failures = (projects.get(project)?.failures ?? 0) + 1;
      projects.set(project, { failures, calledAt: now() });
    },
  };
}
