import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { REGULATED } from '../support/account.ts';
import { SMALLEST, temporaryFolder } from '../support/configuration.ts';
import { EVERYTHING } from '../support/everything.ts';
import { createStack } from '../support/stack.ts';

// cfn-lint knows which properties and values CloudFormation takes in which region. `npm test` installs it into .venv.

const REGIONS = ['eu-west-2', 'us-east-1', 'us-gov-west-1', 'cn-north-1'];

/** The CDK writes a `DependsOn` where a reference would do. */
const IGNORED = ['W3005'];

function lint(template: object): string[] {
  const file = join(temporaryFolder(), 'template.json');
  writeFileSync(file, JSON.stringify(template));
  return lintFile(file);
}

/** @returns what cfn-lint finds, a line each, with the rule’s name first */
function lintFile(file: string): string[] {
  const args = ['--format', 'json', '--regions', ...REGIONS, '--ignore-checks', ...IGNORED, '--', file];
  const { error, stdout, stderr } = spawnSync(join(ROOT, '.venv/bin/cfn-lint'), args, { encoding: 'utf8' });
  if (error || !stdout.startsWith('['))
    throw new Error(
      `cfn-lint does not run. Install it: node scripts/prepare.js --with-linter. ${error ?? stderr}`,
    );
  const found: { Rule: { Id: string }; Message: string; Location: { Path: unknown[] } }[] =
    JSON.parse(stdout);
  return found.map(({ Rule, Message, Location }) => `${Rule.Id} ${Location.Path.join('.')}: ${Message}`);
}

describe('cfn-lint', () => {
  it.each([
    ['the smallest stack', SMALLEST],
    ['a stack that has every part', EVERYTHING],
    ['a stack that has every setting for accounts with rules', REGULATED],
  ])('finds nothing in %s', (_, configuration) => {
    expect(lint(Template.fromStack(createStack(configuration)).toJSON())).toEqual([]);
  });

  it('finds nothing in the pipeline to copy', () => {
    expect(lintFile(join(ROOT, 'docs/examples/codepipeline.yml'))).toEqual([]);
  });

  it('finds a property that CloudFormation does not know, and a value that it refuses', () => {
    const Properties = { QueName: 'closes', VisibilityTimeout: 50_000 };
    const found = lint({ Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties } } });
    expect(found.map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining([
        'E3002 Resources.Queue.Properties.QueName',
        'E3034 Resources.Queue.Properties.VisibilityTimeout',
      ]),
    );
  });
});
