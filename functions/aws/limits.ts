import { SECOND_MS } from '../time.ts';

/** Attempts of a call, the first included. */
export const ATTEMPTS = 2;

/**
 * A CRM waits five seconds: one second to connect, two for an answer to begin, two for it to go on, two attempts.
 * Without `throwOnRequestTimeout` the handler only warns when an answer is late.
 */
export const TIME_LIMITS = {
  connectionTimeout: SECOND_MS,
  requestTimeout: 2 * SECOND_MS,
  throwOnRequestTimeout: true,
  socketTimeout: 2 * SECOND_MS,
};
