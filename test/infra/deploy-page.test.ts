import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { REGULATED } from '../support/account.ts';
import { SMALLEST, temporaryFolder } from '../support/configuration.ts';
import { EVERYTHING } from '../support/everything.ts';
import { createStack } from '../support/stack.ts';
import { templateOf } from '../support/template.ts';

const PAGE = readFileSync(join(ROOT, 'docs/deploy.md'), 'utf8');
const types = new Set(
  [EVERYTHING, REGULATED].flatMap((content) =>
    Object.values(templateOf(createStack(content)).Resources).map(({ Type }) => Type),
  ),
);

describe('docs/deploy.md', () => {
  it.each([...types])('has the actions that the execution role needs for %s', (type) => {
    const row = PAGE.split('\n').find((line) => line.startsWith('| `AWS::') && line.includes(`\`${type}\``));
    expect(row).toMatch(/\| `[a-z0-9-]+:[A-Za-z]+`/);
  });

  it('names no resource that no stack has', () => {
    const named = [...PAGE.matchAll(/`(AWS::\w+::\w+)`/g)].map(([, type]) => type);
    expect(named.filter((type) => type && !types.has(type) && type !== 'AWS::CDK::Metadata')).toEqual([]);
  });
});

it('the template says nothing about the constructs in it to AWS', () => {
  expect([...types]).not.toContain('AWS::CDK::Metadata');
  const { versionReporting, context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  expect({ versionReporting, telemetry: context['cli-telemetry'] }).toEqual({
    versionReporting: false,
    telemetry: false,
  });
});

describe('cdk diff of two templates', () => {
  const assemblyOf = (content: object) => (createStack(content).node.root as App).synth().directory;

  it('says without credentials what a change means for resources', () => {
    const after = { ...SMALLEST, stack: { terminationProtection: true, canary: EVERYTHING.stack.canary } };
    const template = join(assemblyOf(SMALLEST), 'closer.template.json');
    const cdk = join(ROOT, 'node_modules/.bin/cdk');
    const { status, stdout, stderr } = spawnSync(
      cdk,
      ['diff', '--app', assemblyOf(after), '--template', template],
      {
        env: { PATH: process.env.PATH, HOME: temporaryFolder() },
        encoding: 'utf8',
      },
    );
    expect({ status, stderr: stderr + stdout }).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/\[\+\] AWS::Lambda::Function .*Canary/),
    });
  });
});
