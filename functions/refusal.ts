/** Every code of an answer other than 200, with its HTTP status. */
export const REFUSALS = {
  body_unreadable: 400,
  too_many_conversations: 400,
  signature_missing: 401,
  signature_malformed: 401,
  signature_mismatch: 401,
  timestamp_missing: 401,
  timestamp_malformed: 401,
  timestamp_stale: 401,
  credential_missing: 401,
  credential_mismatch: 401,
  token_invalid: 401,
  sender_mismatch: 401,
  source_not_allowed: 401,
  unknown_connection: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  body_compressed: 415,
  secret_not_ready: 503,
  secrets_unavailable: 503,
  queue_unavailable: 503,
  fault: 503,
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** Why a delivery is refused: the check that failed, never the value that was expected. */
export type Refusal = { code: RefusalCode; detail: string };

/** The result of verifying a delivery; `undefined` when it is valid. */
export type Verdict = Refusal | undefined;
