import type { compile } from '@jmespath-community/jmespath';
import type { Content } from '../functions/delivery.ts';

export type ExpressionNode = ReturnType<typeof compile>;

/** Puts a value at a plain path such as `body.chat.id`. @returns whether the expression is such a path */
export function assign(node: ExpressionNode, value: unknown, content: Content): boolean {
  const path = fieldsOf(node);
  const last = path?.pop();
  if (!path?.length || last === undefined) return false;
  let place = content as Record<string, unknown>;
  for (const field of path) {
    if (!Object.hasOwn(place, field)) place[field] = {};
    if (typeof place[field] !== 'object' || place[field] === null) return false;
    place = place[field] as Record<string, unknown>;
  }
  place[last] = value;
  return true;
}

function fieldsOf(node: ExpressionNode): string[] | undefined {
  if (node.type === 'Field') return [node.name];
  if (node.type !== 'Subexpression') return undefined;
  const left = fieldsOf(node.left);
  const right = fieldsOf(node.right);
  return left && right && [...left, ...right];
}
