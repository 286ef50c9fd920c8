import type { Crm } from './crm.ts';

/**
 * Any event on any bus, including the events of your own applications. The connection's `eventPattern` decides which
 * events come here. Each of them means finished, unless the connection has `finishedWhen`. A selector of the
 * connection says where the id is.
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
