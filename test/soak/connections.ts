import type { Connection } from '../../functions/connections.ts';
import { overBody } from '../../functions/crm/crm.ts';
import { CRMS } from '../../functions/crm/index.ts';

/** The name of a secret of the stack's own. */
export const SECRET = (kind: string, name: string) => `polyai-chat-closer/${kind}/${name}/secret`;

/** What the deployment has: two of Zendesk's, batches of a custom CRM, and tickets that are looked up. */
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
  if (!verify || typeof verify === 'function') throw new Error('Zendesk has a proof of its own');
  return { crm: 'zendesk', project, secretId: SECRET('connections', project), verify };
}
