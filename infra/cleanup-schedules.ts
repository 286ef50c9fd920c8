import { type Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { periodInMinutes } from './config/duration.ts';
import type { ProjectConfiguration } from './config/load.ts';
import { shorten } from './names.ts';

/** Runs of many projects with the same schedule are spread over 15 minutes, or a quarter of their period. */
const MAX_WINDOW_MINUTES = 15;
/** EventBridge Scheduler's limit for the name of a group. */
const MAX_GROUP_NAME = 64;
const GROUP_SUFFIX = '-cleanup';

/** A project's `cleanup` in the configuration. */
export type CleanupConfiguration = NonNullable<ProjectConfiguration['cleanup']>;

/**
 * One schedule for each project. It calls the function with the project's name, once: a run that fails is not tried
 * again, because it would ask for as many closes again.
 */
export class CleanupSchedules extends Construct {
  /** The group's name, which is the dimension of Scheduler's metrics. */
  readonly groupName: string;
  private readonly group: CfnScheduleGroup;

  /** @param startWithin a run that could not begin by then is left to the next one */
  constructor(
    scope: Construct,
    id: string,
    projects: [string, CleanupConfiguration][],
    target: { handler: IFunction; startWithin: Duration },
  ) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    this.groupName = `${shorten(stackName, MAX_GROUP_NAME - GROUP_SUFFIX.length)}${GROUP_SUFFIX}`;
    this.group = new CfnScheduleGroup(this, 'Group', { name: this.groupName });
    const role = this.createRole(target.handler);
    const schedules = new Construct(this, 'Each');
    for (const [name, cleanup] of projects)
      this.createSchedule(schedules, name, cleanup, { ...target, role });
    // A schedule without the permission to call would miss its first run.
    schedules.node.addDependency(role);
  }

  private createRole({ functionArn }: IFunction): Role {
    const role = new Role(this, 'Role', { assumedBy: fromGroup(this, this.groupName) });
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] }));
    return role;
  }

  private createSchedule(
    scope: Construct,
    project: string,
    cleanup: CleanupConfiguration,
    { handler, role, startWithin }: { handler: IFunction; role: Role; startWithin: Duration },
  ): void {
    new CfnSchedule(scope, project, {
      description: `Looks for open chats of the project ${project}`,
      groupName: this.group.ref,
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
}

function flexibleWindow(cleanup: CleanupConfiguration): CfnSchedule.FlexibleTimeWindowProperty {
  const minutes = Math.min(MAX_WINDOW_MINUTES, Math.floor(periodInMinutes(cleanup) / 4));
  return minutes < 1 ? { mode: 'OFF' } : { mode: 'FLEXIBLE', maximumWindowInMinutes: minutes };
}

/** @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html */
function fromGroup(scope: Construct, group: string): ServicePrincipal {
  const stack = Stack.of(scope);
  const sourceArn = stack.formatArn({
    service: 'scheduler',
    resource: 'schedule-group',
    resourceName: group,
  });
  return new ServicePrincipal('scheduler.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': sourceArn } },
  });
}
