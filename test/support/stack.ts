import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { ROOT } from '../../infra/root.ts';
import { ChatCloserStack, type ChatCloserStackProps } from '../../infra/stack.ts';
import { configurationOf, SMALLEST, temporaryFolder } from './configuration.ts';

type StackOptions = Partial<Omit<ChatCloserStackProps, 'configuration'>> & {
  name?: string;
  bundles?: boolean;
};

/** The stack as `cdk synth` would make it, with the context of cdk.json; without bundles unless they are asked for. */
export function createStack(content: unknown = SMALLEST, options: StackOptions = {}): ChatCloserStack {
  const { name = 'closer', bundles = false, ...props } = options;
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  const app = new App({
    context: { ...context, ...(!bundles && { 'aws:cdk:bundling-stacks': [] }) },
    outdir: temporaryFolder(),
  });
  return new ChatCloserStack(app, name, { configuration: configurationOf(content), ...props });
}
