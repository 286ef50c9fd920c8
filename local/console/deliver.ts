import { randomInt } from 'node:crypto';
import type { ConnectionConfiguration } from '../../infra/config/load.ts';
import { prepareDelivery, requireSendable } from '../../operate/send.ts';
import { closesOf } from '../../samples/sample-delivery.ts';
import type { ConsoleParts } from './parts.ts';
import type { DeliveryRecord, Entry } from './record.ts';
import type { Draft, Kind } from './view.ts';

export type Order = {
  connection: string;
  kind: Exclude<Kind, 'outside'>;
  conversationId?: string;
  /** The body to send instead of the example's. */
  body?: string;
  /** Leaves the signature of the example on the given body, as somebody on the way would. */
  keepSignature?: boolean;
};

const ANSWER_MS = 30_000;
const CONTENT = ({ kind, conversationId }: Order) => ({
  forge: kind === 'forged',
  notFinished: kind === 'not_finished',
  ...(conversationId && { conversationId }),
});

/** Makes the body that a delivery would have, for the page to edit. @throws {OperatorError} when none can be made */
export async function draft(order: Order, parts: ConsoleParts): Promise<Draft> {
  const conversationId = order.conversationId ?? `CONV-${randomInt(1e9, 1e10)}`;
  const { body } = await prepare({ ...order, conversationId }, conversationId, parts);
  return { conversationId, body };
}

/**
 * Sends a delivery as its CRM would, after opening its chat at the stand-in, and records it.
 *
 * @throws {OperatorError} when the connection cannot be sent to, or no example can be made
 */
export async function deliver(order: Order, record: DeliveryRecord, parts: ConsoleParts): Promise<Entry> {
  const conversationId = order.conversationId ?? `CONV-${randomInt(1e9, 1e10)}`;
  const example = await prepare(order, conversationId, parts);
  const { body } = order;
  const isEdited = body !== undefined && body !== example.body;
  const signed = isEdited && !order.keepSignature ? await sign(order, conversationId, body, parts) : example;
  const request = { url: signed.url, headers: signed.headers, body: body ?? signed.body };
  openChat(order.connection, conversationId, request.body, parts);
  const { connection, kind } = order;
  const entry = record.add({ connection, kind, conversationId, request });
  record.answered(entry, await post(request));
  return entry;
}

async function prepare(order: Order, conversationId: string, parts: ConsoleParts) {
  const content = CONTENT({ ...order, conversationId });
  const { deployment, aws } = parts;
  const connection = requireSendable(order.connection, deployment);
  const example = await prepareDelivery(
    order.connection,
    connection,
    content,
    conversationId,
    deployment,
    aws,
  );
  if (order.kind !== 'without_id') return example;
  return sign(order, conversationId, example.body.replaceAll(conversationId, ''), parts);
}

async function sign(order: Order, conversationId: string, body: string, { deployment, aws }: ConsoleParts) {
  const connection = requireSendable(order.connection, deployment);
  const content = { ...CONTENT(order), body };
  return prepareDelivery(order.connection, connection, content, conversationId, deployment, aws);
}

/** A chat that the stand-in knows is not opened again. With a look-up, the shared id of the body leads to it. */
function openChat(name: string, conversationId: string, text: string, parts: ConsoleParts): void {
  const { standIn, deployment } = parts;
  if (!standIn || standIn.chats().some((chat) => chat.conversationId === conversationId)) return;
  const connection = deployment.configuration.connections[name] as ConnectionConfiguration;
  const project = deployment.configuration.projects[connection.polyai];
  standIn.openChat(project && { accountId: project.accountId, projectId: project.projectId }, {
    conversationId,
  });
  const [close] = closesOf(connection, { text, headers: {}, query: '' }) ?? [];
  if (close?.sharedId) standIn.share(close.sharedId, conversationId);
}

async function post({ url, headers, body }: { url: string; headers: Record<string, string>; body: string }) {
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    return { status: response.status, body: await response.text() };
  } catch (error) {
    return { status: 0, body: `No answer: ${(error as Error).message}` };
  }
}
