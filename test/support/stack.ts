import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { ROOT } from '../../infra/root.ts';
import { ChatCloserStack, type ChatCloserStackProps } from '../../infra/stack.ts';
import { configurationOf, SMALLEST, temporaryFolder } from './configuration.ts';

type AppOptions = {
  /** Builds the bundles, which takes seconds. */
  bundles?: boolean;
  /** The context instead of the one in cdk.json. */
  context?: Record<string, unknown>;
};
type StackOptions = AppOptions & Partial<Omit<ChatCloserStackProps, 'configuration'>> & { name?: string };

/** An app as `cdk synth` makes it, with the context of cdk.json. */
export function createApp({ bundles = false, context = contextOfCdkJson() }: AppOptions = {}): App {
  return new App({
    context: { ...context, ...(!bundles && { 'aws:cdk:bundling-stacks': [] }) },
    outdir: temporaryFolder(),
  });
}

/** The stack as `cdk synth` makes it; without bundles unless they are asked for. */
export function createStack(content: unknown = SMALLEST, options: StackOptions = {}): ChatCloserStack {
  const { name = 'closer', bundles = false, context = contextOfCdkJson(), ...props } = options;
  const app = createApp({ bundles, context });
  return new ChatCloserStack(app, name, { configuration: configurationOf(content), ...props });
}

function contextOfCdkJson(): Record<string, unknown> {
  return JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context;
}
