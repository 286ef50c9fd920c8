const PROJECT = { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' };
const CLEANUP = { schedule: 'rate(1 hour)', channels: ['CHAT'], oldestOpenAlarm: '2d' };
const STACK = { alarms: { email: 'on-call@example.com' } };

/** Connections with a stack's own secret, spread over the projects. */
function webhooks(count: number, projects: readonly string[]) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `zendesk-${index + 1}`,
      { crm: 'zendesk', polyai: projects[index % projects.length] },
    ]),
  );
}

const MANY = ['retail', 'travel', 'billing', 'support', 'returns'];

/** The configurations of which docs/cost.md gives the cost, with what they are called there. */
export const CONFIGURATIONS = {
  smallest: {
    title: '1 project, 1 webhook',
    content: { stack: STACK, polyai: { support: PROJECT }, connections: webhooks(1, ['support']) },
  },
  usual: {
    title: '1 project with an hourly cleanup, 5 webhooks',
    content: {
      stack: STACK,
      polyai: { support: { ...PROJECT, cleanup: CLEANUP } },
      connections: webhooks(5, ['support']),
    },
  },
  onBus: {
    title: '1 project, 1 connection on a bus',
    content: {
      stack: STACK,
      polyai: { support: PROJECT },
      connections: {
        desk: {
          crm: 'eventbridge',
          polyai: 'support',
          bus: 'tickets',
          eventPattern: { source: ['acme.desk'], account: ['111122223333'] },
          finishedWhen: "detail.status == 'closed'",
          conversationId: 'detail.chat',
        },
      },
    },
  },
  large: {
    title: '5 projects with hourly cleanups, 20 webhooks',
    content: {
      stack: STACK,
      polyai: Object.fromEntries(
        MANY.map((name, index) => [name, { ...PROJECT, projectId: `PROJECT-${index}`, cleanup: CLEANUP }]),
      ),
      connections: webhooks(20, MANY),
    },
  },
} as const;

/** The configuration of the tables by the number of closes. */
export const SHOWN = 'usual' satisfies keyof typeof CONFIGURATIONS;
