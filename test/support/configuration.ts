import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { ROOT } from '../../infra/bundle.ts';
import { type Configuration, loadConfiguration } from '../../infra/config.ts';
import { type ChatCloserProps, ChatCloserStack } from '../../infra/stack.ts';

/** A connections.json as small as it can be. */
export const SMALLEST = {
  polyai: { support: { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' } },
  connections: { 'zendesk-support': { crm: 'zendesk', polyai: 'support' } },
};

/** Another folder of one's own; scripts/test.ts removes them all after a run. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'polyai-chat-closer-test-'));
}

/** Writes a connections.json. @returns its path */
export function writeConnections(content: unknown, folder = temporaryFolder()): string {
  const file = join(folder, 'connections.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

export function configurationOf(content: unknown): Configuration {
  return loadConfiguration(writeConnections(content));
}

type StackOptions = Partial<Omit<ChatCloserProps, 'configuration'>> & { name?: string; bundles?: boolean };

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
