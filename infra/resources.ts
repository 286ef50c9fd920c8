import { CfnResource, type Stack } from 'aws-cdk-lib';
import { type Configuration, ConfigurationError } from './config/load.ts';

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MAX_RESOURCES = 500;
/** The CDK adds one resource that notes which constructs were used. */
const METADATA = 1;

/** @throws {ConfigurationError} when the stack has more resources than CloudFormation accepts */
export function requireResources(stack: Stack, { projects, connections }: Configuration): void {
  const count = stack.node.findAll().filter(CfnResource.isCfnResource).length + METADATA;
  if (count <= MAX_RESOURCES) return;
  const cleanups = Object.values(projects).filter(({ cleanup }) => cleanup).length;
  const named = [
    `${Object.keys(projects).length} projects (${cleanups} with a cleanup)`,
    `${Object.keys(connections).length} connections`,
  ];
  throw new ConfigurationError('the configuration', [
    {
      path: '',
      problem: `needs ${count} resources for ${named.join(' and ')}, and one CloudFormation stack takes ${MAX_RESOURCES}`,
      fix: 'Split it into several stacks, as docs/scale.md shows, or clean up fewer projects: each takes a schedule and an alarm, and one more for oldestOpenAlarm and for a threshold of MissRateAlarm',
    },
  ]);
}
