import { Duration } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { isOnBus } from './config/bus.ts';
import type { Configuration, ConnectionConfiguration } from './config/load.ts';
import { EventRules } from './event-rules.ts';
import { createFunction, type FunctionSettings } from './function.ts';
import { consume, sendTo } from './grants.ts';
import { createQueues, feed, type QueuePair, requireVisibility } from './queues.ts';

/** Enough to queue the closes of ten events with a hundred closes each. */
const TIMEOUT = Duration.seconds(10);
/** Short enough that an id that must be looked up is still fresh at the second try. */
const VISIBILITY = Duration.seconds(60);
/** With this visibility, a message that cannot be read is a dead letter within the hour. */
const MAX_RECEIVES = 20;
/** The fewest concurrent calls that Lambda accepts for a queue. */
const MIN_CONCURRENCY = 2;

/** Returns the connections whose events come over a bus, by name. */
export function connectionsOnBuses({ connections }: Configuration): [string, ConnectionConfiguration][] {
  return Object.entries(connections).filter(([, { crm }]) => isOnBus(crm));
}

/**
 * The rules, the queue that they fill, and the function that reads the events and queues the closes that they ask
 * for. Events wait in the queue, and are tried again there, while the function cannot read them.
 */
export class Events extends Construct {
  readonly queues: QueuePair;
  readonly handler: NodejsFunction;

  constructor(
    scope: Construct,
    id: string,
    props: {
      settings: FunctionSettings;
      connections: [string, ConnectionConfiguration][];
      closes: IQueue;
      /** The worker's; this function gets half of it. */
      maxConcurrency: number;
    },
  ) {
    super(scope, id);
    const { settings, connections, closes, maxConcurrency } = props;
    const ids = { queue: 'Queue', deadLetters: 'DeadLetters' };
    this.queues = createQueues(this, ids, { visibility: VISIBILITY, maxReceives: MAX_RECEIVES });
    new EventRules(this, 'Rules', connections, this.queues);
    const { handler, role } = createFunction(this, 'event', settings, {
      description: 'Reads the events of buses and queues the closes that they ask for',
      timeout: TIMEOUT,
      // Nobody waits for a cold start, so this needs less memory than the receiver.
      memorySize: 256,
      environment: { [ENVIRONMENT.closeQueueUrl]: closes.queueUrl },
    });
    const { queue } = this.queues;
    for (const each of [consume(queue), sendTo(closes)]) role.addToPolicy(each);
    requireVisibility(VISIBILITY, TIMEOUT);
    // A new account may run ten functions at once. Webhooks get those that the worker and this function leave.
    feed(handler, queue, Math.max(MIN_CONCURRENCY, Math.floor(maxConcurrency / 2)));
    this.handler = handler;
  }
}
