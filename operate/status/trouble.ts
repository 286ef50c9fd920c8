/** What can be wrong with a stack, worst first: this order is the order of the report. */
export const TROUBLES = [
  'worker_stopped',
  'refused',
  'unauthorized',
  'misdirected',
  'unknown_target',
  'dead_letters',
  'event_dead_letters',
  'not_found',
  'unavailable',
  'throttled',
  'unconfirmed',
  'resolved',
  'cleanup_incomplete',
  'fault',
  'alarm',
] as const;

export type TroubleCause = (typeof TROUBLES)[number];

/** Something that is wrong now. */
export type Trouble = {
  cause: TroubleCause;
  connection?: string;
  project?: string;
  /** How many chats it concerns; of refused deliveries and faults, how many there were. */
  chats: number;
  /** ISO 8601, UTC. */
  since: string;
  /** ISO 8601, UTC: until then it needs no redrive, if the cause ends or is fixed. */
  healsUntil?: string;
  sentence: string;
  /** A command or a step. */
  next: string;
};

/** Orders troubles: the worst cause first, then the most chats. */
export function worstFirst(troubles: readonly Trouble[]): Trouble[] {
  const rank = ({ cause }: Trouble) => TROUBLES.indexOf(cause);
  return [...troubles].sort((a, b) => rank(a) - rank(b) || b.chats - a.chats);
}
