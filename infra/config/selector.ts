import { compile, TreeInterpreter, TYPE_EXPREF } from '@jmespath-community/jmespath';
import { isId } from '../../functions/conversation-id.ts';
import { selector } from '../../functions/intake/selector.ts';
import { nearest, type Problem } from './fault.ts';
import { explainSyntax } from './jmespath-syntax.ts';
import { childrenOf, type Node } from './selector-reads.ts';

type Of<Type> = Node & { type: Type };

const EMPTY = { body: {}, headers: {}, query: {} };

/** Finds what would fail in every delivery. */
export function checkSelector(expression: string): Problem | undefined {
  try {
    const tree = compile(expression);
    // The library accepts an open string as closed. Only such an expression still compiles with one more quote.
    if (["'", '`'].some((quote) => compiles(expression + quote))) {
      return { problem: 'has an opening quotation mark without a closing one', fix: 'Close it' };
    }
    return checkNode(tree, new Set()) ?? checkHyphens(expression, tree);
  } catch (error) {
    return explainSyntax(expression, (error as Error).message);
  }
}

/**
 * A `finishedWhen` must not be true for an empty delivery, because then it would close every chat. `always` passes:
 * as a selector it gives nothing.
 */
export function checkFinishedWhen(expression: string): Problem | undefined {
  return (
    checkSelector(expression) ??
    (selector(expression)(EMPTY) === true
      ? {
          problem: 'is true for an empty delivery, so it would close every chat',
          fix: `Put text in single quotes, as in body.status == 'closed'. If every delivery means finished, write "always"`,
        }
      : undefined)
  );
}

/** A `conversationId` must not find an id in an empty delivery, because then it would close the same chat every time. */
export function checkConversationId(expression: string): Problem | undefined {
  const fault = checkSelector(expression);
  if (fault) return fault;
  const found = [selector(expression)(EMPTY)]
    .flat()
    .some((id) => isId(Number.isSafeInteger(id) ? String(id) : id));
  return found
    ? {
        problem: 'gives an id for an empty delivery, so it would ask for the same chat every time',
        fix: 'Write the path of the id, without quotation marks, as in body.chat.id',
      }
    : undefined;
}

function compiles(expression: string): boolean {
  try {
    compile(expression);
    return true;
  } catch {
    return false;
  }
}

function checkNode(node: Node, variables: ReadonlySet<string>): Problem | undefined {
  if (node.type === 'LetExpression') {
    const bound = new Set([...variables, ...node.bindings.map(({ variable }) => variable)]);
    const references = firstFault(
      node.bindings.map(({ reference }) => reference),
      variables,
    );
    return references ?? checkNode(node.expression, bound);
  }
  const check = CHECKS[node.type] as
    | ((node: Node, variables: ReadonlySet<string>) => Problem | undefined)
    | undefined;
  return check?.(node, variables) ?? firstFault(childrenOf(node), variables);
}

function firstFault(nodes: readonly Node[], variables: ReadonlySet<string>): Problem | undefined {
  for (const node of nodes) {
    const fault = checkNode(node, variables);
    if (fault) return fault;
  }
  return undefined;
}

/** Checks for what the library finds only when it evaluates. */
const CHECKS: {
  [Type in Node['type']]?: (node: Of<Type>, variables: ReadonlySet<string>) => Problem | undefined;
} = {
  Function: checkCall,
  Binding: () => ({ problem: 'compares with a single =', fix: 'Write == instead' }),
  Variable: ({ name }, variables) =>
    variables.has(name)
      ? undefined
      : { problem: `uses $${name}, but no let binds it`, fix: `Bind it, as in let $${name} = … in …` },
  // In the library ! binds tighter than the dot.
  Subexpression: ({ left }) =>
    left.type === 'NotExpression'
      ? { problem: 'reads a key of a negation', fix: 'Add parentheses, as in !(body.open)' }
      : undefined,
  Slice: ({ step }) =>
    step === 0 ? { problem: 'has a slice with a step of 0', fix: 'Write another step, or none' } : undefined,
};

function checkCall({ name, children }: Of<'Function'>): Problem | undefined {
  const functions = TreeInterpreter.runtime._functionTable;
  const signature = functions[name]?._signature;
  if (!signature) {
    const meant = nearest(name, Object.keys(functions));
    return {
      problem: `calls ${name}(), which does not exist`,
      fix: meant ? `Did you mean ${meant}()?` : 'The functions are listed on https://jmespath.site',
    };
  }
  const least = signature.filter(({ optional }) => !optional).length;
  const most = signature.at(-1)?.variadic ? Number.POSITIVE_INFINITY : signature.length;
  if (children.length < least || children.length > most) {
    const takes =
      least === most ? least : `${least} ${most === Number.POSITIVE_INFINITY ? 'or more' : `to ${most}`}`;
    return {
      problem: `gives ${name}() the wrong number of arguments (${children.length})`,
      fix: `It takes ${takes}`,
    };
  }
  const misplaced = children.findIndex((child, index) => {
    const types = signature[index]?.types ?? [];
    return types.includes(TYPE_EXPREF) && child.type !== 'ExpressionReference';
  });
  return misplaced < 0
    ? undefined
    : {
        problem: `gives ${name}() a value where it takes an expression`,
        fix: `Put & before argument ${misplaced + 1}, as in &id`,
      };
}

/** To JMESPath `headers.x-status` is a subtraction, which fails in every delivery. */
function checkHyphens(expression: string, tree: Node): Problem | undefined {
  const [name] =
    /\w+(?:-[A-Za-z_]\w*)+/.exec(expression.replace(/'(?:\\.|[^'])*'|"(?:\\.|[^"])*"/g, '')) ?? [];
  return name && subtracts(tree)
    ? {
        problem: `reads ${name} as a subtraction`,
        fix: `Put a name with a hyphen in double quotes, as in headers."${name}". Put spaces around a minus`,
      }
    : undefined;
}

function subtracts(node: Node): boolean {
  return (node.type === 'Arithmetic' && node.operator === 'Minus') || childrenOf(node).some(subtracts);
}
