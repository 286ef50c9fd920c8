import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { isOnBus } from './config/bus.ts';
import { createFunction } from './function.ts';
import { Gateway } from './gateway.ts';
import { sendTo } from './grants.ts';
import type { Shared } from './shared.ts';
import { readStackSecrets } from './stack-secrets.ts';

/** A CRM waits five seconds. Each call that the function makes has a shorter timeout. */
const TIMEOUT = Duration.seconds(10);

/** The gateway and the function that verifies webhooks and queues the closes that they ask for. */
export class Receiver extends Construct {
  readonly handler: LambdaFunction;
  readonly gateway: Gateway;

  /** Adds the receiver, unless all connections are on buses. */
  static add(scope: Construct, shared: Shared): Receiver | undefined {
    const hasWebhooks = Object.values(shared.configuration.connections).some(({ crm }) => !isOnBus(crm));
    return hasWebhooks ? new Receiver(scope, shared) : undefined;
  }

  private constructor(scope: Construct, shared: Shared) {
    super(scope, 'Receive');
    const { configuration, secrets, closes } = shared;
    const { handler, role } = createFunction(this, 'receive', shared, {
      description: 'Verifies webhooks and queues the closes that they ask for',
      timeout: TIMEOUT,
      // More memory means more processor, which shortens a cold start while a CRM waits.
      memorySize: 512,
      environment: { [ENVIRONMENT.closeQueueUrl]: closes.queueUrl },
    });
    readStackSecrets(role, secrets, 'connections');
    role.addToPolicy(sendTo(closes));
    this.handler = handler;
    this.gateway = new Gateway(this, 'Gateway', handler, configuration.stack);
  }
}
