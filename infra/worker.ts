import { Duration } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import type { Configuration } from './config/load.ts';
import { createFunction, type FunctionSettings } from './function.ts';
import { consume, postpone, sendTo } from './grants.ts';
import { createQueues, feed, type QueuePair, requireVisibility } from './queues.ts';
import { readStackSecrets, type StackSecrets } from './stack-secrets.ts';

/** One call of ten seconds, a second one after a changed secret, and settling them. */
const TIMEOUT = Duration.seconds(30);
const VISIBILITY = Duration.seconds(180);
/** Far above what any back-off needs: only a message that crashes its function is received so often. */
const MAX_RECEIVES = 1000;

/** Creates the close queue and its dead-letter queue. Every other function needs the close queue's address. */
export function createCloseQueues(scope: Construct): QueuePair {
  const ids = { queue: 'Closes', deadLetters: 'DeadLetters' };
  return createQueues(scope, ids, { visibility: VISIBILITY, maxReceives: MAX_RECEIVES });
}

/** The function that takes closes off their queue, calls PolyAI and settles the outcome. */
export class Worker extends Construct {
  readonly handler: NodejsFunction;

  constructor(
    scope: Construct,
    id: string,
    props: {
      settings: FunctionSettings;
      configuration: Configuration;
      secrets: StackSecrets;
      closes: QueuePair;
    },
  ) {
    super(scope, id);
    const { settings, configuration, secrets, closes } = props;
    const { queue, deadLetters } = closes;
    const { handler, role } = createFunction(this, 'close', settings, {
      description: 'Closes chats at PolyAI and settles what comes of it',
      timeout: TIMEOUT,
      // It mostly waits for PolyAI, with ten calls side by side.
      memorySize: 256,
      environment: {
        [ENVIRONMENT.closeQueueUrl]: queue.queueUrl,
        [ENVIRONMENT.deadLetterQueueUrl]: deadLetters.queueUrl,
      },
    });
    readStackSecrets(role, secrets, 'polyai');
    for (const each of [consume(queue), postpone(queue), sendTo(deadLetters)]) role.addToPolicy(each);
    // A shared id that was resolved is queued as a new close.
    if (looksUp(configuration)) role.addToPolicy(sendTo(queue));
    requireVisibility(VISIBILITY, TIMEOUT);
    feed(handler, queue, configuration.stack.maxConcurrency);
    this.handler = handler;
  }
}

function looksUp({ connections }: Configuration): boolean {
  return Object.values(connections).some(({ lookUp }) => lookUp);
}
