import type { Crm } from './crm.ts';

/**
 * Any event of any bus, an application's own too. The connection's `eventPattern` decides which, and unless it
 * has `finishedWhen` each of those means finished; its selector says where the id is.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
 */
const eventbridge: Crm = {
  bus: 'own pattern',
  verify: { scheme: 'event-bus' },
  vendorIssuesSecret: false,
  takes: ['bus', 'eventPattern', 'conversationId', 'finishedWhen', 'lookUp', 'sharedId', 'repeatedFinish'],
  requires: ['bus', 'eventPattern'],
  requiresOneOf: ['conversationId', 'sharedId'],
  read: () => [{ finished: true }],
};

export default eventbridge;
