import { compile, TreeInterpreter } from '@jmespath-community/jmespath';

/** @param seen a delivery's `{ body, headers, query }`, or an event of a bus */
export type Selector = (seen: unknown) => unknown;

const compiled = new Map<string, Selector>();

/**
 * Compiles a JMESPath expression to a function, once for each expression. The function returns `undefined` when it
 * meets a type that it cannot work on, as `contains(body.tags, 'x')` without tags.
 *
 * @throws {Error} when the expression cannot be parsed; synth has already checked that it can
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
