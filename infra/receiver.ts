import { Duration } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { isOnBus } from './config/bus.ts';
import type { Configuration } from './config/load.ts';
import { createFunction, type FunctionSettings } from './function.ts';
import { Gateway } from './gateway.ts';
import { sendTo } from './grants.ts';
import { readStackSecrets, type StackSecrets } from './stack-secrets.ts';

/** A CRM waits five seconds. Each call that the function makes has a shorter timeout. */
const TIMEOUT = Duration.seconds(10);

/** Says whether any connection is a webhook: without one there is no receiver and no API. */
export function hasWebhooks({ connections }: Configuration): boolean {
  return Object.values(connections).some(({ crm }) => !isOnBus(crm));
}

/** The gateway and the function that verifies webhooks and queues the closes that they ask for. */
export class Receiver extends Construct {
  readonly handler: NodejsFunction;
  readonly gateway: Gateway;

  constructor(
    scope: Construct,
    id: string,
    props: {
      settings: FunctionSettings;
      stack: Configuration['stack'];
      secrets: StackSecrets;
      closes: IQueue;
    },
  ) {
    super(scope, id);
    const { settings, stack, secrets, closes } = props;
    const { handler, role } = createFunction(this, 'receive', settings, {
      description: 'Verifies webhooks and queues the closes that they ask for',
      timeout: TIMEOUT,
      // More memory means more processor, which shortens a cold start while a CRM waits.
      memorySize: 512,
      environment: { [ENVIRONMENT.closeQueueUrl]: closes.queueUrl },
    });
    readStackSecrets(role, secrets, 'connections');
    role.addToPolicy(sendTo(closes));
    this.handler = handler;
    this.gateway = new Gateway(this, 'Gateway', handler, stack);
  }
}
