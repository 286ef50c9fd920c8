/** Every cause that a verdict can have. docs/why.md has a section for each. */
export const CAUSES = [
  'not_arrived',
  'refused',
  'not_finished',
  'no_conversation_id',
  'unusable_conversation_id',
  'rehearsed',
  'waiting',
  'dead_lettered',
  'closed',
  'closed_by_cleanup',
  'already_ended',
  'not_found',
  'no_conversation',
  'look_up_expired',
  'cleanup_gave_up',
] as const;

export type Cause = (typeof CAUSES)[number];

/** The causes with which a chat is over. */
export const OVER: readonly Cause[] = ['closed', 'closed_by_cleanup', 'already_ended'];

/** Why a chat was or was not closed. */
export type Verdict = {
  cause: Cause;
  /** Whether the adapter will do nothing more unless somebody acts, or something new arrives. */
  final: boolean;
  sentence: string;
  /** A command or a step, wherever a person can act. */
  next?: string;
  /** ISO 8601, UTC: when the worker tries again. */
  nextTryAt?: string;
};
