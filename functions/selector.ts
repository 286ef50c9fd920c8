import { compile, TreeInterpreter } from '@jmespath-community/jmespath';
import type { Content } from './delivery.ts';

export type Selector = (content: Content) => unknown;

const compiled = new Map<string, Selector>();

/**
 * A JMESPath expression as a function over `{ body, headers, query }`. Compiled once.
 * A selector that meets a type it cannot work on (`contains(body.tags, 'x')` without tags) gives `undefined`.
 *
 * @throws {Error} when the expression does not parse; synth has checked that it does
 * @see https://jmespath.site
 */
export function selector(expression: string): Selector {
  let select = compiled.get(expression);
  if (!select) {
    const tree = compile(expression);
    select = (content) => {
      try {
        return TreeInterpreter.search(tree, content as never);
      } catch {
        return undefined;
      }
    };
    compiled.set(expression, select);
  }
  return select;
}
