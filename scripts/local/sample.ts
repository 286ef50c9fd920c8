import { compile } from '@jmespath-community/jmespath';
import type { Content } from '../../functions/delivery.ts';
import type { ConnectionConfiguration } from '../../infra/config.ts';
import { prove, zendeskEvent } from '../../test/support/delivery.ts';

type ExpressionNode = ReturnType<typeof compile>;

/** A delivery ready to be sent. */
export type Sample = { url: string; headers: Record<string, string>; body: string };

const TICKET = '35436';

/**
 * What a connection's CRM would send when the conversation is finished, proven with its secret.
 *
 * @param url the connection's address
 * @returns `undefined` where no example can be derived from the connection's selectors
 */
export function sampleDelivery(
  url: string,
  connection: ConnectionConfiguration,
  secret: Record<string, string>,
  conversationId: string,
): Sample | undefined {
  const content = sampleContent(connection, conversationId);
  if (!content) return undefined;
  const body = JSON.stringify(content.body);
  const first = Object.fromEntries(
    Object.entries(secret).map(([key, value]) => [key, [value].flat()[0] ?? '']),
  );
  const { headers, query } = prove(connection.verify, first, { body, at: Date.now() });
  const search = [query, new URLSearchParams(content.query).toString()].filter(Boolean).join('&');
  return {
    url: search ? `${url}?${search}` : url,
    headers: { 'content-type': 'application/json', ...content.headers, ...headers },
    body,
  };
}

function sampleContent(connection: ConnectionConfiguration, conversationId: string): Content | undefined {
  const { crm, conversationId: idSelector, finishedWhen } = connection;
  const content: Content = { body: {}, headers: {}, query: {} };
  if (crm === 'zendesk') content.body = zendeskEvent({ externalId: conversationId, ticket: TICKET });
  const isFinished = !finishedWhen || finishedWhen === 'always' || satisfy(compile(finishedWhen), content);
  const hasId = !idSelector || assign(compile(idSelector), conversationId, content);
  return isFinished && hasId ? content : undefined;
}

/** Makes a condition true, where it is a comparison of a path with a literal, or several joined. */
function satisfy(node: ExpressionNode, content: Content): boolean {
  switch (node.type) {
    case 'Comparator': {
      const [path, literal] =
        node.left.type === 'Literal' ? [node.right, node.left] : [node.left, node.right];
      return node.name === 'EQ' && literal.type === 'Literal' && assign(path, literal.value, content);
    }
    case 'AndExpression':
      return satisfy(node.left, content) && satisfy(node.right, content);
    case 'OrExpression':
      return satisfy(node.left, content) || satisfy(node.right, content);
    default:
      return false;
  }
}

/** Puts a value where a plain path such as `body.chat.id` would find it. */
function assign(node: ExpressionNode, value: unknown, content: Content): boolean {
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

/** As a line to paste into a shell. */
export function curlLine({ url, headers, body }: Sample): string {
  const options = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  return ['curl -i', quote(url), ...options, '-d', quote(body)].join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
