import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { isOnBus } from './config/bus.ts';
import type { ConnectionConfiguration } from './config/load.ts';
import { encryptionKey } from './encryption.ts';
import { EventRules } from './event-rules.ts';
import { createFunction } from './function.ts';
import { consume, sendTo } from './grants.ts';
import { createQueues, feed, type QueuePair, requireVisibility } from './queues.ts';
import type { Shared } from './shared.ts';

/** Enough to queue the closes of ten events with a hundred closes each. */
const TIMEOUT = Duration.seconds(10);
/** Short enough that an id that must be looked up is still fresh at the second try. */
const VISIBILITY = Duration.seconds(60);
/** With this visibility, a message that cannot be read is a dead letter within the hour. */
const MAX_RECEIVES = 20;
/** The fewest concurrent calls that Lambda accepts for a queue. */
const MIN_CONCURRENCY = 2;

/**
 * The rules, the queue that they fill, and the function that reads the events and queues the closes that they ask
 * for. Events wait in the queue, and are tried again there, while the function cannot read them.
 */
export class Events extends Construct {
  readonly queues: QueuePair;
  readonly handler: LambdaFunction;

  /** Adds the way in for events, unless no connection is on a bus. */
  static add(scope: Construct, shared: Shared): Events | undefined {
    const connections = Object.entries(shared.configuration.connections).filter(([, { crm }]) =>
      isOnBus(crm),
    );
    return connections.length > 0 ? new Events(scope, shared, connections) : undefined;
  }

  private constructor(scope: Construct, shared: Shared, connections: [string, ConnectionConfiguration][]) {
    super(scope, 'Event');
    const { configuration, closes } = shared;
    const ids = { queue: 'Queue', deadLetters: 'DeadLetters' };
    this.queues = createQueues(this, ids, {
      visibility: VISIBILITY,
      maxReceives: MAX_RECEIVES,
      key: encryptionKey(this, configuration.stack),
    });
    new EventRules(this, 'Rules', connections, this.queues);
    const { handler, role } = createFunction(this, 'event', shared, {
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
    feed(handler, queue, Math.max(MIN_CONCURRENCY, Math.floor(configuration.stack.maxConcurrency / 2)));
    this.handler = handler;
  }
}
