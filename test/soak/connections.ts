import type { Connection } from '../../functions/connections.ts';
import { overBody } from '../../functions/crm/crm.ts';
import { CRMS } from '../../functions/crm/index.ts';

/** A connection with the secret that its CRM signs with now. */
export type Address = { connection: Connection; secret: { signingSecret: string } };

/** The name of a secret that belongs to the stack. */
export const SECRET = (kind: string, name: string) => `polyai-chat-closer/${kind}/${name}/secret`;

/** The connections that exist from the start; `added` comes with a deployment. */
export const FIRST_CONNECTIONS = ['support', 'batches', 'tickets'];

/** The connections of the deployment: two of Zendesk, batches of a custom CRM, and tickets that are looked up. */
export const CONNECTIONS: Record<string, Connection> = {
  support: zendesk('support'),
  added: zendesk('added'),
  batches: {
    crm: 'custom',
    project: 'batches',
    secretId: SECRET('connections', 'batches'),
    verify: overBody({ header: 'x-signature', algorithm: 'sha256', encoding: 'hex' }),
    finishedWhen: "body.status == 'closed'",
    conversationId: 'body.chats[].id',
  },
  tickets: {
    crm: 'hubspot',
    project: 'tickets',
    secretId: SECRET('connections', 'tickets'),
    verify: { scheme: 'hubspot' },
    finishedValues: ['4'],
    lookUp: 'sharedId',
  },
};

function zendesk(project: string): Connection {
  const verify = CRMS.zendesk?.verify;
  if (!verify || typeof verify === 'function') throw new Error('Zendesk has no fixed settings for verify');
  return { crm: 'zendesk', project, secretId: SECRET('connections', project), verify };
}
