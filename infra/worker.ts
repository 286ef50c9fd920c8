import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { createFunction } from './function.ts';
import { consume, postpone, sendTo } from './grants.ts';
import { createQueues, feed, type QueuePair, requireVisibility } from './queues.ts';
import type { Shared } from './shared.ts';
import { readStackSecrets } from './stack-secrets.ts';

/** One call of ten seconds, a second one after a changed secret, and settling them. */
const TIMEOUT = Duration.seconds(30);
const VISIBILITY = Duration.seconds(180);
/** Far above what any back-off needs: only a message that crashes its function is received so often. */
const MAX_RECEIVES = 1000;

/** Creates the close queue and its dead-letter queue. Every other function needs the close queue's address. */
export function createCloseQueues(scope: Construct, key: IKey | undefined): QueuePair {
  const ids = { queue: 'Closes', deadLetters: 'DeadLetters' };
  return createQueues(scope, ids, { visibility: VISIBILITY, maxReceives: MAX_RECEIVES, key });
}

/** The function that takes closes off their queue, calls PolyAI and settles the outcome. */
export class Worker extends Construct {
  readonly handler: LambdaFunction;

  constructor(scope: Construct, shared: Shared) {
    super(scope, 'Close');
    const { configuration, secrets, closes, deadLetters } = shared;
    const { handler, role } = createFunction(this, 'close', shared, {
      description: 'Closes chats at PolyAI and settles what comes of it',
      timeout: TIMEOUT,
      // It mostly waits for PolyAI, with ten calls side by side. docs/performance.md has its measured memory.
      memorySize: 160,
      environment: {
        [ENVIRONMENT.closeQueueUrl]: closes.queueUrl,
        [ENVIRONMENT.deadLetterQueueUrl]: deadLetters.queueUrl,
      },
    });
    readStackSecrets(role, secrets, 'polyai');
    // A close that must wait is sent back, and a shared id that was resolved is queued as a new close.
    for (const each of [consume(closes), postpone(closes), sendTo(closes), sendTo(deadLetters)]) {
      role.addToPolicy(each);
    }
    requireVisibility(VISIBILITY, TIMEOUT);
    feed(handler, closes, configuration.stack.maxConcurrency);
    this.handler = handler;
  }
}
