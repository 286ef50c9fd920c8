import { Duration } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { CleanupSchedules } from './cleanup-schedules.ts';
import type { Configuration, ProjectConfiguration } from './config/load.ts';
import { createFunction, type FunctionSettings } from './function.ts';
import { sendTo } from './grants.ts';
import { readStackSecrets, type StackSecrets } from './stack-secrets.ts';

/** A project's `cleanup` in the configuration. */
export type CleanupConfiguration = NonNullable<ProjectConfiguration['cleanup']>;

/** The longest that Lambda allows: PolyAI's list may be slow. The next run takes what is left. */
const TIMEOUT = Duration.minutes(15);
const START_WITHIN = Duration.minutes(15);

/** Returns the projects that have a cleanup, by name. */
export function projectsWithCleanup({ projects }: Configuration): [string, CleanupConfiguration][] {
  return Object.entries(projects).flatMap(([name, { cleanup }]) => (cleanup ? [[name, cleanup]] : []));
}

/** The schedules, and the function that looks for chats that were left open and queues their closes. */
export class Cleanup extends Construct {
  readonly handler: NodejsFunction;
  readonly schedules: CleanupSchedules;

  constructor(
    scope: Construct,
    id: string,
    props: {
      settings: FunctionSettings;
      projects: [string, CleanupConfiguration][];
      secrets: StackSecrets;
      closes: IQueue;
    },
  ) {
    super(scope, id);
    const { settings, projects, secrets, closes } = props;
    const { handler, role } = createFunction(this, 'cleanup', settings, {
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
    this.schedules = new CleanupSchedules(this, 'Schedules', projects, {
      handler,
      startWithin: START_WITHIN,
    });
  }
}
