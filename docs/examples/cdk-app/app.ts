import { App, Stack } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { ChatCloser } from 'polyai-chat-closer';

const app = new App();
const stack = new Stack(app, 'support-desk');

// Resources of your own may stand beside it.
new Queue(stack, 'Tickets', { enforceSSL: true });

// The object that connections.json would hold, or the path of such a file.
const chats = new ChatCloser(stack, 'Chats', {
  configuration: {
    polyai: {
      support: {
        region: 'uk-1',
        accountId: 'acme-uk',
        projectId: 'PROJECT-191bfa2a',
        // Only where PolyAI is not at its own address, as in a local test.
        ...(process.env.POLYAI_URL && { baseUrl: process.env.POLYAI_URL }),
      },
    },
    connections: {
      'zendesk-support': { crm: 'zendesk', polyai: 'support' },
    },
  },
});

// An alarm of your own on one of its metrics.
chats
  .metric('Closes', { project: 'support', outcome: 'misdirected' })
  .createAlarm(stack, 'Misdirected', { threshold: 1, evaluationPeriods: 1 });
