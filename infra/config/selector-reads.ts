import { compile } from '@jmespath-community/jmespath';

export type Node = ReturnType<typeof compile>;

/** What an expression may read from the object that it sees. */
export type Reads = {
  /** The keys of that object. */
  keys: Set<string>;
  /** The keys of its `headers`. */
  headers: Set<string>;
  /** Whether it uses the object as a whole, as in `@`, `*` or `values(@)`, and so may read every key. */
  everything: boolean;
  /** Whether it uses its `body` as a list, as in `body[0]` or `body[].id`. */
  bodyAsList: boolean;
};

/** What a part of an expression may give: the whole object, its headers or its body. Empty for anything else. */
type Value = ReadonlySet<'root' | 'headers' | 'body'>;
type Scope = { current: Value; variables: ReadonlyMap<string, Value> };

const ROOT: Value = new Set(['root']);
const OTHER: Value = new Set();
/** Nodes that go through a list. */
const LISTS: Node['type'][] = ['Projection', 'FilterProjection', 'Flatten'];

/**
 * Follows where the object that an expression sees can go. In doubt it reports more than is read.
 *
 * @throws {Error} when the expression does not parse
 */
export function readsOf(expression: string): Reads {
  const reads: Reads = { keys: new Set(), headers: new Set(), everything: false, bodyAsList: false };
  use(reads, visit(reads, compile(expression), { current: ROOT, variables: new Map() }));
  return reads;
}

/** The parts of an expression. A literal has no parts. */
export function childrenOf(node: Node): Node[] {
  return node.type === 'Literal' ? [] : Object.values(node).flatMap(nodesIn);
}

function nodesIn(value: unknown): Node[] {
  return [value].flat().filter((each): each is Node => {
    return typeof each === 'object' && each !== null && 'type' in each;
  });
}

function visit(reads: Reads, node: Node, scope: Scope): Value {
  switch (node.type) {
    case 'Field':
      return visitField(reads, node.name, scope.current);
    case 'Current':
    case 'Identity':
      return scope.current;
    case 'Root':
      return ROOT;
    case 'Literal':
      return OTHER;
    case 'Variable':
      return scope.variables.get(node.name) ?? OTHER;
    case 'IndexExpression': {
      const list = visit(reads, node.left, scope);
      if (list.has('body')) reads.bodyAsList = true;
      return visit(reads, node.right, { ...scope, current: list });
    }
    case 'Subexpression':
    case 'Pipe':
      return visit(reads, node.right, { ...scope, current: visit(reads, node.left, scope) });
    case 'OrExpression':
    case 'AndExpression':
      return new Set([...visit(reads, node.left, scope), ...visit(reads, node.right, scope)]);
    case 'LetExpression': {
      const bound = node.bindings.map(
        ({ variable, reference }) => [variable, visit(reads, reference, scope)] as const,
      );
      return visit(reads, node.expression, {
        ...scope,
        variables: new Map([...scope.variables, ...bound]),
      });
    }
    default:
      visitParts(reads, node, scope);
      return OTHER;
  }
}

function visitField(reads: Reads, name: string, current: Value): Value {
  if (current.has('headers')) reads.headers.add(name);
  if (!current.has('root')) return OTHER;
  reads.keys.add(name);
  return name === 'headers' || name === 'body' ? new Set([name]) : OTHER;
}

/** A projection or `&expression` sees elements of a value. If the value is the whole object, everything is read anyway. */
function visitParts(reads: Reads, node: Node, scope: Scope): void {
  const seesElements = (key: string) =>
    node.type === 'ExpressionReference' || (node.type.endsWith('Projection') && key !== 'left');
  for (const [key, value] of Object.entries(node)) {
    const inside = seesElements(key) ? { ...scope, current: OTHER } : scope;
    for (const part of nodesIn(value)) {
      const given = visit(reads, part, inside);
      use(reads, given);
      if (given.has('body') && (key === 'left' || key === 'child') && LISTS.includes(node.type))
        reads.bodyAsList = true;
    }
  }
}

function use(reads: Reads, value: Value): void {
  if (value.has('root')) reads.everything = true;
}
