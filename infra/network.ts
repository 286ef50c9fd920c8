import { Annotations, Fn, Validations } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Configuration } from './config/load.ts';

type Network = {
  vpc: IVpc;
  vpcSubnets: { subnets: IVpc['privateSubnets'] };
  securityGroups: ISecurityGroup[];
};

/** Where a function runs; empty without `stack.vpc`. */
export function networkOf(scope: Construct, { vpc: settings }: Configuration['stack']): Network | undefined {
  if (!settings) return undefined;
  const { vpcId, subnetIds, securityGroupIds } = settings;
  const vpc = Vpc.fromVpcAttributes(scope, 'Vpc', {
    vpcId,
    privateSubnetIds: subnetIds,
    // The CDK wants a zone for each subnet, and uses none of them.
    availabilityZones: subnetIds.map((_, index) => Fn.select(index, Fn.getAzs())),
  });
  Annotations.of(vpc).acknowledgeWarning(
    '@aws-cdk/aws-ec2:noSubnetRouteTableId',
    'Nothing here changes a route table.',
  );
  return {
    vpc,
    vpcSubnets: { subnets: vpc.privateSubnets },
    securityGroups: securityGroupIds.map((id, index) =>
      SecurityGroup.fromSecurityGroupId(scope, `SecurityGroup${index}`, id, { mutable: false }),
    ),
  };
}

/**
 * Allows a function its network interfaces. Most of these actions know no resource.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 */
export function allowInterfaces(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      resources: ['*'],
    }),
  );
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'AWS’s own policy for functions in a VPC has the same statement: these actions know no resource.',
  });
}
