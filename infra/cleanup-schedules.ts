import type { Duration } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { periodInMinutes } from './config/duration.ts';
import type { ProjectConfiguration } from './config/load.ts';
import { createScheduleGroup } from './schedule-group.ts';

/** Runs of many projects with the same schedule are spread over 15 minutes, or a quarter of their period. */
const MAX_WINDOW_MINUTES = 15;

/** A project's `cleanup` in the configuration. */
export type CleanupConfiguration = NonNullable<ProjectConfiguration['cleanup']>;

/**
 * One schedule for each project. It calls the function with the project's name, once: a run that fails is not tried
 * again, because it would ask for as many closes again.
 */
export class CleanupSchedules extends Construct {
  /** The group's name, which is the dimension of Scheduler's metrics. */
  readonly groupName: string;

  /** @param startWithin a run that could not begin by then is left to the next one */
  constructor(
    scope: Construct,
    id: string,
    projects: [string, CleanupConfiguration][],
    target: { handler: IFunction; startWithin: Duration },
  ) {
    super(scope, id);
    const { name, group, role } = createScheduleGroup(this, 'cleanup', target.handler);
    this.groupName = name;
    const schedules = new Construct(this, 'Each');
    for (const [project, cleanup] of projects) {
      createSchedule(schedules, project, cleanup, { ...target, role, groupName: group.ref });
    }
    // A schedule without the permission to call would miss its first run.
    schedules.node.addDependency(role);
  }
}

function createSchedule(
  scope: Construct,
  project: string,
  cleanup: CleanupConfiguration,
  {
    handler,
    role,
    groupName,
    startWithin,
  }: { handler: IFunction; role: Role; groupName: string; startWithin: Duration },
): void {
  new CfnSchedule(scope, project, {
    description: `Looks for open chats of the project ${project}`,
    groupName,
    scheduleExpression: cleanup.schedule,
    scheduleExpressionTimezone: cleanup.timezone,
    flexibleTimeWindow: flexibleWindow(cleanup),
    target: {
      arn: handler.functionArn,
      roleArn: role.roleArn,
      input: JSON.stringify({ project }),
      retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: startWithin.toSeconds() },
    },
  });
}

function flexibleWindow(cleanup: CleanupConfiguration): CfnSchedule.FlexibleTimeWindowProperty {
  const minutes = Math.min(MAX_WINDOW_MINUTES, Math.floor(periodInMinutes(cleanup) / 4));
  return minutes < 1 ? { mode: 'OFF' } : { mode: 'FLEXIBLE', maximumWindowInMinutes: minutes };
}
