import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { CANARY } from '../functions/canary-delivery.ts';
import { ENVIRONMENT } from '../functions/environment.ts';
import { rateInMinutes } from './config/duration.ts';
import { createFunction } from './function.ts';
import { createScheduleGroup } from './schedule-group.ts';
import type { Shared } from './shared.ts';
import { readStackSecrets } from './stack-secrets.ts';

/** Reading the secret, and ten seconds for the answer. */
const TIMEOUT = Duration.seconds(20);
/** A run that could not begin by then is left to the next one. */
const START_WITHIN = Duration.minutes(1);

/** The schedule and the function that sends a delivery for a conversation that cannot exist. */
export class Canary extends Construct {
  readonly handler: LambdaFunction;
  /** The time between two runs. */
  readonly everyMinutes: number;

  /** Adds the canary if the configuration has one, which it may have only with an API. */
  static add(scope: Construct, shared: Shared, url: string | undefined): Canary | undefined {
    const { canary } = shared.configuration.stack;
    return canary && url ? new Canary(scope, shared, url, canary.schedule) : undefined;
  }

  private constructor(scope: Construct, shared: Shared, url: string, schedule: string) {
    super(scope, 'Canary');
    const { handler, role } = createFunction(this, 'canary', shared, {
      description:
        'Sends a delivery for a conversation that cannot exist, to show that the whole chain works',
      timeout: TIMEOUT,
      memorySize: 256,
      // A second delivery in the same minute would tell no more.
      retryAttempts: 0,
      maxEventAge: START_WITHIN,
      environment: {
        [ENVIRONMENT.canaryUrl]: `${url}/webhooks/${CANARY}`,
        [ENVIRONMENT.canarySecretId]: shared.secrets.connections.get(CANARY)?.id ?? '',
      },
    });
    readStackSecrets(role, shared.secrets, 'connections', [CANARY]);
    this.handler = handler;
    this.everyMinutes = rateInMinutes(schedule);
    this.addSchedule(schedule);
  }

  private addSchedule(expression: string): void {
    const scope = new Construct(this, 'Schedule');
    const { group, role } = createScheduleGroup(scope, 'canary', this.handler);
    const schedule = new CfnSchedule(scope, 'Run', {
      description: 'Runs the canary',
      groupName: group.ref,
      scheduleExpression: expression,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: this.handler.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: START_WITHIN.toSeconds() },
      },
    });
    // A schedule without the permission to call would miss its first run.
    schedule.node.addDependency(role);
  }
}
