import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

type Resource = { Type: string; Properties?: Record<string, unknown> };

/** The synthesised template of a stack. */
export function templateOf(stack: Stack): { Resources: Record<string, Resource> } {
  return Template.fromStack(stack).toJSON() as { Resources: Record<string, Resource> };
}
