import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template as Assertions } from 'aws-cdk-lib/assertions';
import { type Configuration, DEFAULT_STACK, loadConfiguration } from '../../infra/config/load.ts';
import { seriesOf } from '../../infra/metric-series.ts';
import { ROOT } from '../../infra/root.ts';
import { ChatCloserStack } from '../../infra/stack.ts';
import type { Template } from '../../test/signals/template.ts';

/** A stack as it would be deployed. */
export type Synthesized = {
  configuration: Configuration;
  template: Template;
  /** How many metrics the configuration can make at most. */
  series: number;
};

/**
 * Reads a connections.json and synthesises its stack, without bundles, which do not change the cost.
 *
 * @throws {ConfigurationError} when the configuration is faulty
 */
export function synthesizeFile(file: string): Synthesized {
  const outdir = temporaryFolder();
  try {
    const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
    const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] }, outdir });
    const configuration = loadConfiguration(file, DEFAULT_STACK);
    const stack: Stack = new ChatCloserStack(app, DEFAULT_STACK, { configuration });
    const template = Assertions.fromStack(stack).toJSON() as Template;
    return { configuration, template, series: seriesOf(configuration).length };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Does the same with the content of a connections.json. */
export function synthesize(content: unknown): Synthesized {
  const folder = temporaryFolder();
  try {
    const file = join(folder, 'connections.json');
    writeFileSync(file, JSON.stringify(content));
    return synthesizeFile(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'polyai-chat-closer-cost-'));
}
