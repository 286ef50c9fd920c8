import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { shorten } from './names.ts';

/** EventBridge Scheduler's limit for the name of a group. */
const MAX_GROUP_NAME = 64;

/** A group of schedules, and the role with which they call their function. */
export type ScheduleGroup = {
  /** The group's name, which is the dimension of Scheduler's metrics. */
  name: string;
  group: CfnScheduleGroup;
  role: Role;
};

/**
 * Creates a group of schedules that all call one function.
 *
 * @param scope a construct that has no other group and no other role
 * @param suffix follows the stack's name in the group's name
 */
export function createScheduleGroup(
  scope: Construct,
  suffix: string,
  { functionArn }: IFunction,
): ScheduleGroup {
  const end = `-${suffix}`;
  const name = `${shorten(Stack.of(scope).stackName, MAX_GROUP_NAME - end.length)}${end}`;
  const group = new CfnScheduleGroup(scope, 'Group', { name });
  const role = new Role(scope, 'Role', { assumedBy: fromGroup(scope, name) });
  role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] }));
  return { name, group, role };
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
