import type { EventConnection, WebhookConnection } from '../../functions/bound-connection.ts';
import type { Connection } from '../../functions/connections.ts';
import { CRMS } from '../../functions/crm/index.ts';
import { SCHEMES } from '../../functions/schemes/index.ts';

/** A webhook with its preset and scheme, as infra/bundle.ts binds them. */
export function bindWebhook(connection: Connection): WebhookConnection {
  const { scheme } = connection.verify;
  if (scheme === 'event-bus')
    throw new Error(`${connection.crm} is not a webhook: its events come over a bus`);
  return { ...bindEvents(connection), scheme: SCHEMES[scheme] };
}

export function bindWebhooks(connections: Record<string, Connection>): Record<string, WebhookConnection> {
  return bindEach(connections, bindWebhook);
}

/** A connection on a bus with its preset, as infra/bundle.ts binds it. */
export function bindEvents(connection: Connection): EventConnection {
  const preset = CRMS[connection.crm];
  if (!preset) throw new Error(`no preset is called ${connection.crm}`);
  return { ...connection, preset };
}

export function bindAllEvents(connections: Record<string, Connection>): Record<string, EventConnection> {
  return bindEach(connections, bindEvents);
}

function bindEach<Bound>(
  connections: Record<string, Connection>,
  bind: (connection: Connection) => Bound,
): Record<string, Bound> {
  return Object.fromEntries(Object.entries(connections).map(([name, each]) => [name, bind(each)]));
}
