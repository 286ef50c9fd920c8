import type { Handling } from './options.ts';
import type { Surroundings } from './surroundings.ts';

/** A command that acts on more closes than this asks first. */
const CONFIRM_ABOVE = 100;

/**
 * Asks before a command acts on many closes, or on a plan, unless `--yes` was given.
 *
 * @returns whether to go on
 * @throws {OperatorError} when there is nobody to ask
 */
export async function confirm(
  closes: number,
  question: string,
  { yes, plan }: Pick<Handling, 'yes' | 'plan'>,
  { ask }: Pick<Surroundings, 'ask'>,
): Promise<boolean> {
  return (closes <= CONFIRM_ABOVE && !plan) || yes || ask(question);
}
