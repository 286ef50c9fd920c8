import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { type CleanupConfiguration, CleanupSchedules } from './cleanup-schedules.ts';
import { createFunction } from './function.ts';
import { sendTo } from './grants.ts';
import type { Shared } from './shared.ts';
import { readStackSecrets } from './stack-secrets.ts';

/** The longest that Lambda allows: PolyAI's list may be slow. The next run takes what is left. */
const TIMEOUT = Duration.minutes(15);
const START_WITHIN = Duration.minutes(15);

/** The schedules, and the function that looks for chats that were left open and queues their closes. */
export class Cleanup extends Construct {
  readonly handler: LambdaFunction;
  readonly schedules: CleanupSchedules;
  /** The projects that have a cleanup, by name. */
  readonly projects: [string, CleanupConfiguration][];

  /** Adds the cleanup, unless no project has one. */
  static add(scope: Construct, shared: Shared): Cleanup | undefined {
    const projects = Object.entries(shared.configuration.projects).flatMap(
      ([name, { cleanup }]): Cleanup['projects'] => (cleanup ? [[name, cleanup]] : []),
    );
    return projects.length > 0 ? new Cleanup(scope, shared, projects) : undefined;
  }

  private constructor(scope: Construct, shared: Shared, projects: Cleanup['projects']) {
    super(scope, 'Cleanup');
    const { secrets, closes } = shared;
    const { handler, role } = createFunction(this, 'cleanup', shared, {
      description: 'Looks for chats that were left open and queues their closes',
      timeout: TIMEOUT,
      // A page of PolyAI's list includes transcripts.
      memorySize: 1024,
      retryAttempts: 0,
      maxEventAge: START_WITHIN,
      environment: { [ENVIRONMENT.closeQueueUrl]: closes.queueUrl },
    });
    const names = projects.map(([name]) => name);
    readStackSecrets(role, secrets, 'polyai', names);
    role.addToPolicy(sendTo(closes));
    this.handler = handler;
    this.projects = projects;
    this.schedules = new CleanupSchedules(this, 'Schedules', projects, {
      handler,
      startWithin: START_WITHIN,
    });
  }
}
