import { compile } from '@jmespath-community/jmespath';
import { CRMS } from '../functions/crm/index.ts';
import { type Content, readContent } from '../functions/delivery.ts';
import { readDelivery } from '../functions/intake/read-delivery.ts';
import type { VerifySettings } from '../functions/schemes/scheme.ts';
import type { ConnectionConfiguration } from '../infra/config/load.ts';
import { toConnection } from '../infra/config/to-connection.ts';
import { delivery, prove, zendeskEvent } from './delivery.ts';
import { CONVERSATION, fixtureNames, readFixture, textOf } from './fixture.ts';
import { assign, type ExpressionNode } from './plain-path.ts';
import { withTimeInBody } from './time-in-body.ts';

/** A delivery ready to be sent. */
export type Sample = {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Its headers and query without the proof. */
  own: { headers: Record<string, string>; query: string };
};

const TICKET = '35436';

/** A delivery before it is signed. Its query is its own, without a proof. */
export type Unsent = { text: string; headers: Record<string, string>; query: string };

/**
 * Makes the delivery that a connection's CRM would send when the conversation is finished, signed with its secret.
 *
 * @param url the connection's address as this machine reaches it, and as the CRM would have it
 * @returns `undefined` when no example can be made for the connection's settings, or it cannot be signed
 */
export function sampleDelivery(
  url: { reachable: string; signed: string },
  connection: ConnectionConfiguration,
  secret: Record<string, string>,
  conversationId: string,
): Sample | undefined {
  // With a look-up an example names a shared id, which only PolyAI could turn into this conversation.
  const unsent = connection.lookUp ? undefined : unsentDelivery(connection, conversationId);
  return unsent && signDelivery(url, connection.verify, secret, unsent);
}

/**
 * Signs a delivery with a connection's secret, as its CRM would now.
 *
 * @param url the connection's address as this machine reaches it, and as the CRM would have it
 * @returns `undefined` when only the vendor can sign
 */
export function signDelivery(
  url: { reachable: string; signed: string },
  verify: VerifySettings,
  secret: Record<string, string | string[]>,
  { text: unsignedText, headers, query }: Unsent,
): Sample | undefined {
  const first = firstValues(secret);
  if (isVendors(verify, first)) return undefined;
  const at = Date.now();
  const text = withTimeInBody(verify, unsignedText, at) ?? unsignedText;
  const signed = query ? `${url.signed}?${query}` : url.signed;
  const proof = prove(verify, first, { body: text, at, url: signed, method: 'POST' });
  const search = [query, proof.query].filter(Boolean).join('&');
  return {
    url: search ? `${url.reachable}?${search}` : url.reachable,
    headers: { 'content-type': 'application/json', ...headers, ...proof.headers },
    body: text,
    own: { headers, query },
  };
}

/** Makes a delivery that says that a conversation is finished; `undefined` when none can be made for the settings. */
export function unsentDelivery(
  connection: ConnectionConfiguration,
  conversationId: string,
): Unsent | undefined {
  return [derive(connection, conversationId), fromFixture(connection, conversationId)].find(
    (each) => each && asksFor(connection, each, conversationId),
  );
}

/** Makes a delivery about a conversation that is not finished; `undefined` when none can be made for the settings. */
export function unfinishedDelivery(
  connection: ConnectionConfiguration,
  conversationId: string,
): Unsent | undefined {
  const empty = { text: connection.format === 'form' ? '' : '{}', headers: {}, query: '' };
  return [fromFixture(connection, conversationId, 'not-finished.json'), empty].find(
    (each) => each !== undefined && asksForNothing(connection, each),
  );
}

/** Whether only the vendor has the key that signs. */
function isVendors({ scheme }: VerifySettings, { privateKey }: Record<string, string>): boolean {
  return scheme === 'jwt' || (scheme === 'rsa' && !privateKey);
}

/** The first value of each field. A field of a secret has several values during a rotation. */
export function firstValues(secret: Record<string, string | string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, [value].flat()[0] ?? '']));
}

/** Builds a delivery from the connection's selectors. For Zendesk it starts with the vendor's event. */
function derive(connection: ConnectionConfiguration, conversationId: string): Unsent | undefined {
  const { crm, conversationId: idSelector, finishedWhen } = connection;
  const content: Content = { body: {}, headers: {}, query: {} };
  if (crm === 'zendesk') content.body = zendeskEvent({ externalId: conversationId, ticket: TICKET });
  const isFinished = !finishedWhen || finishedWhen === 'always' || satisfy(compile(finishedWhen), content);
  const hasId = !idSelector || assign(compile(idSelector), conversationId, content);
  if (!isFinished || !hasId) return undefined;
  const query = new URLSearchParams(content.query).toString();
  const isForm = connection.format === 'form';
  return {
    text: isForm
      ? new URLSearchParams(content.body as Record<string, string>).toString()
      : JSON.stringify(content.body),
    headers: { ...(isForm && { 'content-type': 'application/x-www-form-urlencoded' }), ...content.headers },
    query,
  };
}

/** Takes the vendor's payload from the fixtures. */
function fromFixture(
  { crm }: ConnectionConfiguration,
  conversationId: string,
  name = 'finished.json',
): Unsent | undefined {
  if (!fixtureNames(crm).includes(name)) return undefined;
  const fixture = readFixture(crm, name);
  const about = (text: string) => text.replaceAll(CONVERSATION, conversationId);
  return { text: about(textOf(fixture)), headers: fixture.headers ?? {}, query: about(fixture.query ?? '') };
}

/** Whether the adapter would read the delivery as a close of this conversation and no other. */
function asksFor(connection: ConnectionConfiguration, unsent: Unsent, conversationId: string): boolean {
  const closes = closesOf(connection, unsent);
  const [close] = closes ?? [];
  // With a look-up the id in the example is the shared one.
  const id = connection.lookUp ? close?.sharedId : close?.conversationId;
  return closes?.length === 1 && (connection.lookUp ? id !== undefined : id === conversationId);
}

function asksForNothing(connection: ConnectionConfiguration, unsent: Unsent): boolean {
  return closesOf(connection, unsent)?.length === 0;
}

/** The closes that the adapter would read in the delivery; `undefined` when it would refuse it. */
export function closesOf(connection: ConnectionConfiguration, { text, headers, query }: Unsent) {
  const crm = CRMS[connection.crm];
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  try {
    const content = readContent(
      delivery({ headers: Object.fromEntries(lowered), query, body: text }),
      crm?.parse,
      connection,
    );
    const isFrom = !connection.sender || !crm?.isFrom || crm.isFrom(connection.sender, content);
    return crm && isFrom ? readDelivery(crm, toConnection(connection), content).closes : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a condition true, if it compares a path with a literal, or joins such comparisons. @returns whether it did */
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

/** The delivery as a `curl` line to paste into a shell. */
export function curlLine({ url, headers, body }: Pick<Sample, 'url' | 'headers' | 'body'>): string {
  const options = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  return ['curl -i', quote(url), ...options, '-d', quote(body)].join(' ');
}

/** Quotes a text so that a shell reads it unchanged. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
