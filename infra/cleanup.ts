import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { CleanupProject } from '../functions/connections.ts';
import { rateInMinutes, toMinutes } from './config/duration.ts';
import type { Configuration, ProjectConfiguration } from './config/load.ts';
import { shorten } from './names.ts';

type Cleanup = NonNullable<ProjectConfiguration['cleanup']>;

const MINUTE_MS = 60_000;
/** Many projects with the same schedule fire within so many minutes, or a quarter of what lies between two runs. */
const MAX_WINDOW_MINUTES = 15;
/** EventBridge Scheduler's limit for the name of a group, and how ours ends. */
const MAX_GROUP_NAME = 64;
const GROUP = '-cleanup';
/** A run that cannot begin by then is the next one's to make up for. */
export const START_WITHIN_SECONDS = 900;

/** The projects of a configuration that have a cleanup. */
export function projectsWithCleanup({ projects }: Configuration): [string, Cleanup][] {
  return Object.entries(projects).flatMap(([name, { cleanup }]) => (cleanup ? [[name, cleanup]] : []));
}

/** What the function is told of it. */
export function embedCleanup(cleanup: Cleanup): CleanupProject['cleanup'] {
  const { idleFor, lookback, channels, maxCloses, dryRun } = cleanup;
  return {
    idleForMs: toMinutes(idleFor) * MINUTE_MS,
    lookbackMs: toMinutes(lookback) * MINUTE_MS,
    channels,
    maxCloses,
    dryRun,
    periodMs: periodInMinutes(cleanup) * MINUTE_MS,
  };
}

/** Between two runs; of a `cron(…)` it is not known, but the alarm says by when there must be one. */
function periodInMinutes({ schedule, alarmAfter }: Cleanup): number {
  return rateInMinutes(schedule) || toMinutes(alarmAfter);
}

/**
 * A schedule for each project, which calls the function with the project's name, once: a run that fails is not
 * tried again, because it would ask for as many closes again. The group is what Scheduler's metrics go by.
 */
export class CleanupSchedules extends Construct {
  readonly groupName: string;

  constructor(scope: Construct, id: string, projects: [string, Cleanup][], target: IFunction) {
    super(scope, id);
    this.groupName = `${shorten(Stack.of(this).stackName, MAX_GROUP_NAME - GROUP.length)}${GROUP}`;
    const group = new CfnScheduleGroup(this, 'Group', { name: this.groupName });
    const role = new Role(this, 'Role', { assumedBy: fromGroup(this, this.groupName) });
    const invoke = new PolicyStatement({
      actions: ['lambda:InvokeFunction'],
      resources: [target.functionArn],
    });
    role.addToPolicy(invoke);
    const schedules = new Construct(this, 'Each');
    for (const [name, cleanup] of projects) {
      new CfnSchedule(schedules, name, {
        description: `Looks for open chats of the project ${name}`,
        groupName: group.ref,
        scheduleExpression: cleanup.schedule,
        scheduleExpressionTimezone: cleanup.timezone,
        flexibleTimeWindow: flexibleWindow(cleanup),
        target: {
          arn: target.functionArn,
          roleArn: role.roleArn,
          input: JSON.stringify({ project: name }),
          retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: START_WITHIN_SECONDS },
        },
      });
    }
    // A schedule that may not call yet would miss its first run.
    schedules.node.addDependency(role);
  }
}

function flexibleWindow(cleanup: Cleanup): CfnSchedule.FlexibleTimeWindowProperty {
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
