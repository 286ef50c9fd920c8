import { compile, TreeInterpreter } from '@jmespath-community/jmespath';

/** @param seen what the selectors of a connection see: a delivery's `{ body, headers, query }`, or an event */
export type Selector = (seen: unknown) => unknown;

const compiled = new Map<string, Selector>();

/**
 * A JMESPath expression as a function. Compiled once.
 * A selector that meets a type it cannot work on (`contains(body.tags, 'x')` without tags) gives `undefined`.
 *
 * @throws {Error} when the expression does not parse; synth has checked that it does
 * @see https://jmespath.site
 */
export function selector(expression: string): Selector {
  let select = compiled.get(expression);
  if (!select) {
    const tree = compile(expression);
    select = (seen) => {
      try {
        return TreeInterpreter.search(tree, seen as never);
      } catch {
        return undefined;
      }
    };
    compiled.set(expression, select);
  }
  return select;
}
