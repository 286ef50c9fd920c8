import type { Selector } from './selector.ts';

/**
 * Replaces selector.ts, with its interpreter of JMESPath, in the bundle of a stack whose connections have no selector
 * (`#selector`). Nothing calls it there.
 *
 * @throws {Error} always
 */
export function selector(expression: string): Selector {
  throw new Error(`This function was built without selectors, so it cannot read ${expression}.`);
}
